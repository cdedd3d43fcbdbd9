"""Converts a mask to polygons in image pixels, few enough points to store, export and paint."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from core.records import Outline

_FINEST_SIDE = 256
_TOLERANCE_PX = 0.5
_LEAST_POINTS = 3


def outline_of(mask: NDArray[np.bool_], *, left: int, top: int) -> Outline:
    """Return the outer borders of a mask's parts, the largest first, each x1, y1, x2, y2, ... in image pixels.

    `mask` (height, width) starts at the image pixel `left`, `top`. Holes are ignored. Borders are simplified by about
    half a pixel.
    """
    if not mask.any():
        return ()
    # OpenCV traces the centers of the border's pixels; with finer pixels a small object loses less of its area.
    finer = max(1, min(8, round(_FINEST_SIDE / max(mask.shape))))
    pixels = np.repeat(np.repeat(mask.astype(np.uint8), finer, axis=0), finer, axis=1)
    contours, _ = cv2.findContours(pixels, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    polygons = []
    for contour in sorted(contours, key=cv2.contourArea, reverse=True):
        points = cv2.approxPolyDP(contour, _TOLERANCE_PX * finer, closed=True).reshape(-1, 2)
        if len(points) >= _LEAST_POINTS:
            placed = (points + 0.5) / finer + (left, top)
            polygons.append(tuple(round(float(value), 2) for value in placed.ravel()))
    return tuple(polygons)
