"""The time of an epoch on cached features, in full precision and with AMP, and with encoding in every step."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from core.encoders.image_features import ImageFeatures
from core.errors import BadInputError
from core.evaluation.learning_curve import DrawnSet
from core.features.feature_source import FeatureSource
from core.geometry import Frame
from core.images import read_picture
from core.object_store.remote_file import PictureFile
from core.progress import Job
from core.refiner.network import RefinerNetwork
from core.training.fine_tune import Tuned, Tuning, fine_tune
from core.training.gate import measure
from core.training.lesson_loader import EpochBatches, LessonSet, Reader, loader_of, make_loader
from core.training.lessons import Lesson
from core.training.precision import Precision
from core.training.replay import Replay
from core.training.teach import Start, as_refiner
from core.training.teach_config import TeachConfig


@dataclass(frozen=True)
class EpochRow:
    """One way of training on the same pictures.

    seconds: mean time of an epoch, except for the first one, which warms everything up
    memory_mib: peak GPU memory (0 on a CPU); iou: mean IoU of the boxes on other pictures after training
    """

    way: str
    precision: str
    seconds: float
    images_per_second: float
    memory_mib: float
    iou: float


def epoch_speed(
    drawn: DrawnSet, start: Start, config: TeachConfig, *, source: FeatureSource, pictures: int, epochs: int
) -> Job[list[EpochRow]]:
    """Train on the first `pictures` of a set in each way, and measure on the others; `source` has cached them all.

    Raises BadInputError if no other picture is left.
    """
    learn, rest = drawn.lessons[:pictures], drawn.lessons[pictures:]
    if not rest:
        raise BadInputError(f"{drawn.name} has {len(learn)} pictures, so none is left to measure on: use fewer.")
    device = source.encoder.device
    rows = []
    for way, use_amp in (("cached", False), ("cached", True), ("encoded in every step", False)):
        if use_amp and Precision.best(device, use_amp=True).name == "float32":
            continue
        many = replace(config, use_amp=use_amp, epochs=epochs, least_steps=0, replay_weight=0.0)
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
        with tempfile.TemporaryDirectory() as folder:
            tuning = _tuning(learn, many, source, Path(folder), is_cached=way == "cached")
            tuned, seconds = yield from _fine_tune_timed(start, tuning)
        memory = torch.cuda.max_memory_allocated() / 2**20 if device.type == "cuda" else 0.0
        refiner = as_refiner(tuned.network, start.card.calibration, source.encoder)
        iou = measure(refiner, rest, source, draws=0, seed=0, by_category=False).mean
        precision = Precision.best(device, use_amp=use_amp).name
        rows.append(EpochRow(way, precision, seconds, len(learn) / seconds, memory, iou))
    return rows


def _fine_tune_timed(start: Start, tuning: Tuning) -> Job[tuple[Tuned, float]]:
    """Train, and return the mean time of an epoch after the first one, in seconds."""
    steps = len(tuning.batches)
    job, begun, first = fine_tune(start.network, tuning), time.perf_counter(), 0.0
    while True:
        try:
            progress = next(job)
        except StopIteration as end:
            tuned: Tuned = end.value
            return tuned, (time.perf_counter() - first) / max(1, tuned.epochs - 1)
        if progress.done == steps:
            first = time.perf_counter()
        first = first or begun
        yield progress


def _tuning(
    learn: Sequence[Lesson], config: TeachConfig, source: FeatureSource, out: Path, *, is_cached: bool
) -> Tuning:
    device = source.encoder.device
    batches = EpochBatches([len(lesson) for lesson in learn], config)
    loader = make_loader(learn, {}, batches, source=source, config=config, device=device)
    if not is_cached:
        lesson_set = LessonSet(learn, {}, _uncached_reader(source))
        loader = loader_of(lesson_set, batches, workers=0, config=config, device=device)
    replay = Replay(RefinerNetwork(), (), source.of_path, config, device)
    return Tuning(config, device, source, loader, batches, learn, replay, out)


def _uncached_reader(source: FeatureSource) -> Reader:
    """Read as the baseline does: decode and encode a picture each time a step needs it."""

    def read(path: PictureFile) -> ImageFeatures:
        picture = read_picture(path)
        return source.encoder.encode(picture, Frame.whole(width=picture.shape[1], height=picture.shape[0]))

    return read
