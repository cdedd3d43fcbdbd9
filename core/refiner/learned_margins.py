"""Margins in closed form: a category's systematic offset of accepted boxes from the refiner's answers, at once.

No network is trained. The margin is a median, so that a few wrong boxes change little, and shrunk to zero while chance
may explain it. An offset counts from the answer without the margin that it was widened by, so that accepting widened
answers confirms the margin and does not add to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.encoders.image_features import ImageFeatures
from core.geometry import as_boxes
from core.records import AcceptedAnswer, Drawing, Refinement
from core.refiner.by_drawing import for_drawing
from core.refiner.margins import OUTWARD, PIXELS, SIDE, Margin
from core.refiner.protocol import Refiner
from core.refiner.taught_refiner import for_category
from core.refiner.together import Drawn, refine_together
from core.refiner.widening import widened

MOST_BOXES = 300
"""A category's margin is learned from so many of its last boxes."""

LEAST_BOXES = 2
"""From fewer boxes nothing is learned: one box does not show how boxes spread."""

SHRINK = 8.0
"""The margin is shrunk towards zero with the weight of so many boxes; fewer as the boxes near MOST_BOXES."""

COMMON_CHANCE, EDGE_CHANCE = 0.7, 2.0
"""So many standard errors count as chance: of the mean of all four edges, and of an edge's difference from it.

Labellers often leave the same room on all sides, so what the edges have in common is believed first. The constants were
chosen on 40 pictures of each of six labelled sets, drawn with hq0.4 and drag: without the common part, and with an
estimate for each edge, gains were smaller and losses larger.
"""

Rows = NDArray[np.float64]


class LearnedMargins:
    """Wraps a refiner; boxes of a category that has a margin are widened by it."""

    def __init__(self, refiner: Refiner, margins: Mapping[str, Margin]) -> None:
        self._refiner = refiner
        self._margins = margins
        self.name = refiner.name
        self.identity = refiner.identity
        self.refines_by_masks: bool = getattr(refiner, "refines_by_masks", False)

    def refine(self, features: ImageFeatures, drawn: ArrayLike) -> list[Refinement]:
        """See `Refiner.refine`; for boxes of unknown category, which get no margin."""
        return self._refiner.refine(features, drawn)

    def refine_together(self, asked: Sequence[Drawn]) -> list[list[Refinement]]:
        """See `RefinesTogether`."""
        return refine_together(self._refiner, asked)

    def of_drawing(self, drawing: Drawing) -> Refiner:
        """See `ByDrawing`."""
        return LearnedMargins(for_drawing(self._refiner, drawing), self._margins)

    def of_category(self, category: str) -> Refiner:
        """See `ByCategory`."""
        found, margin = for_category(self._refiner, category), self._margins.get(category)
        return found if margin is None else widened(found, margin)

    def margin_of(self, category: str | None) -> Margin | None:
        """Return the margin of a category, None without one."""
        return None if category is None else self._margins.get(category)


def margin_for(refiner: Refiner, category: str | None) -> Margin | None:
    """Return the margin that a refiner has learned from accepted boxes of a category (None: unknown), if any."""
    return refiner.margin_of(category) if isinstance(refiner, LearnedMargins) else None


def learn_margin(answers: Sequence[AcceptedAnswer]) -> Margin:
    """Learn the margin of one category from the answers of one refiner to its accepted boxes, at most MOST_BOXES.

    An answer that was accepted unchanged is evidence for the margin that it has, which is zero for most.
    """
    if len(answers) < LEAST_BOXES:
        return Margin()
    refined = as_boxes([answer.refined for answer in answers])
    accepted = as_boxes([answer.accepted for answer in answers])
    added = np.array([answer.margin or (0.0, 0.0, 0.0, 0.0) for answer in answers], np.float64)
    out = added + (accepted - refined) * OUTWARD
    bare = refined - added * OUTWARD
    side = np.maximum(np.tile(bare[:, 2:] - bare[:, :2], 2), 1.0)
    unit = choose_unit(out, side)
    return Margin.of(_shrunk_median(out if unit == PIXELS else out / side), unit)


def choose_unit(out: Rows, side: Rows) -> str:
    """PIXELS if the edges' offsets (N, 4) spread less in pixels than as shares of the sides, else SIDE.

    `out` are offsets outwards, `side` the lengths of the sides that they are shares of, both in pixels.
    """
    apart_pixels = np.abs(out - np.median(out, axis=0)).mean()
    apart_share = np.abs(out - np.median(out / side, axis=0) * side).mean()
    return PIXELS if apart_pixels < apart_share else SIDE


def _shrunk_median(rows: Rows) -> Rows:
    """The medians (4,) of offsets (N, 4), shrunk towards what all edges have in common, and that towards zero."""
    count = len(rows)
    median = np.median(rows, axis=0)
    spread = 1.4826 * np.median(np.abs(rows - median))
    error = 1.2533 * spread / np.sqrt(count - 1)
    common = _beyond_chance(median.mean(), COMMON_CHANCE * error / 2)  # a mean of four edges
    edges = common + _beyond_chance(median - median.mean(), EDGE_CHANCE * error)
    # Vanishes with the last box: otherwise margins that the user accepts unchanged would fade away.
    doubt = SHRINK * max(0.0, 1.0 - count / MOST_BOXES)
    shrunk: Rows = edges * count / (count + doubt)
    return shrunk


def _beyond_chance(values: ArrayLike, chance: float) -> Rows:
    """Shrink values by the positive-part James-Stein estimator: zero within `chance`, and no jump beyond it."""
    found = np.asarray(values, np.float64)
    beyond: Rows = found * np.maximum(0.0, 1.0 - (chance / np.maximum(np.abs(found), 1e-9)) ** 2)
    return beyond
