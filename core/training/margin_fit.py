"""Fit a margin for each category: the systematic offset of accepted boxes from the refiner's answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.geometry import as_boxes
from core.refiner.learned_margins import choose_unit
from core.refiner.margins import OUTWARD, PIXELS, Margin
from core.refiner.taught_refiner import ALL_CATEGORIES

Rows = NDArray[np.float64]


def fit_margins(
    answers: ArrayLike, accepted: ArrayLike, categories: Sequence[str], *, shrink: float
) -> dict[str, Margin]:
    """Fit margins by category, and one of all categories under ALL_CATEGORIES.

    answers, accepted: (N, 4) boxes in image pixels, N > 0; categories: N names
    shrink: a category's margin is shrunk towards the overall one, and the overall one towards zero, with the weight of
        so many boxes; negative: all margins are zero

    Margins are medians, so that a few wrong boxes change little. Their unit is the one with the smaller spread.
    """
    found, wanted = as_boxes(answers), as_boxes(accepted)
    if shrink < 0:
        return {name: Margin() for name in (ALL_CATEGORIES, *categories)}
    side = np.maximum(np.tile(found[:, 2:] - found[:, :2], 2), 1.0)
    out = (wanted - found) * OUTWARD
    unit = choose_unit(out, side)
    rows = out if unit == PIXELS else out / side
    overall = _shrink(rows, np.zeros(4), shrink)
    margins = {ALL_CATEGORIES: Margin.of(overall, unit)}
    names = np.array(categories, dtype=object)
    for name in dict.fromkeys(categories):
        margins[name] = Margin.of(_shrink(rows[names == name], overall, shrink), unit)
    return margins


def _shrink(rows: Rows, towards: Rows, shrink: float) -> Rows:
    weight = len(rows) / (len(rows) + shrink)
    shrunk: Rows = weight * np.median(rows, axis=0) + (1 - weight) * towards
    return shrunk
