"""Box noise: makes coarse boxes from true ones, for training and for all accuracy figures."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import BadInputError
from core.geometry import Boxes, as_boxes
from core.translation import tr

_HQ_NAME = re.compile(r"hq(0\.\d+|1\.0)")
LEAST_SIDE = 4.0
"""Shortest side of a coarse box, in pixels."""


def coarsen(
    true: ArrayLike,
    noise: str,
    random: np.random.Generator,
    *,
    width: ArrayLike,
    height: ArrayLike,
) -> Boxes:
    """Make coarse versions (N, 4) of true boxes (N, 4), inside images of `width` and `height` pixels, (N,) or scalar.

    `noise` is `hqS`, HQ-SAM's box noise at scale S (https://arxiv.org/abs/2306.01567), `drag`, a simulated coarse
    mouse drag, or `placed`, labels of which most are right. Raises BadInputError for another name.
    """
    boxes = as_boxes(true)
    if noise == "drag":
        moved = _drag(boxes, random)
    elif noise == "placed":
        moved = _placed(boxes, random)
    elif _HQ_NAME.fullmatch(noise):
        moved = _hq(boxes, float(noise[2:]), random)
    else:
        raise BadInputError(tr("There is no box noise called {name}: use hq0.1 to hq0.6, drag or placed.", name=noise))
    return _inside(moved, width=np.broadcast_to(width, len(boxes)), height=np.broadcast_to(height, len(boxes)))


def _hq(boxes: Boxes, scale: float, random: np.random.Generator) -> Boxes:
    """Move the center by up to `scale` / 2 times the side, and change the side by up to `scale` times itself."""
    center, side = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    center = center + random.uniform(-1, 1, center.shape) * scale * side / 2
    side = side * (1 + random.uniform(-1, 1, side.shape) * scale)
    return np.concatenate([center - side / 2, center + side / 2], axis=1)


def _drag(boxes: Boxes, random: np.random.Generator) -> Boxes:
    """Move each edge by a normal error, larger for a quarter of the boxes; half of the boxes move only outwards."""
    side = boxes[:, 2:] - boxes[:, :2]
    sloppy = random.random(len(boxes)) < 0.25
    sigma = np.where(sloppy[:, None], 0.15 * side + 4, 0.05 * side + 2)
    move = random.normal(size=boxes.shape) * np.concatenate([sigma, sigma], axis=1)
    outward = (random.random(len(boxes)) < 0.5)[:, None]
    moved: Boxes = boxes + np.where(outward, np.abs(move) * np.array([-1, -1, 1, 1]), move)
    return moved


def _placed(boxes: Boxes, random: np.random.Generator) -> Boxes:
    """Leave 40 of 100 boxes, move the edges of 40 by a normal error of 1.5 %, of 10 by up to 30 %; 10 as by `_hq`."""
    kind = random.random((len(boxes), 1))
    side = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    near = boxes + random.normal(size=boxes.shape) * 0.015 * side
    apart = boxes + random.uniform(-1, 1, boxes.shape) * random.uniform(0, 0.3, (len(boxes), 1)) * side
    coarse = _hq(boxes, 0.4, random)
    moved: Boxes = np.select([kind < 0.4, kind < 0.8, kind < 0.9], [boxes, near, apart], coarse)
    return moved


def _inside(boxes: Boxes, *, width: NDArray[np.generic], height: NDArray[np.generic]) -> Boxes:
    """Clip to the image, enforce the shortest side, and sort swapped corners."""
    size = np.stack([width, height], axis=1).astype(np.float64)
    low = np.clip(np.minimum(boxes[:, :2], boxes[:, 2:]), 0, size - LEAST_SIDE)
    high = np.clip(np.maximum(boxes[:, :2], boxes[:, 2:]), low + LEAST_SIDE, size)
    return np.concatenate([low, high], axis=1)
