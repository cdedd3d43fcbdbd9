"""`boxrefine pretrain-judge` on a small pool: draws are recorded, a judge and a report are left, and a run goes on."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import pytest

from core.encoders.catalogue import load_encoder
from core.errors import BadFileError
from core.pretraining import judge_recording
from core.pretraining.judge_config import JudgeConfig
from core.pretraining.judge_episodes import Tools, record_set
from core.pretraining.judge_recording import draws_of, load_tools, part_of, read_pictures
from core.pretraining.judge_records import Records
from core.pretraining.pretrain_judge import REPORT_FILE
from core.progress import run
from core.refiner.checkpoint import load_refiner
from core.suggest.judge import JUDGE_CARD
from core.suggest.judging import KNOWN
from core.suggest.kit import kit_for
from core.training.config_file import read_config
from tests.core.command_line import Verb
from tests.core.pools import save_pool
from tests.core.suggest.discs import save_discs

pytestmark = [pytest.mark.slow, pytest.mark.long]

SMALL = "tested: 2\nseeds: 1\nsizes: [0, 2]\nsteps: 5\nfolds: 2\n"
NOT_NEEDED = ("PySide6", "shiboken6", "segment_anything_hq", "sqlite_utils", "tomli_w")
BLOCK = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Blocked())
"""


@pytest.fixture(scope="module")
def tools() -> Tools:
    return load_tools("cpu")


def save_set(folder: Path, *, pictures: int = 4) -> Path:
    """A set of pictures of discs and squares, below a pool's folder."""
    images, notes = [], []
    for seed in range(pictures):
        labels = save_discs(folder / "many" / "images" / f"{seed}.png", seed=seed)
        images.append({"id": seed + 1, "file_name": f"{seed}.png", "width": 320, "height": 240})
        for box, name in labels.boxes:
            note = {"id": len(notes) + 1, "image_id": seed + 1, "category_id": 1 if name == "disc" else 2}
            notes.append(note | {"bbox": [box.x1, box.y1, box.width, box.height]})
    categories = [{"id": 1, "name": "disc"}, {"id": 2, "name": "square"}]
    document = {"images": images, "annotations": notes, "categories": categories}
    (folder / "many" / "annotations.json").write_text(json.dumps(document), "utf-8")
    return folder


@pytest.fixture(scope="module")
def recorded(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Records:
    pictures = read_pictures(save_set(tmp_path_factory.mktemp("pool")) / "many")
    config = JudgeConfig(tested=1, sizes=[0, 3, 40], undone_share=0.0)
    return run(record_set("many", pictures, config, 0, tools))


def test_a_draw_has_an_episode_for_each_kind_that_the_set_is_large_enough_for(recorded: Records) -> None:
    kinds = list(zip(recorded.size.tolist(), recorded.given.tolist(), recorded.objects.tolist(), strict=True))
    assert kinds == [(0, 1, 5), (0, 3, 3), (3, 0, 10)]
    assert recorded.whole.tolist() == [False, False, True]
    assert recorded.known.shape == (len(recorded.episode), len(KNOWN))
    assert np.isfinite(recorded.known).all()


def test_easy_objects_are_found_and_each_is_named(recorded: Records) -> None:
    for episode, least in enumerate((4, 3, 8)):
        own = (recorded.episode == episode) & ~recorded.left_out
        found = set(recorded.object[own & recorded.right].tolist())
        assert len(found) >= min(least, recorded.objects[episode])
        assert -1 not in found
    assert ((recorded.overlap == 0) | (recorded.overlap >= 0.5)).all()


def test_labelled_pictures_that_were_left_out_are_recorded_too(recorded: Records) -> None:
    own = recorded.left_out
    assert set(recorded.episode[own].tolist()) == {2}
    assert recorded.right[own].sum() > 5


def test_a_draw_can_be_repeated(recorded: Records, tools: Tools, tmp_path: Path) -> None:
    config = JudgeConfig(tested=1, sizes=[3], undone_share=0.0)
    pictures = read_pictures(save_set(tmp_path) / "many")
    first, second = (run(record_set("many", pictures, config, seed, tools)) for seed in (0, 0))
    assert np.array_equal(first.known, second.known)
    assert np.array_equal(first.boxes, second.boxes)


@pytest.mark.long
def test_the_verb_records_fits_and_goes_on(verb: Verb, tmp_path: Path) -> None:
    pool, out = save_pool(tmp_path / "pool", pictures=5), tmp_path / "judge"
    config = tmp_path / "small.yaml"
    config.write_text(SMALL, "utf-8")
    command = ("pretrain-judge", "--data", str(pool), "--out", str(out), "--config", str(config), "--device", "cpu")
    said = verb(*command, "--processes", "1", "--record-only")
    assert said.code == 0 and said.summary["draws"] == 2
    assert not (out / JUDGE_CARD).exists()
    kept = part_of(out, ("discs", 0))
    before = kept.stat().st_mtime_ns
    part_of(out, ("frames", 0)).unlink()
    said = verb(*command, "--processes", "1")
    assert said.code == 0 and said.summary["finds"] > 0
    assert kept.stat().st_mtime_ns == before and part_of(out, ("frames", 0)).is_file()
    with (out / REPORT_FILE).open(encoding="utf-8") as file:
        assert {row["rule"] for row in csv.DictReader(file)} == {"today", "judge", "judge, corrected"}
    encoder = load_encoder("light", "cpu")
    judge = kit_for(encoder, load_refiner(None, encoder), judge=out).judge
    assert judge is not None and judge.standards.following.usual


def test_the_verb_states_what_is_wrong_with_its_pool(verb: Verb, tmp_path: Path) -> None:
    nothing = verb("pretrain-judge", "--data", str(tmp_path), "--out", str(tmp_path / "out"))
    assert nothing.code == 2
    assert nothing.sentences == [
        f"{tmp_path} does not hold a labelled set: it must have folders with annotations.json and images/."
    ]
    config = tmp_path / "my.yaml"
    config.write_text("sets: [elsewhere]\n", "utf-8")
    other = verb(
        "pretrain-judge", "--data", str(save_set(tmp_path)), "--out", str(tmp_path / "out"), "--config", str(config)
    )
    assert other.code == 2
    assert len(other.sentences) == 1 and "the set elsewhere" in other.sentences[0]


def test_a_set_that_is_no_coco_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "annotations.json").write_text("{", "utf-8")
    assert draws_of(JudgeConfig(seeds=2), tmp_path) == [("set", 0), ("set", 1)]
    with pytest.raises(BadFileError, match=r"annotations\.json"):
        read_pictures(tmp_path / "set")


class EndedPool(Executor):
    """The system has ended its processes."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def submit(self, *_: object, **__: object) -> Future[int]:  # type: ignore[override]
        future: Future[int] = Future()
        future.set_exception(BrokenProcessPool("ended"))
        return future


def test_a_process_that_the_system_ends_is_one_sentence(
    verb: Verb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge_recording, "ProcessPoolExecutor", EndedPool)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    said = verb("pretrain-judge", "--data", str(save_set(tmp_path)), "--out", str(tmp_path / "out"))
    assert said.code == 2
    assert len(said.sentences) == 1 and "use fewer --processes" in said.sentences[0]


def test_the_shipped_configuration_is_valid() -> None:
    from core.cli.pretrain_judge import SHIPPED_CONFIG

    assert read_config(SHIPPED_CONFIG, JudgeConfig).seeds == 8


def test_training_needs_no_window_no_project_and_no_other_encoder(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(BLOCK.format(names=NOT_NEEDED), "utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(tmp_path), *sys.path))}
    command = [sys.executable, "-m", "boxrefine_gui", "pretrain-judge", "--data", str(tmp_path), "--out", str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 2
    assert "does not hold a labelled set" in done.stderr and "Traceback" not in done.stderr
