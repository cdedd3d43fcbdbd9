"""Mask logits -> the pixels of one object and its tight box with subpixel edges, in frame pixels."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.geometry import MODEL_SIZE, Box

Values = NDArray[np.float32]
_SURE = 1.0


@dataclass(frozen=True)
class MaskShape:
    """One object in a mask; boxes are in frame pixels, with edges interpolated between pixels by the logits.

    inside: (height, width) mask of the object's frame pixels, starting at `top`, `left`
    box, loose_box, strict_box: around the logits above 0, above -1 and above +1 (None if there are none)
    """

    inside: NDArray[np.bool_]
    left: int
    top: int
    box: Box
    loose_box: Box
    strict_box: Box | None


def mask_shape(logits: Values, *, drawn: Box, extent: tuple[int, int]) -> MaskShape | None:
    """Return the connected part of mask logits (256, 256) that covers most of `drawn`; None if none overlaps it.

    `drawn` is in frame pixels; `extent` is the width and height of the frame without padding, in frame pixels.
    """
    left, top, values = _magnify(logits, extent)
    if not values.size:
        return None
    inside = _part_covering(values > 0, drawn, left=left, top=top)
    if inside is None:
        return None
    loose = _part_holding(values > -_SURE, inside)
    strict = inside & (values > _SURE)
    return MaskShape(
        inside=inside,
        left=left,
        top=top,
        box=_tight_box(values, inside, 0.0, left=left, top=top),
        loose_box=_tight_box(values, loose, -_SURE, left=left, top=top),
        strict_box=_tight_box(values, strict, _SURE, left=left, top=top) if strict.any() else None,
    )


def sample(values: Values, *, rows: NDArray[np.float64], columns: NDArray[np.float64]) -> Values:
    """Interpolate values bilinearly at fractional cell indices, rows (H,) and columns (W,): (H, W).

    Outside the array, the border's value applies.
    """
    return _interpolate(_interpolate(values, rows).T, columns).T


def _interpolate(values: Values, at: NDArray[np.float64]) -> Values:
    places = np.clip(at, 0, len(values) - 1)
    low = places.astype(np.int64)
    high = np.minimum(low + 1, len(values) - 1)
    share = (places - low).astype(np.float32)[:, None]
    blended: Values = values[low] * (1 - share) + values[high] * share
    return blended


def _magnify(logits: Values, extent: tuple[int, int]) -> tuple[int, int, Values]:
    """Return left, top and the logits at frame pixels of the part that may be object; only this part, for speed."""
    cells = MODEL_SIZE // logits.shape[0]
    rows, columns = (np.flatnonzero((logits > -_SURE).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return 0, 0, np.zeros((0, 0), np.float32)
    top, left = max(int(rows[0]) - 1, 0), max(int(columns[0]) - 1, 0)
    part = np.ascontiguousarray(logits[top : rows[-1] + 2, left : columns[-1] + 2])
    large = cv2.resize(part, None, fx=cells, fy=cells, interpolation=cv2.INTER_LINEAR).astype(np.float32, copy=False)
    left, top = left * cells, top * cells
    return left, top, large[: max(extent[1] - top, 0), : max(extent[0] - left, 0)]


def _part_covering(mask: NDArray[np.bool_], drawn: Box, *, left: int, top: int) -> NDArray[np.bool_] | None:
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    x1, y1 = max(int(np.floor(drawn.x1)) - left, 0), max(int(np.floor(drawn.y1)) - top, 0)
    x2, y2 = max(int(np.ceil(drawn.x2)) - left, 0), max(int(np.ceil(drawn.y2)) - top, 0)
    covered = np.bincount(labels[y1:y2, x1:x2].ravel(), minlength=count)[1:]
    if not covered.any():
        return None
    chosen: NDArray[np.bool_] = labels == int(covered.argmax()) + 1
    return chosen


def _part_holding(mask: NDArray[np.bool_], inner: NDArray[np.bool_]) -> NDArray[np.bool_]:
    _, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    holding: NDArray[np.bool_] = labels == labels.flat[int(inner.argmax())]
    return holding


def _tight_box(values: Values, inside: NDArray[np.bool_], level: float, *, left: int, top: int) -> Box:
    """Return the box around `inside` in frame pixels; the array starts at `left`, `top`."""
    rows, columns = inside.shape
    x1 = _first_edge(values, inside, level)
    y1 = _first_edge(values.T, inside.T, level)
    x2 = columns - _first_edge(values[:, ::-1], inside[:, ::-1], level)
    y2 = rows - _first_edge(values.T[:, ::-1], inside.T[:, ::-1], level)
    return Box(left + x1, top + y1, left + x2, top + y2)


def _first_edge(values: Values, inside: NDArray[np.bool_], level: float) -> float:
    """Return the left edge of `inside` in columns: where the logits cross `level` before its first column.

    If `inside` starts in the first column, which then is the frame's border, the edge is 0.
    """
    column = int(inside.any(axis=0).argmax())
    if column == 0:
        return 0.0
    rows = inside[:, column]
    within, before = values[rows, column].astype(np.float64), values[rows, column - 1].astype(np.float64)
    crossing = (level - before) / np.maximum(within - before, 1e-9)
    return column - 0.5 + float(np.clip(crossing, 0, 1).min())
