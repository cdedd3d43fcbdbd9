"""Margin: the distance of a category's boxes from the visible edges, learned from accepted boxes."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from core.geometry import Boxes, as_boxes

SIDE, PIXELS = "side", "pixels"
OUTWARD = (-1.0, -1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Margin:
    """Distance of each edge outwards (negative: inwards), as a fraction of the box's side or in image pixels."""

    left: float = 0.0
    top: float = 0.0
    right: float = 0.0
    bottom: float = 0.0
    unit: str = SIDE

    @classmethod
    def of(cls, edges: ArrayLike, unit: str) -> Margin:
        """Return the margin of four numbers: left, top, right, bottom."""
        left, top, right, bottom = (float(value) for value in np.asarray(edges, np.float64).reshape(4))
        return cls(left, top, right, bottom, unit)

    @property
    def edges(self) -> tuple[float, float, float, float]:
        return self.left, self.top, self.right, self.bottom

    @property
    def figures(self) -> dict[str, float | str]:
        """The margin as it is stored in a refiner's card."""
        return asdict(self)

    def scaled(self, ratio: ArrayLike) -> Margin:
        """Convert the margin to a picture of another resolution: `ratio` (4,) is for left, top, right, bottom."""
        return self if self.unit == SIDE else Margin.of(np.array(self.edges) * np.asarray(ratio, np.float64), self.unit)

    def widen(self, boxes: Tensor, *, pixel: float | Tensor) -> Tensor:
        """Add the margin to boxes (..., 4); `pixel` is the size of an image pixel in their units."""
        out = boxes.new_tensor(self.edges) * boxes.new_tensor(OUTWARD)
        if self.unit == PIXELS:
            moved = boxes + out * pixel
        else:
            side = boxes[..., 2:] - boxes[..., :2]
            moved = boxes + out * torch.cat([side, side], dim=-1)
        low, high = moved[..., :2], moved[..., 2:]
        return torch.cat([torch.minimum(low, high), torch.maximum(low, high)], dim=-1)

    def outwards(self, boxes: ArrayLike) -> NDArray[np.float64]:
        """Distances (N, 4) in image pixels by which the margin moves each edge of boxes (N, 4) outwards."""
        rows = as_boxes(boxes)
        unit = np.tile(rows[:, 2:] - rows[:, :2], 2) if self.unit == SIDE else np.ones_like(rows)
        return np.array(self.edges) * unit

    def narrow(self, boxes: ArrayLike) -> Boxes:
        """Remove the margin from boxes (N, 4) in image pixels; no side gets shorter than a pixel."""
        rows, edges = as_boxes(boxes), np.array(self.edges)
        side = rows[:, 2:] - rows[:, :2]
        if self.unit == PIXELS:
            moved = rows - edges * OUTWARD
        else:
            tight = side / np.maximum(1 + edges[:2] + edges[2:], 0.1)
            moved = rows - edges * OUTWARD * np.tile(tight, 2)
        center = (moved[:, :2] + moved[:, 2:]) / 2
        half = np.maximum(moved[:, 2:] - moved[:, :2], np.minimum(side, 1.0)) / 2
        return np.concatenate([center - half, center + half], axis=1)
