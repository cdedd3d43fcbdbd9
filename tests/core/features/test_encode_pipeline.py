"""A folder is encoded in batches with the features that single pictures get, whatever the GPU or the files do."""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.cli.encode import own_cores, readers_for
from core.cli.encode_processes import one_gpu
from core.encoders.catalogue import load_light
from core.encoders.guarded import GuardedEncoder
from core.encoders.hq_sam.encoder import HqSamEncoder
from core.encoders.image_features import Encoder, ImageFeatures
from core.encoders.light.encoder import LightEncoder
from core.errors import BadInputError, GpuError
from core.features.cache.feature_cache import FeatureCache
from core.features.encoding.batches import BatchEncoder, Pending, Prepared
from core.features.encoding.encode_pipeline import Encoded, EncodePipeline, Pace
from core.features.feature_source import FeatureSource
from core.geometry import Frame
from core.images import Picture, read_picture
from core.picture_folders import list_pictures
from core.progress import run
from core.refiner.checkpoint import load_refiner
from core.refiner.guarded import GuardedRefiner
from core.refiner.taught_refiner import for_category
from tests.core.command_line import Verb
from tests.core.feature_files import CountingEncoder

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
SIZES = [(300, 200), (200, 300), (512, 512), (90, 700), (640, 481)]


@pytest.fixture(scope="module")
def light(untrained: Path) -> LightEncoder:
    return load_light(untrained / "encoder.safetensors", torch.device("cpu"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five pictures of five sizes."""
    folder = tmp_path / "pictures é"
    folder.mkdir()
    for number, (width, height) in enumerate(SIZES):
        cells = np.random.default_rng(number).integers(0, 255, (7, 9, 3), np.uint8)
        Image.fromarray(cells).resize((width, height)).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[FeatureCache]:
    with FeatureCache(tmp_path / "cache", ram_budget=0) as cache:
        yield cache


class FaultyGpu(BatchEncoder):
    """Says that it is a GPU, computes on the CPU, and fails as told: the one fault that no test can bring about."""

    def __init__(self, encoder: Encoder, *, fits: int = 99, lost_after: int = 99, lost_late: bool = False) -> None:
        super().__init__(encoder)
        self._real = BatchEncoder(encoder)
        self.device = torch.device("cuda")
        self._fits = fits
        self._left = lost_after
        self._lost_late = lost_late
        self.sizes: list[int] = []

    def start(self, batch: Sequence[Prepared], *, size: int) -> Pending:
        if len(batch) > self._fits:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        self._left -= 1
        if self._left < 0 and not self._lost_late:
            raise RuntimeError("CUDA error: unspecified launch failure")
        self.sizes.append(len(batch))
        pending = self._real.start(batch, size=size)
        return LatePending(**vars(pending)) if self._left < 0 else pending


class LatePending(Pending):
    """A batch whose fault shows when it is waited for."""

    def features(self) -> list[ImageFeatures]:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")


def encode(
    folder: Path, cache: FeatureCache, batches: BatchEncoder, *, batch: int = 2, encoder: Encoder | None = None
) -> tuple[Encoded, list[str]]:
    """Run the pipeline over a folder: what became of it, and what it said."""
    said: list[str] = []
    source = FeatureSource(encoder or batches.encoder, cache)
    pipeline = EncodePipeline(
        source,
        batches,
        Pace(readers=2, batch=batch, writers=2),
        on_cpu=lambda: BatchEncoder(batches.encoder),
        complain=said.append,
    )
    return run(pipeline.run(list_pictures(folder))), said


def kept(folder: Path, cache: FeatureCache, encoder: Encoder) -> list[ImageFeatures]:
    """The features of all pictures, from the cache alone."""
    source = FeatureSource(encoder, cache)
    found = []
    for path in list_pictures(folder):
        _, known = source.read(path)
        features = source.cached(path, known, None)
        assert features is not None
        found.append(features)
    return found


def check_same(found: list[ImageFeatures], folder: Path, encoder: Encoder) -> None:
    for features, path in zip(found, list_pictures(folder), strict=True):
        picture = read_picture(path)
        alone = encoder.encode(picture, Frame.whole(width=picture.shape[1], height=picture.shape[0]))
        for ours, theirs in ((features.embedding, alone.embedding), (features.detail, alone.detail)):
            spread = float(theirs.float().std())
            assert float((ours.float() - theirs.float()).abs().max()) < 0.02 * max(spread, 1e-3)
        assert (features.frame, features.encoder) == (alone.frame, alone.encoder)


@pytest.mark.parametrize("batch", [1, 2, 8])
def test_batches_give_what_single_pictures_get(
    folder: Path, cache: FeatureCache, light: LightEncoder, batch: int
) -> None:
    report, said = encode(folder, cache, BatchEncoder(light), batch=batch)
    assert (report.encoded, report.cached, report.failed, said) == (5, 0, 0, [])
    assert report.device == "cpu, fp32"
    check_same(kept(folder, cache, light), folder, light)


@pytest.mark.slow
@pytest.mark.long
def test_hq_sam_in_batches_gives_what_single_pictures_get(
    folder: Path, cache: FeatureCache, hq_encoder: HqSamEncoder
) -> None:
    for path in list_pictures(folder)[2:]:
        path.unlink()
    encode(folder, cache, BatchEncoder(hq_encoder), batch=2)
    check_same(kept(folder, cache, hq_encoder), folder, hq_encoder)


@pytest.mark.parametrize("size", [*SIZES, (1920, 1080), (1500, 2999)])
def test_pictures_for_half_precision_are_resized_as_sam_does_but_for_single_levels(
    hq_encoder: HqSamEncoder, size: tuple[int, int]
) -> None:
    width, height = size
    picture = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    frame = Frame.whole(width=width, height=height)
    exact, quick = (
        BatchEncoder(hq_encoder, precision=precision).prepare(picture, frame) for precision in ("fp32", "bf16")
    )
    assert (quick.width, quick.height) == (exact.width, exact.height)
    off = (quick.pixels.int() - exact.pixels.int()).abs()
    assert int(off.max()) <= 1
    assert float(off.float().mean()) < 0.02


@pytest.mark.long
def test_half_precision_stays_close(folder: Path, cache: FeatureCache, light: LightEncoder) -> None:
    report, _ = encode(folder, cache, BatchEncoder(light, precision="bf16"))
    assert report.device == "cpu, bf16"
    for features, path in zip(kept(folder, cache, light), list_pictures(folder), strict=True):
        picture = read_picture(path)
        alone = light.encode(picture, Frame.whole(width=picture.shape[1], height=picture.shape[0]))
        error = (features.embedding.float() - alone.embedding.float()).std()
        assert float(error) < 0.05 * float(alone.embedding.float().std())


def test_what_is_cached_is_neither_read_nor_encoded_again(
    folder: Path, cache: FeatureCache, light: LightEncoder
) -> None:
    encode(folder, cache, BatchEncoder(light))
    report, _ = encode(folder, cache, BatchEncoder(light))
    assert (report.encoded, report.cached) == (0, 5)
    list_pictures(folder)[1].write_bytes(b"no picture")
    report, said = encode(folder, cache, BatchEncoder(light))
    assert (report.cached, report.failed, len(said)) == (4, 1, 1)
    assert "1.png" in said[0]


def test_a_gpu_out_of_memory_gets_half_the_batch(folder: Path, cache: FeatureCache, light: LightEncoder) -> None:
    gpu = FaultyGpu(light, fits=1)
    report, said = encode(folder, cache, gpu, batch=4)
    assert (report.encoded, report.batch) == (5, 1)
    assert said == [
        f"The GPU ran out of memory: batches of {size} from here on." for size in ("2 pictures", "1 picture")
    ]
    assert gpu.sizes == [1] * 5
    check_same(kept(folder, cache, light), folder, light)


@pytest.mark.parametrize("lost_late", [False, True])
def test_a_gpu_that_is_lost_hands_over_to_the_cpu(
    folder: Path, cache: FeatureCache, light: LightEncoder, lost_late: bool
) -> None:
    report, said = encode(folder, cache, FaultyGpu(light, lost_after=1, lost_late=lost_late), batch=2)
    assert (report.encoded, report.failed, report.device) == (5, 0, "cpu, fp32")
    assert len(said) == 1
    assert "The GPU failed (CUDA error" in said[0] and "the CPU goes on" in said[0]
    check_same(kept(folder, cache, light), folder, light)


def test_a_fault_on_the_cpu_is_no_gpu_fault(folder: Path, cache: FeatureCache, light: LightEncoder) -> None:
    gpu = FaultyGpu(light, lost_after=0)
    gpu.device = torch.device("cpu")
    with pytest.raises(RuntimeError, match="unspecified launch failure"):
        encode(folder, cache, gpu)


def test_a_cancelled_run_keeps_what_it_has_and_leaves_no_thread(
    folder: Path, cache: FeatureCache, light: LightEncoder
) -> None:
    source = FeatureSource(light, cache)
    job = EncodePipeline(
        source,
        BatchEncoder(light),
        Pace(readers=2, batch=1),
        on_cpu=lambda: BatchEncoder(light),
        complain=lambda sentence: None,
    ).run(list_pictures(folder))
    for _ in range(4):
        next(job)
    job.close()
    assert 1 <= len(cache.entries()) <= 4


def test_a_full_disk_ends_the_run_at_once(folder: Path, cache: FeatureCache, light: LightEncoder) -> None:
    for number in range(30):
        (folder / f"more{number}.png").write_bytes((folder / "0.png").read_bytes())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        report, _ = encode(folder, cache, BatchEncoder(light), batch=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert cache.trouble is not None and "File too large" in cache.trouble
    assert report.encoded < 20


def test_an_encoder_of_another_make_is_refused() -> None:
    with pytest.raises(BadInputError, match="takes one picture at a time"):
        BatchEncoder(CountingEncoder())
    with pytest.raises(BadInputError, match="no precision fp8"):
        BatchEncoder(CountingEncoder(), precision="fp8")


class FailingEncoder(CountingEncoder):
    """Fails a number of times, as a GPU does."""

    def __init__(self, *faults: Exception) -> None:
        super().__init__()
        self._faults = list(faults)

    def encode(self, picture: Picture, frame: Frame) -> ImageFeatures:
        if self._faults:
            raise self._faults.pop(0)
        return super().encode(picture, frame)


def test_in_the_window_a_gpu_gets_a_second_try_and_is_then_told_of() -> None:
    picture, frame = np.zeros((30, 40, 3), np.uint8), Frame.whole(width=40, height=30)
    full, lost = torch.OutOfMemoryError("CUDA out of memory."), RuntimeError("CUDA error: device lost")
    assert GuardedEncoder(FailingEncoder(full)).encode(picture, frame).frame == frame
    with pytest.raises(GpuError, match="too little memory for this encoder: the CPU goes on"):
        GuardedEncoder(FailingEncoder(full, full)).encode(picture, frame)
    with pytest.raises(GpuError, match=r"The GPU failed \(CUDA error: device lost\)"):
        GuardedEncoder(FailingEncoder(lost)).encode(picture, frame)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        GuardedEncoder(FailingEncoder(RuntimeError("a fault of ours"))).encode(picture, frame)


def test_a_guarded_refiner_answers_as_the_one_behind_it(hq_encoder: HqSamEncoder, hq_features: ImageFeatures) -> None:
    behind = load_refiner(None, hq_encoder)
    guarded = GuardedRefiner(behind)
    boxes = [[20, 30, 200, 150]]
    assert guarded.refine(hq_features, boxes) == behind.refine(hq_features, boxes)
    assert for_category(guarded, "cat") is guarded
    assert (guarded.name, guarded.identity) == (behind.name, behind.identity)


# The verb


def test_the_verb_tells_what_was_encoded_and_where(folder: Path, verb: Verb, untrained: Path, tmp_path: Path) -> None:
    command = ["encode", "--images", folder, "--encoder", untrained / "encoder.safetensors", "--cache", tmp_path / "c"]
    said = verb(*command, "--device", "cpu", "--batch", 3, "--readers", 2)
    assert (said.code, said.summary["encoded"], said.summary["computed_on"]) == (0, 5, "cpu, fp32")
    assert verb(*command, "--device", "cpu").summary["cached"] == 5
    assert verb(*command, "--device", "cpu", "--batch", 0).code == 2


def test_each_process_sees_one_gpu_and_several_may_share_one() -> None:
    def seen(count: int, visible: str, gpus: int) -> list[str]:
        return [one_gpu(number, visible, gpus).get("CUDA_VISIBLE_DEVICES", "") for number in range(count)]

    assert seen(2, "", 2) == ["0", "1"]
    assert seen(3, "4,6", 2) == ["4", "6", "4"]
    assert seen(2, "", 1) == ["0", "0"]
    assert seen(2, "", 0) == ["", ""]


@pytest.mark.parametrize(("cores", "readers"), [(1, 1), (2, 1), (4, 3), (16, 13), (64, 16)])
def test_readers_beside_a_gpu_leave_cores_to_the_writers(cores: int, readers: int) -> None:
    assert readers_for(cores, beside_gpu=True) == readers


def test_processes_that_share_a_machine_share_its_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 32)
    assert [own_cores(argparse.Namespace(part=part)) for part in (None, "1/2", "4/64")] == [32, 16, 1]


@pytest.mark.slow
def test_two_processes_share_the_folder_and_the_cache(folder: Path, untrained: Path, tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "boxrefine_gui", "encode", "--images", str(folder), "--device", "cpu", "--processes", "2",
        "--encoder", str(untrained / "encoder.safetensors"), "--cache", str(tmp_path / "shared"),
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert (said["encoded"], said["processes"]) == (5, 2)
    with FeatureCache(tmp_path / "shared") as cache:
        assert len(cache.entries()) == 5


@pytest.mark.long
@pytest.mark.slow
def test_the_benchmark_stands_beside_sam_predictor(verb: Verb) -> None:
    said = verb("benchmark", "encode", "--count", 3, "--sam-count", 1, "--device", "cpu", "--encoders", "light")
    assert said.code == 0, said.sentences
    (row,) = said.summary["rows"]
    assert row["gflop"] == pytest.approx(6.4, abs=2)
    assert min(row["ms_alone"], row["per_s"], row["busy"], row["ms_back"], row["sam_per_s"]) > 0
    assert "| SamPredictor images/s" in said.out
