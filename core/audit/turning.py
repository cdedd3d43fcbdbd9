"""Boxes of the stored pixels of a picture, as boxes of the picture that EXIF turns upright."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from core.geometry import Box, Boxes

_Map = Callable[[float, float, int, int], tuple[float, float]]

_MAPS: Mapping[int, _Map] = {
    2: lambda x, y, w, h: (w - x, y),
    3: lambda x, y, w, h: (w - x, h - y),
    4: lambda x, y, w, h: (x, h - y),
    5: lambda x, y, w, h: (y, x),
    6: lambda x, y, w, h: (w - y, x),
    7: lambda x, y, w, h: (w - y, h - x),
    8: lambda x, y, w, h: (y, h - x),
}
"""Orientation -> a point of the stored pixels as one of the upright picture, whose width and height follow."""


def turned(box: Box, orientation: int, *, width: int, height: int) -> Box:
    """A box of the stored pixels on the upright picture of `width` and `height` pixels."""
    if orientation not in _MAPS:
        return box
    to = _MAPS[orientation]
    return Box(*to(box.x1, box.y1, width, height), *to(box.x2, box.y2, width, height)).ordered()


def within(boxes: Boxes, *, width: int, height: int, slack: float = 2.0) -> bool:
    """Whether all boxes (N, 4) are on a picture of this size, but for `slack` pixels."""
    limits = np.array([width, height, width, height], np.float64)
    return bool((boxes >= -slack).all() and (boxes <= limits + slack).all())
