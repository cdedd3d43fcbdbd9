"""Cells -> boxes: the middles of objects are peaks of a category's logits, and each gives a box."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from core.geometry import Boxes, iou
from core.head_records import SAME_OBJECT
from core.suggest.network import CELL, CELLS, Cells
from core.suggest.solver import Learned, with_bias

MOST_PEAKS = 500
"""Of all categories of a picture together."""

INSIDE = 0.75
"""A box that shares more of its area with a likelier one of its category is a part of that object."""

OTHER_CATEGORY = 0.7
"""Boxes of different categories that overlap by more are one object, of the likelier category."""


@dataclass(frozen=True)
class Peaks:
    """N found objects, the likeliest first.

    boxes: (N, 4) frame pixels; logits: (N,); categories: (N,) their rows in `Learned`
    places: (N,) the cells of their middles, rows of the flat grid
    """

    boxes: Boxes
    logits: NDArray[np.float64]
    categories: NDArray[np.int64]
    places: NDArray[np.int64]

    def only(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Peaks:
        """Those at `rows`."""
        return Peaks(self.boxes[rows], self.logits[rows], self.categories[rows], self.places[rows])


def find_peaks(cells: Cells, learned: Learned, logits: Tensor, seen: Tensor, *, least: float) -> Peaks:
    """Find the objects of C categories in one frame.

    cells: of one frame; logits: (C, 128, 128); seen: (128, 128) 1.0 where the frame shows the image; least: the lowest
    logit of a peak
    """
    highest = F.max_pool2d(logits[None], 3, stride=1, padding=1)[0]
    is_peak = (logits >= highest) & (logits >= least) & (seen > 0)
    category, y, x = is_peak.nonzero(as_tuple=True)
    value = logits[category, y, x]
    order = value.argsort(descending=True)[:MOST_PEAKS]
    category, y, x, value = category[order], y[order], x[order], value[order]
    vectors = with_bias(cells.vectors[0, :, y, x].T)
    reach = cells.reaches[0, :, y, x].T + torch.einsum("nd,ncd->nc", vectors, learned.reaches[category])
    reach = reach.clamp(-3.0, 5.0).exp()
    middle = torch.stack([x, y], dim=1) + 0.5
    boxes = torch.cat([middle - reach[:, :2], middle + reach[:, 2:]], dim=1) * CELL
    boxes = boxes.clamp(0, CELLS * CELL)
    places = (y * CELLS + x).cpu().numpy()
    found = Peaks(boxes.double().cpu().numpy(), value.double().cpu().numpy(), category.cpu().numpy(), places)
    return found.only(np.array(merge_same(found), np.int64))


def merge_same(peaks: Peaks) -> list[int]:
    """Rows of the likeliest of the boxes that are one object; see SAME_OBJECT, INSIDE and OTHER_CATEGORY."""
    kept: list[int] = []
    for row in np.argsort(-peaks.logits, kind="stable"):
        if kept:
            others = peaks.boxes[kept]
            overlap = iou(np.tile(peaks.boxes[row], (len(kept), 1)), others)
            same = peaks.categories[kept] == peaks.categories[row]
            most = np.where(same, SAME_OBJECT, OTHER_CATEGORY)
            if (overlap > most).any() or (same & (_shared(peaks.boxes[row], others) > INSIDE)).any():
                continue
        kept.append(int(row))
    return kept


def _shared(box: NDArray[np.float64], others: Boxes) -> NDArray[np.float64]:
    """The intersection of a box (4,) with others (N, 4), as a share of the smaller one: (N,)."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    areas = (others[:, 2:] - others[:, :2]).prod(axis=1)
    smaller = np.minimum(areas, (box[2:] - box[:2]).prod())
    shared: NDArray[np.float64] = sides.clip(min=0).prod(axis=1) / np.maximum(smaller, 1e-9)
    return shared
