"""Work on Ray: as by the verb alone, whoever dies, and what cannot be done is one sentence."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.engine.encoding import DecodePictures, EncodePictures, EncodePixels, encode_frames
from core.engine.plan import WorkerPlan
from core.engine.ray_engine import RayChoice, Stage, open_ray, run_stages
from core.engine.rows import CACHED, ENCODED, FAILED, Rows, columns, rows_of
from core.engine.witness import Deaths
from core.errors import BadInputError, StorageError
from core.object_store.address import Address
from core.object_store.folder import ObjectFolder
from core.object_store.remote_file import PictureFile
from core.progress import run
from tests.core.command_line import Verb
from tests.core.feature_files import features_files
from tests.scale.conftest import OF_RAY_WARNINGS

pytestmark = OF_RAY_WARNINGS


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of five pictures, and one that is none."""
    folder = tmp_path / "pictures é"
    folder.mkdir()
    for number in range(5):
        pixels = np.random.default_rng(number).integers(0, 255, (60, 80, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


def contents(cache: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in features_files(cache)}


@pytest.mark.slow
def test_the_engine_stores_what_the_verb_stores_and_only_once(
    ray_here: Any, verb: Verb, pictures: Path, untrained: Path, tmp_path: Path
) -> None:
    common = ["encode", "--images", pictures, "--encoder", untrained / "encoder.safetensors", "--device", "cpu"]
    plain = verb(*common, "--cache", tmp_path / "plain")
    first = verb(*common, "--cache", tmp_path / "ray", "--engine", "ray")
    assert (first.summary["encoded"], first.summary["failed"], first.code) == (5, 1, plain.code) and first.code == 2
    assert any("broken.png" in sentence for sentence in first.sentences)
    assert len(first.out.splitlines()) == 1, "the output is the summary alone"
    assert contents(tmp_path / "plain") == contents(tmp_path / "ray") and len(contents(tmp_path / "ray")) == 5
    (pictures / "broken.png").unlink()
    again = verb(*common, "--cache", tmp_path / "ray", "--engine", "ray")
    assert (again.code, again.summary["cached"], again.summary["encoded"], again.summary["failed"]) == (0, 5, 0, 0)


@pytest.mark.slow
def test_pictures_and_features_of_buckets(
    ray_here: Any, verb: Verb, pictures: Path, bucket: str, tmp_path: Path
) -> None:
    (pictures / "broken.png").unlink()
    folder = ObjectFolder(Address(f"{bucket}/pictures"))
    for path in sorted(pictures.iterdir()):
        folder.write(f"some/{path.name}", path.read_bytes())
    common = ["encode", "--images", f"{bucket}/pictures", "--device", "cpu", "--shared-cache", f"{bucket}/cache"]
    done = verb(*common, "--cache", tmp_path / "server", "--engine", "ray")
    assert (done.code, done.summary["encoded"], done.summary["shared_cache"]) == (0, 5, f"{bucket}/cache")
    names = [entry.name for entry in ObjectFolder(Address(f"{bucket}/cache")).entries()]
    assert sum(name.startswith("features/") for name in names) == 5
    assert sum(name.startswith("manifest/") for name in names) == 1, "the workers give their rows to the driver"
    laptop = verb(*common, "--cache", tmp_path / "laptop")  # decodes nothing: the manifest has the contents
    assert (laptop.code, laptop.summary["cached"], laptop.summary["encoded"]) == (0, 5, 0)


class Dying(EncodePictures):
    """Ends its process at a picture called killer, and once, by a file, at the third picture of a block."""

    def _encode(self, pictures: list[PictureFile]) -> list[tuple[str, str]]:
        for picture in pictures:
            once = Path(str(picture)).parent / "die once"
            if picture.name.startswith("killer") or (picture.name.startswith("2") and once.exists()):
                super()._encode([each for each in pictures if each.name < picture.name])
                once.unlink(missing_ok=True)
                os.kill(os.getpid(), signal.SIGKILL)
        return super()._encode(pictures)


@pytest.mark.slow
def test_a_dead_worker_loses_nothing_and_a_picture_that_kills_is_reported(
    ray_here: Any, pictures: Path, untrained: Path, tmp_path: Path
) -> None:
    (pictures / "die once").touch()
    shutil.copy(pictures / "4.png", pictures / "killer.png")
    plan = WorkerPlan(str(untrained / "encoder.safetensors"), device="cpu", cache=tmp_path / "cache", threads=1)
    found: dict[int, tuple[str, str]] = {}

    def take(rows: Rows) -> None:
        for number, state, note in zip(rows["number"], rows["state"], rows["note"], strict=True):
            assert number not in found, "twice"
            found[int(number)] = (str(state), str(note))

    rows = rows_of(list(enumerate(sorted(pictures.glob("*.png")))))
    stage = Stage(Dying, (plan,), cpus=1, workers=1, takes_witness=True)
    with open_ray(RayChoice()) as ray:
        repeated = run(run_stages(ray, rows, [stage], block=4, take=take))
    assert sorted(found) == list(range(7)) and repeated == 2
    states = [found[number][0] for number in range(7)]
    assert states[:5].count(ENCODED) + states[:5].count(CACHED) == 5 and states[5:] == [FAILED, FAILED]
    assert "killer.png ends the process that reads it" in found[6][1]
    assert len(features_files(tmp_path / "cache")) == 5


@pytest.mark.slow
def test_decoders_apart_from_the_network_store_the_same(
    ray_here: Any, verb: Verb, pictures: Path, untrained: Path, tmp_path: Path
) -> None:
    encoder = str(untrained / "encoder.safetensors")
    verb("encode", "--images", pictures, "--encoder", encoder, "--device", "cpu", "--cache", tmp_path / "plain")
    plan = WorkerPlan(encoder, device="cpu", cache=tmp_path / "apart", batch=1)
    states: list[str] = []
    rows = rows_of(list(enumerate(sorted(pictures.glob("*.png")))))
    stages = [
        Stage(DecodePictures, (plan,), cpus=1, workers=1, takes_witness=True),
        Stage(EncodePixels, (plan,), cpus=1, workers=1),
    ]
    with open_ray(RayChoice()) as ray:
        run(run_stages(ray, rows, stages, block=3, take=lambda rows: states.extend(map(str, rows["state"]))))
    assert sorted(states) == [ENCODED] * 5 + [FAILED]
    assert contents(tmp_path / "plain") == contents(tmp_path / "apart")


@pytest.mark.slow
def test_a_worker_of_other_weights_is_refused(ray_here: Any, pictures: Path, untrained: Path) -> None:
    plan = WorkerPlan(str(untrained / "encoder.safetensors"), "light-of-another", device="cpu")
    stage = Stage(EncodePictures, (plan,), cpus=1, workers=1)
    with open_ray(RayChoice()) as ray, pytest.raises(BadInputError, match="this run is of light-of-another: install"):
        run(run_stages(ray, rows_of([(0, pictures / "0.png")]), [stage], block=1, take=lambda rows: None))
    other = EncodePictures(WorkerPlan(str(untrained / "encoder.safetensors"), software="9.9"))
    assert "9.9" in other({"picture": ["a.png"]})["note"][0]


def test_the_function_for_spark_takes_data_frames(pictures: Path, untrained: Path, tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    plan = WorkerPlan(str(untrained / "encoder.safetensors"), device="cpu", cache=tmp_path / "cache")
    frames = [
        pd.DataFrame({"picture": [str(pictures / name) for name in names]}) for names in (["0.png"], ["broken.png"])
    ]
    good, bad = encode_frames(frames, plan)
    assert list(good["state"]) == [ENCODED] and list(bad["state"]) == [FAILED]
    assert "broken.png" in bad["note"][0] and len(features_files(tmp_path / "cache")) == 1


def test_a_cluster_that_is_not_there_is_one_sentence_soon() -> None:
    pytest.importorskip("ray")
    start = time.perf_counter()
    for address in ("127.0.0.1:9", "ray://127.0.0.1:9", "127.0.0.1"):
        with pytest.raises(StorageError, match=rf"no Ray cluster at {address} \(Connection refused\)"):
            _open_alone(address)
    assert time.perf_counter() - start < 20


def _open_alone(address: str) -> None:
    import ray

    if ray.is_initialized():
        from core.engine import ray_engine

        ray_engine._check_reachable(address)
    with open_ray(RayChoice(address=address)):
        pass


def test_without_ray_the_extra_is_named(verb: Verb, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    said = verb("encode", "--images", pictures, "--engine", "ray", "--device", "cpu")
    assert said.code == 2 and said.sentences == ["--engine ray needs Ray: pip install 'boxrefine[ray]'."]
    said = verb("encode", "--images", pictures, "--address", "auto")
    assert said.code == 2 and "add --engine ray" in said.sentences[0]
    said = verb("encode", "--images", pictures, "--engine", "ray", "--address", "127.0.0.1:9")
    assert said.code == 2 and "--shared-cache" in said.sentences[0]


def test_a_witness_gives_up_what_two_workers_died_at() -> None:
    deaths = Deaths()
    assert deaths.start(0) is None and deaths.start(8) is None
    assert deaths.start(0) == frozenset()
    deaths.begin(0, 3)
    assert deaths.start(0) == frozenset()
    deaths.begin(0, 2)
    deaths.begin(0, 3)
    assert deaths.start(0) == {3} and deaths.again() == 1


def test_columns_of_texts_stay_texts() -> None:
    rows = columns(number=[1, 2], note=["", "a"])
    assert rows["note"].dtype == object and rows["number"].dtype.kind == "i"
