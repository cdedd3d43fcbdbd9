"""Gallery: what the labelled objects of a head's categories look like, to which finds are compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from core.suggest.network import CELL, CELLS, Cells

MOST_LOOKS = 16
"""Objects of a category whose vectors are kept, of all pictures; the others add to the numbers only."""

_INSIDE = (0.25, 0.5, 0.75)
_AROUND = (-0.25, 0.5, 1.25)


@dataclass(frozen=True)
class Seen:
    """N objects of one category in one picture: looks (N, D) of length 1, and the logarithms of their sides (N, 2)."""

    looks: Tensor
    sides: Tensor


@dataclass(frozen=True)
class Shown:
    """The labelled objects of one category.

    looks: (N, D) of length 1, of at most MOST_LOOKS objects; sides: (N, 2) the logarithms of their widths and heights
    in frame pixels; boxes, pictures: how many boxes were labelled, on how many pictures
    """

    looks: Tensor
    sides: Tensor
    boxes: int
    pictures: int


@dataclass(frozen=True)
class Gallery:
    """The categories of a head, in its order.

    pictures: labelled ones, with or without an object; done: the share of them in which everything is labelled
    mistakes: pictures with wrong finds that the head learned from; rest: whether it is for the rest of its only picture
    """

    shown: tuple[Shown, ...]
    pictures: int
    done: float
    mistakes: int = 0
    rest: bool = False


def look_at(cells: Cells, boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Mean vectors (N, D) of points in boxes (N, 4), in frame pixels, of one frame, and of points around them."""
    if not len(boxes):
        nothing = torch.zeros(0, cells.vectors.shape[1])
        return nothing, nothing
    inside = [(across, down) for across in _INSIDE for down in _INSIDE]
    around = [(across, down) for across in _AROUND for down in _AROUND if (across, down) != (0.5, 0.5)]
    low, side = boxes[:, :2], boxes[:, 2:] - boxes[:, :2]
    means = []
    for points in (inside, around):
        at = low[:, None] + side[:, None] * torch.tensor(points, dtype=boxes.dtype)
        x, y = (at / CELL).long().clamp(0, CELLS - 1).unbind(dim=-1)
        means.append(cells.vectors[0][:, y, x].mean(dim=2).T)
    return means[0], means[1]


def see(cells: Cells, boxes: Tensor) -> Seen:
    """What the objects in boxes (N, 4), in frame pixels, look like."""
    return Seen(F.normalize(look_at(cells, boxes)[0], dim=1), log_sides(boxes))


def log_sides(boxes: Tensor) -> Tensor:
    """The logarithms of the widths and heights of boxes (N, 4): (N, 2)."""
    return (boxes[:, 2:] - boxes[:, :2]).clamp(min=1.0).log()


def gather(seen: Sequence[Seen], boxes: int) -> Shown:
    """Put the objects of one category together, of the pictures that show it, the first ones first."""
    most = max(1, -(-MOST_LOOKS // max(len(seen), 1)))
    looks = torch.cat([each.looks[:most] for each in seen])[:MOST_LOOKS]
    sides = torch.cat([each.sides[:most] for each in seen])[:MOST_LOOKS]
    return Shown(looks, sides, boxes, len(seen))


def gallery_numbers(gallery: Gallery) -> dict[str, Any]:
    """The numbers of a gallery, for a file; see `gallery_tensors`."""
    return {
        "objects": [len(shown.looks) for shown in gallery.shown],
        "boxes": [shown.boxes for shown in gallery.shown],
        "on": [shown.pictures for shown in gallery.shown],
        **{name: getattr(gallery, name) for name in ("pictures", "done", "mistakes", "rest")},
    }


def gallery_tensors(gallery: Gallery) -> dict[str, Tensor]:
    """The looks, as fp16, and sides of all categories of a gallery, one after the other."""
    looks = torch.cat([shown.looks for shown in gallery.shown])
    return {"looks": looks.half(), "sides": torch.cat([shown.sides for shown in gallery.shown])}


def read_gallery(numbers: Mapping[str, Any], tensors: Mapping[str, Tensor], *, width: int) -> Gallery:
    """Read a gallery; its looks have `width` numbers. Raises ValueError, KeyError or TypeError."""
    counts = [int(count) for count in numbers["objects"]]
    looks, sides = tensors["looks"].float(), tensors["sides"].float()
    is_whole = tuple(looks.shape) == (sum(counts), width) and tuple(sides.shape) == (sum(counts), 2)
    if not is_whole or min(counts, default=1) < 1 or not bool(looks.isfinite().all() and sides.isfinite().all()):
        raise ValueError("implausible looks")
    rows = zip(looks.split(counts), sides.split(counts), numbers["boxes"], numbers["on"], strict=True)
    shown = tuple(Shown(look, side, int(boxes), int(on)) for look, side, boxes, on in rows)
    return Gallery(
        shown, int(numbers["pictures"]), float(numbers["done"]), int(numbers["mistakes"]), bool(numbers["rest"])
    )
