"""The learning curve: the gain in IoU on a set after N of its corrections, and the change on other sets."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.box_noise import coarsen
from core.errors import BadInputError
from core.features.encoding.encode_missing import encode_missing
from core.features.feature_source import FeatureSource
from core.progress import Job, Progress
from core.refiner.checkpoint import load_refiner
from core.refiner.protocol import Refiner
from core.refiner.taught_refiner import TaughtRefiner
from core.training.gate import Held, bootstrap, measure
from core.training.lessons import Lesson, Lessons, from_coco, in_hash_order, require_enough
from core.training.teach import Task, Taught, as_refiner, load_start, teach
from core.training.teach_config import TeachConfig

CONFIDENCE = 0.9
"""Confidence of each bound of a change. Bounds matter since a small set has a dozen boxes, whose mean is noisy."""


@dataclass(frozen=True)
class Change:
    """The change of the mean IoU over the `boxes` boxes of another set, with its one-sided confidence bounds."""

    mean: float
    low: float
    high: float
    boxes: int


@dataclass(frozen=True)
class LearningRow:
    """One set after fine-tuning on `corrections` of its boxes: mean IoUs of the `rest` boxes on its other pictures.

    others: the change on the other set that loses most, if the refiner is used as in a project: boxes of categories
        that were not taught go to the refiner that training started from
    weights: the same if all boxes go to the fine-tuned weights; by_set: these changes by set
    blend: the share of the learned change of the weights that is kept, 0 to 1
    seconds: of margins, training and gate, with all features cached; training: of the training loop alone
    """

    set: str
    corrections: int
    rest: int
    drawn: float
    before: float
    after: float
    promoted: bool
    others: float
    weights: float
    by_set: Mapping[str, Change]
    blend: float
    seconds: float
    training: float

    @property
    def gain(self) -> float:
        return self.after - self.before


@dataclass(frozen=True)
class DrawnSet:
    """A labelled set with simulated drawn boxes, whose pictures are in the order in which they are corrected."""

    name: str
    lessons: tuple[Lesson, ...]

    def first(self, corrections: int) -> tuple[Lessons, tuple[Lesson, ...]]:
        """Split off the first pictures, which have `corrections` boxes in all; return them and the remaining ones."""
        taken: list[Lesson] = []
        for at, lesson in enumerate(self.lessons):
            missing = corrections - sum(map(len, taken))
            if missing <= 0:
                return Lessons(tuple(taken)), self.lessons[at:]
            taken.append(lesson.rows(slice(0, missing)))
        return Lessons(tuple(taken)), ()


def read_drawn_set(
    folder: Path, source: FeatureSource, *, noise: str, seed: int, limit: int | None = None
) -> Job[DrawnSet]:
    """Read a set of images/ and annotations.json, encode its pictures, simulate drawn boxes; at most `limit` pictures.

    Raises BadFileError.
    """
    found = from_coco(folder / "images", folder / "annotations.json", None)
    # The order must differ from that of `split`, which would hold out exactly the first pictures.
    chosen = in_hash_order(found.lessons, salt=" corrected")[:limit]
    yield from encode_missing([lesson.path for lesson in chosen], source, batch=8)
    random = np.random.default_rng(seed)
    drawn = []
    for lesson in chosen:
        frame = source.of_path(lesson.path).frame
        boxes = coarsen(lesson.accepted, noise, random, width=frame.image_width, height=frame.image_height)
        drawn.append(replace(lesson, drawn=boxes))
    return DrawnSet(folder.name, tuple(drawn))


def learning_curve(
    sets: Sequence[DrawnSet],
    chosen: Sequence[str],
    sizes: Sequence[int],
    config: TeachConfig,
    *,
    source: FeatureSource,
    old: Sequence[Lesson],
    other_pictures: int,
) -> Job[list[LearningRow]]:
    """Fine-tune the shipped refiner on the first N corrections of each chosen set, for each N of `sizes`.

    A size that leaves fewer than five boxes to measure on is skipped; 0 measures the shipped refiner. Raises
    BadInputError if no set has enough boxes.
    """
    # Encode before timing starts, so that every set is timed with all features cached.
    yield from encode_missing([lesson.path for lesson in old], source, batch=config.encode_batch)
    start = load_start(None, source.encoder, config)
    shipped: Refiner = as_refiner(start.network, start.card.calibration, source.encoder)
    others = {entry.name: entry.lessons[-other_pictures:] for entry in sets}
    before = {name: _measure(shipped, lessons, source) for name, lessons in others.items()}
    rows: list[LearningRow] = []
    for entry in sets:
        for size in sizes if entry.name in chosen else ():
            lessons, rest = entry.first(size)
            if len(lessons) < size or sum(map(len, rest)) < 5:
                continue
            yield Progress(len(rows), len(chosen) * len(sizes), f"{entry.name}, {size} corrections")
            begun = time.perf_counter()
            taught, refiner = None, shipped
            if size > 0:
                require_enough(lessons, Path(entry.name))
                with tempfile.TemporaryDirectory() as folder:
                    task = Task(source, start, shipped, old, Path(folder))
                    taught = yield from teach(lessons, config, task)
                    refiner = load_refiner(Path(folder), source.encoder)
            seconds = time.perf_counter() - begun
            mine = {name: part for name, part in others.items() if name != entry.name}
            changes = [_changes(refiner, mine, before, source, by_category=flag) for flag in (True, False)]
            rows.append(_row(entry.name, size, rest, shipped, refiner, taught, changes, seconds, source))
            # A run takes long. The note keeps this result if the user stops the run.
            yield Progress(len(rows), len(chosen) * len(sizes), entry.name, note=_summary(rows[-1]))
    if not rows:
        raise BadInputError(f"No set has enough boxes to learn {min(sizes)} corrections from and measure the rest.")
    return rows


def _summary(row: LearningRow) -> str:
    return (
        f"{row.set}, {row.corrections} corrections, {row.rest} boxes: {row.before:.3f} -> {row.after:.3f} "
        f"({row.gain:+.3f}), others {row.others:+.3f}, by weights {row.weights:+.3f}, blend {row.blend:.2f}, "
        f"{row.seconds:.0f} s."
    )


def _row(
    name: str,
    size: int,
    rest: Sequence[Lesson],
    shipped: Refiner,
    refiner: Refiner,
    taught: Taught | None,
    changes: Sequence[Mapping[str, Change]],
    seconds: float,
    source: FeatureSource,
) -> LearningRow:
    in_project, by_weights = changes
    drawn = np.concatenate([lesson.ious for lesson in rest])
    return LearningRow(
        name,
        size,
        len(drawn),
        drawn=float(drawn.mean()),
        before=_measure(shipped, rest, source).mean,
        after=_measure(refiner, rest, source).mean,
        promoted=taught is not None and taught.verdict.promoted,
        others=min((change.mean for change in in_project.values()), default=0.0),
        weights=min((change.mean for change in by_weights.values()), default=0.0),
        by_set=by_weights,
        blend=taught.figures["blend"] if taught else 0.0,
        seconds=seconds if taught else 0.0,
        training=taught.figures["seconds"] if taught else 0.0,
    )


def _changes(
    refiner: Refiner,
    others: Mapping[str, Sequence[Lesson]],
    before: Mapping[str, Held],
    source: FeatureSource,
    *,
    by_category: bool,
) -> dict[str, Change]:
    """The change of each other set; without `by_category` all boxes go to the fine-tuned weights, without margins."""
    used = refiner.bare if isinstance(refiner, TaughtRefiner) and not by_category else refiner
    return {name: _change(before[name], _measure(used, part, source)) for name, part in others.items() if part}


def _change(before: Held, after: Held) -> Change:
    low, high = bootstrap(after.ious - before.ious, before.picture, confidence=CONFIDENCE, seed=0)
    return Change(after.mean - before.mean, low, high, len(before.ious))


def _measure(refiner: Refiner, lessons: Sequence[Lesson], source: FeatureSource) -> Held:
    return measure(refiner, lessons, source, draws=0, seed=0, by_category=True)
