"""Box metrics before and after refinement: the figures of every accuracy table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from core.geometry import as_boxes, iou

SIZES = (("small", 0.0, 32.0), ("medium", 32.0, 96.0), ("large", 96.0, np.inf))
"""Name and range of the true box's shorter side, in pixels."""


@dataclass(frozen=True)
class BoxMetrics:
    """Means and shares over all boxes; IoU and shares in [0, 1]."""

    boxes: int
    iou_before: float
    iou_after: float
    iou_after_median: float
    share_080: float
    share_090: float
    improved: float
    harmed: float
    edge_error_px_median: float
    iou_after_by_size: dict[str, float]


def compare(*, true: ArrayLike, before: ArrayLike, after: ArrayLike) -> BoxMetrics:
    """Compare boxes (N, 4), N > 0, row by row, in image pixels.

    `harmed` is the share of boxes that lost more than 0.02 IoU, `improved` of those that gained more than 0.01.
    """
    target, drawn, refined = as_boxes(true), as_boxes(before), as_boxes(after)
    was, now = iou(target, drawn), iou(target, refined)
    short = np.minimum(target[:, 2] - target[:, 0], target[:, 3] - target[:, 1])
    parts = {name: (short >= low) & (short < high) for name, low, high in SIZES}
    return BoxMetrics(
        boxes=len(target),
        iou_before=float(was.mean()),
        iou_after=float(now.mean()),
        iou_after_median=float(np.median(now)),
        share_080=float((now >= 0.8).mean()),
        share_090=float((now >= 0.9).mean()),
        improved=float((now > was + 0.01).mean()),
        harmed=float((now < was - 0.02).mean()),
        edge_error_px_median=float(np.median(np.abs(target - refined))),
        iou_after_by_size={name: float(now[part].mean()) for name, part in parts.items() if part.any()},
    )
