"""Boxes, clipping, IoU, and conversion between image pixels and the model frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Boxes = NDArray[np.float64]
"""(N, 4) boxes as x1, y1, x2, y2 in pixels of the upright full-size image, x2 and y2 exclusive."""

MODEL_SIZE = 1024
"""Side of the square model frame that every encoder's features describe, in frame pixels."""


class Box(NamedTuple):
    """One box in pixels of the upright full-size image; `x2` and `y2` are exclusive."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def width(self) -> float:
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        return self.y2 - self.y1

    @classmethod
    def of(cls, row: ArrayLike) -> Box:
        """Make a box from four numbers x1, y1, x2, y2."""
        x1, y1, x2, y2 = (float(value) for value in np.asarray(row, np.float64).reshape(4))
        return cls(x1, y1, x2, y2)

    def ordered(self) -> Box:
        """The box with its corners sorted, so that x1 <= x2 and y1 <= y2."""
        return Box(min(self.x1, self.x2), min(self.y1, self.y2), max(self.x1, self.x2), max(self.y1, self.y2))


def as_boxes(rows: ArrayLike) -> Boxes:
    """Convert boxes to an array (N, 4) of float64; no rows give (0, 4). Raises ValueError for other shapes."""
    return np.asarray(rows, np.float64).reshape(-1, 4)


def clip(boxes: ArrayLike, *, width: float, height: float, least: float = 1.0) -> Boxes:
    """Clip boxes (N, 4) to an image, keeping each side at least `least` pixels long.

    A box wholly outside becomes a box of that size at the nearest border.
    """
    rows = as_boxes(boxes)
    size = np.array([width, height], np.float64)
    least_side = np.minimum(least, size)
    low = np.clip(np.minimum(rows[:, :2], rows[:, 2:]), 0, size - least_side)
    high = np.clip(np.maximum(rows[:, :2], rows[:, 2:]), low + least_side, size)
    return np.concatenate([low, high], axis=1)


def iou(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Row-wise IoU of two arrays (N, 4) of boxes: (N,) in [0, 1]; an empty box gives 0."""
    a, b = as_boxes(first), as_boxes(second)
    sides = np.clip(np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]), 0, None)
    overlap: NDArray[np.float64] = sides.prod(axis=1)
    union = area(a) + area(b) - overlap
    return overlap / np.maximum(union, 1e-9)


def area(boxes: ArrayLike) -> NDArray[np.float64]:
    """Areas (N,) of boxes (N, 4) in square pixels; a box with x2 < x1 or y2 < y1 has area 0."""
    rows = as_boxes(boxes)
    areas: NDArray[np.float64] = np.clip(rows[:, 2:] - rows[:, :2], 0, None).prod(axis=1)
    return areas


@dataclass(frozen=True)
class Frame:
    """The part of an image that is the encoder's input: `left, top, width, height` in image pixels.

    It is scaled so that its long side fills the model frame (1024 frame pixels); the rest, below or to the right, is
    padding.
    """

    left: int
    top: int
    width: int
    height: int
    image_width: int
    image_height: int

    @classmethod
    def whole(cls, *, width: int, height: int) -> Frame:
        """The frame of a whole image."""
        return cls(0, 0, width, height, width, height)

    @property
    def is_whole(self) -> bool:
        return (self.left, self.top, self.width, self.height) == (0, 0, self.image_width, self.image_height)

    @property
    def scale(self) -> float:
        """Frame pixels per image pixel."""
        return MODEL_SIZE / max(self.width, self.height)

    def to_frame(self, boxes: ArrayLike) -> Boxes:
        """Convert boxes (N, 4) from image pixels to frame pixels."""
        offset = np.array([self.left, self.top, self.left, self.top], np.float64)
        return (as_boxes(boxes) - offset) * self.scale

    def to_image(self, boxes: ArrayLike) -> Boxes:
        """Convert boxes (N, 4) from frame pixels to image pixels."""
        offset = np.array([self.left, self.top, self.left, self.top], np.float64)
        return as_boxes(boxes) / self.scale + offset
