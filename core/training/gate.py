"""The promotion test: is the taught refiner better than the one in use, by more than chance, without forgetting?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from core.box_noise import coarsen
from core.features.feature_source import FeatureSource
from core.geometry import as_boxes, iou
from core.records import VerdictKind
from core.refiner.protocol import Refiner
from core.refiner.taught_refiner import for_category
from core.training.lessons import Lesson, fit_to
from core.wording import verdict_sentence

DRAWN_ANEW = "hq0.4"
"""The noise of core.box_noise that simulates drawn boxes."""

RESAMPLED = 2000
"""How many bootstrap samples are drawn."""

LEAST_PICTURES = 8
"""With fewer images than this, boxes are resampled instead of images."""


@dataclass(frozen=True)
class Verdict:
    """The result of the test: mean IoUs on held-out boxes, before of the refiner in use, after of the taught one.

    low, high: one-sided bounds of the gain, each with the configured confidence
    old_before, old_after: mean IoUs on the sample project, of the refiner at the start and of the taught one
    """

    kind: VerdictKind
    iou_before: float
    iou_after: float
    low: float
    high: float
    old_before: float
    old_after: float
    held_boxes: int
    held_pictures: int

    @property
    def numbers(self) -> dict[str, float]:
        """All figures by name, for the project file and the summary."""
        return {name: float(value) for name, value in asdict(self).items() if name != "kind"}

    @property
    def promoted(self) -> bool:
        """Whether the taught refiner replaces the one in use."""
        return self.kind is VerdictKind.BETTER

    @property
    def sentence(self) -> str:
        """The verdict as a sentence for the user."""
        return verdict_sentence(self.kind, self.numbers)


@dataclass(frozen=True)
class Held:
    """Results on N held-out boxes: ious (N,), each a mean over its drawn boxes; picture (N,), numbers of images."""

    ious: NDArray[np.float64]
    picture: NDArray[np.int64]

    @property
    def mean(self) -> float:
        return float(self.ious.mean()) if len(self.ious) else 0.0


def measure(
    refiner: Refiner, lessons: Sequence[Lesson], source: FeatureSource, *, draws: int, seed: int, by_category: bool
) -> Held:
    """Refine each box from its drawn box (if known) and from `draws` simulated ones, and measure IoUs.

    by_category: apply the margin of each box's category. Raises BadFileError if an image cannot be read.
    """
    random = np.random.default_rng(seed)
    ious: list[float] = []
    pictures: list[int] = []
    for number, lesson in enumerate(lessons):
        features = source.of_path(lesson.path)
        width, height = features.frame.image_width, features.frame.image_height
        fitted = fit_to(lesson, width=width, height=height)
        drawn = [coarsen(fitted.accepted, DRAWN_ANEW, random, width=width, height=height) for _ in range(draws)]
        trials = np.stack([*drawn, fitted.drawn])  # (draws + 1, n, 4)
        known = np.isfinite(trials).all(axis=-1)
        found = np.zeros(known.shape)
        for category in dict.fromkeys(lesson.categories):
            rows = np.array([name == category for name in lesson.categories]) & known
            answers = for_category(refiner, category if by_category else None).refine(features, trials[rows])
            wanted = np.broadcast_to(fitted.accepted, trials.shape)[rows]
            found[rows] = iou(as_boxes([answer.box for answer in answers]), wanted)
        ious += (found.sum(axis=0) / np.maximum(known.sum(axis=0), 1)).tolist()
        pictures += [number] * len(lesson)
    return Held(np.array(ious), np.array(pictures, np.int64))


def judge(
    before: Held, after: Held, *, old_before: float, old_after: float, confidence: float, tolerance: float, seed: int
) -> Verdict:
    """Compare two refiners on the same N >= 1 held-out boxes; see TeachConfig for confidence and tolerance."""
    low, high = bootstrap(after.ious - before.ious, before.picture, confidence=confidence, seed=seed)
    if old_after < old_before - tolerance:
        kind = VerdictKind.FORGETS
    else:
        kind = VerdictKind.BETTER if low > 0 else VerdictKind.CHANCE
    return Verdict(
        kind,
        iou_before=before.mean,
        iou_after=after.mean,
        low=low,
        high=high,
        old_before=old_before,
        old_after=old_after,
        held_boxes=len(before.ious),
        held_pictures=len(np.unique(before.picture)),
    )


def bootstrap(
    gains: NDArray[np.float64], picture: NDArray[np.int64], *, confidence: float, seed: int
) -> tuple[float, float]:
    """One-sided bounds of the mean of gains (N,), by a bootstrap over images, or over boxes if there are few images."""
    random = np.random.default_rng(seed)
    groups = np.unique(picture, return_inverse=True)[1] if len(np.unique(picture)) >= LEAST_PICTURES else None
    if groups is None:
        groups = np.arange(len(gains))
    sums, counts = np.bincount(groups, gains), np.bincount(groups)
    chosen = random.integers(0, len(sums), (RESAMPLED, len(sums)))
    means = sums[chosen].sum(axis=1) / counts[chosen].sum(axis=1)
    low, high = np.quantile(means, [1 - confidence, confidence])
    return float(low), float(high)
