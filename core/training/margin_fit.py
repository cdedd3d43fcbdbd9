"""Fitting each category's margin: what accepted boxes have in common that the refiner's answers have not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.geometry import as_boxes
from core.refiner.margins import OUTWARD, PIXELS, SIDE, Margin
from core.refiner.taught_refiner import ALL_CATEGORIES

Rows = NDArray[np.float64]


def fit_margins(
    answers: ArrayLike, accepted: ArrayLike, categories: Sequence[str], *, shrink: float
) -> dict[str, Margin]:
    """Margins by category, and of all together under ALL_CATEGORIES, from N > 0 answers (N, 4) and accepted boxes.

    Medians, so that a few wrong boxes change nothing; drawn towards that of all categories, and that one towards
    none, as if `shrink` boxes had said so. The unit is the one in which the boxes agree better.
    """
    found, wanted = as_boxes(answers), as_boxes(accepted)
    if shrink < 0:
        return {name: Margin() for name in (ALL_CATEGORIES, *categories)}
    side = np.maximum(np.tile(found[:, 2:] - found[:, :2], 2), 1.0)
    out = (wanted - found) * OUTWARD
    unit = _steadier(out, side)
    rows = out if unit == PIXELS else out / side
    overall = _shrunk(rows, np.zeros(4), shrink)
    margins = {ALL_CATEGORIES: Margin.of(overall, unit)}
    names = np.array(categories, dtype=object)
    for name in dict.fromkeys(categories):
        margins[name] = Margin.of(_shrunk(rows[names == name], overall, shrink), unit)
    return margins


def _shrunk(rows: Rows, towards: Rows, shrink: float) -> Rows:
    weight = len(rows) / (len(rows) + shrink)
    shrunk: Rows = weight * np.median(rows, axis=0) + (1 - weight) * towards
    return shrunk


def _steadier(out: Rows, side: Rows) -> str:
    """Pixels where the boxes' edges agree better in pixels than in shares of their sides; both measured in pixels."""
    apart_pixels = np.abs(out - np.median(out, axis=0)).mean()
    apart_share = np.abs(out - np.median(out / side, axis=0) * side).mean()
    return PIXELS if apart_pixels < apart_share else SIDE
