"""The learning curve of margins alone: how much better boxes of a set become after N accepted ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import BadInputError
from core.evaluation.learning_curve import DrawnSet
from core.features.feature_source import FeatureSource
from core.geometry import Box
from core.progress import Job, Progress
from core.records import AcceptedAnswer
from core.refiner.learned_margins import MOST_BOXES, LearnedMargins, learn_margin
from core.refiner.margins import Margin
from core.refiner.protocol import Refiner
from core.refiner.taught_refiner import for_category
from core.training.gate import Held, measure
from core.training.lessons import Lesson, fit_to

LEAST_MEASURED = 5
"""A size that leaves fewer boxes to measure on is left out."""


@dataclass(frozen=True)
class MarginRow:
    """One set after `corrections` of its boxes; mean IoUs of the `rest` boxes on its other pictures.

    before: of the refiner; after: with the margins; worst: the least gain of a category with ten boxes or more
    margins: how many of the set's `categories` got one
    """

    set: str
    noise: str
    corrections: int
    rest: int
    drawn: float
    before: float
    after: float
    worst: float
    margins: int
    categories: int

    @property
    def gain(self) -> float:
        return self.after - self.before


def margin_curve(
    sets: Sequence[DrawnSet], sizes: Sequence[int], *, noise: str, refiner: Refiner, source: FeatureSource
) -> Job[list[MarginRow]]:
    """Accept the first N true boxes of each set in place of the refiner's answers, and measure the rest of the set.

    As in the window, each picture is refined with the margins that the pictures before it have taught. `noise` is how
    the sets were drawn. Sizes that leave fewer than LEAST_MEASURED boxes are left out. Raises BadInputError if all are.
    """
    rows: list[MarginRow] = []
    for number, entry in enumerate(sets):
        yield Progress(number, len(sets), f"{entry.name}, margins, {noise}")
        parts = {size: entry.first(size) for size in sizes}
        learned = {
            size: accept_in_order(corrected.lessons, refiner, source)
            for size, (corrected, rest) in parts.items()
            if len(corrected) == size and sum(map(len, rest)) >= LEAST_MEASURED
        }
        before, after = _measure_all(entry.lessons, refiner, learned, source)
        for size, margins in learned.items():
            rest = parts[size][1]
            old, new = ([found[lesson.key] for lesson in rest] for found in (before, after[size]))
            rows.append(_row(entry.name, noise, size, rest, old, new, margins))
    if not rows:
        raise BadInputError(f"No set has enough boxes to accept {min(sizes)} of them and measure the rest.")
    return rows


def _measure_all(
    lessons: Sequence[Lesson], refiner: Refiner, learned: Mapping[int, Mapping[str, Margin]], source: FeatureSource
) -> tuple[dict[str, Held], dict[int, dict[str, Held]]]:
    """Measure each picture, by its key: without margins, and by size with those learned; its features are read once."""
    before: dict[str, Held] = {}
    after: dict[int, dict[str, Held]] = {size: {} for size in learned}
    for lesson in lessons:
        before[lesson.key] = measure_one(refiner, lesson, source)
        for size, margins in learned.items():
            is_changed = not margins.keys().isdisjoint(lesson.categories)
            wide = LearnedMargins(refiner, margins)
            after[size][lesson.key] = measure_one(wide, lesson, source) if is_changed else before[lesson.key]
    return before, after


def measure_one(refiner: Refiner, lesson: Lesson, source: FeatureSource) -> Held:
    """Measure the boxes of one picture, each from its drawn box. Raises BadFileError if it cannot be read."""
    return measure(refiner, [lesson], source, draws=0, seed=0, by_category=True)


def accept_in_order(lessons: Sequence[Lesson], refiner: Refiner, source: FeatureSource) -> dict[str, Margin]:
    """Refine picture by picture, accept the true boxes, learn after each picture; return the margins at the end."""
    accepted: dict[str, list[AcceptedAnswer]] = {}
    margins: dict[str, Margin] = {}
    for lesson in lessons:
        for category, answer in _answers(lesson, LearnedMargins(refiner, margins), source):
            accepted.setdefault(category, []).append(answer)
        for category in dict.fromkeys(lesson.categories):
            margins[category] = learn_margin(accepted.get(category, ())[-MOST_BOXES:])
    return {name: margin for name, margin in margins.items() if any(margin.edges)}


def _answers(lesson: Lesson, refiner: Refiner, source: FeatureSource) -> Iterator[tuple[str, AcceptedAnswer]]:
    features = source.of_path(lesson.path)
    fitted = fit_to(lesson, width=features.frame.image_width, height=features.frame.image_height)
    for category, drawn, true in zip(fitted.categories, fitted.drawn, fitted.accepted, strict=True):
        (answer,) = for_category(refiner, category).refine(features, drawn[None])
        if answer.box != Box.of(drawn):  # as the project's reads leave out what the refiner kept
            yield category, AcceptedAnswer(0, 0, 0, answer.box, Box.of(true), answer.margin)


def _row(
    name: str,
    noise: str,
    size: int,
    rest: Sequence[Lesson],
    before: Sequence[Held],
    after: Sequence[Held],
    margins: dict[str, Margin],
) -> MarginRow:
    old, new = (np.concatenate([held.ious for held in found]) for found in (before, after))
    names = np.array([category for lesson in rest for category in lesson.categories], dtype=object)
    gains = [float((new - old)[names == category].mean()) for category in margins if (names == category).sum() >= 10]
    return MarginRow(
        name,
        noise,
        size,
        len(old),
        drawn=float(np.concatenate([lesson.ious for lesson in rest]).mean()),
        before=float(old.mean()),
        after=float(new.mean()),
        worst=min(gains, default=0.0),
        margins=len(margins),
        categories=len(set(names)),
    )
