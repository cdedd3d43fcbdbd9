"""Boxes as targets on the grid of cells: where objects are, and how far their edges."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.suggest.network import CELL, CELLS

SPREAD = 0.14
"""Of the target around the middle of an object, as a share of its side."""

_LEAST_SPREAD = 0.5
_LEAST_REACH = 0.1


@dataclass(frozen=True)
class Painted:
    """The boxes of B frames on the grid.

    target: (B, 128, 128) in [0, 1]: 1 at the middle of an object, falling off to its border, 0 outside
    inside: (B, 128, 128) bool: whether a cell's center is in a box
    reaches: (B, 4, 128, 128) as those of `Cells`, of the box that the target belongs to
    share: (B, 128, 128) the target divided by its sum over the object, so that objects of all sizes count the same
    """

    target: Tensor
    inside: Tensor
    reaches: Tensor
    share: Tensor


def paint(boxes: Tensor, there: Tensor) -> Painted:
    """Paint boxes (B, K, 4), frame pixels, of which those count that are `there` (B, K), a bool."""
    line = torch.arange(CELLS, device=boxes.device, dtype=torch.float32) + 0.5
    edges = boxes.float() / CELL
    middle, side = (edges[..., :2] + edges[..., 2:]) / 2, edges[..., 2:] - edges[..., :2]
    spread = (side * SPREAD).clamp(min=_LEAST_SPREAD)
    # The cell of the middle is always exactly in the middle, so that no object is between the cells.
    middle = middle.clamp(0, CELLS - 1e-3).floor() + 0.5
    away = [((line - middle[..., at, None]) / spread[..., at, None]) ** 2 for at in (0, 1)]
    target = torch.exp(-0.5 * (away[0][:, :, None, :] + away[1][:, :, :, None]))
    within = [(line >= edges[..., at, None]) & (line < edges[..., at + 2, None]) for at in (0, 1)]
    inside = within[0][:, :, None, :] & within[1][:, :, :, None]
    own = target >= 1 - 1e-6
    target = target * (inside | own) * there[..., None, None]
    inside = inside & there[..., None, None]
    best, owner = target.max(dim=1)
    share = best / target.sum(dim=(2, 3)).clamp(min=1e-6).gather(1, owner.flatten(1)).view_as(best)
    boxes_of = edges.gather(1, owner.flatten(1)[..., None].expand(-1, -1, 4)).view(*best.shape, 4)
    x, y = line[None, None, :], line[None, :, None]
    distances = [x - boxes_of[..., 0], y - boxes_of[..., 1], boxes_of[..., 2] - x, boxes_of[..., 3] - y]
    reaches = torch.stack(distances, dim=1).clamp(min=_LEAST_REACH).log()
    return Painted(best, inside.any(dim=1), reaches, share)
