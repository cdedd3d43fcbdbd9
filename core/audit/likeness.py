"""How alike pictures are by their features: copies that were scaled, cropped, brightened or encoded again."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.encoders.image_features import ImageFeatures
from core.geometry import Frame

Likeness = NDArray[np.float32]
"""(512,), of length 1: the product of two is the cosine of the angle between the features of two pictures."""

_GRID = 4
_NUMBERS = 512
_CELL_PX = 16


def likeness_of(features: ImageFeatures) -> Likeness:
    """The embedding of a whole picture, as means of a grid of 4 x 4 parts, projected to 512 numbers of length 1.

    Two pictures of 4,096 such means each keep their cosine within some hundredths. Zeros if there is nothing in it.
    """
    width, height = _cells(features.frame)
    embedding = features.embedding[:, :height, :width].float()
    rows, columns = (np.linspace(0, side, _GRID + 1) for side in (height, width))
    parts = [
        embedding[:, int(top) : max(int(bottom), int(top) + 1), int(left) : max(int(right), int(left) + 1)]
        for top, bottom in zip(rows, rows[1:], strict=False)
        for left, right in zip(columns, columns[1:], strict=False)
    ]
    means = np.concatenate([part.mean(dim=(1, 2)).cpu().numpy() for part in parts])
    found: Likeness = _projection(len(means)) @ means.astype(np.float32)
    length = float(np.linalg.norm(found))
    return found / length if np.isfinite(length) and length > 0 else np.zeros_like(found)


def _cells(frame: Frame) -> tuple[int, int]:
    """Columns and rows of the embedding that the picture takes; the rest is empty."""
    width, height = (max(1, round(side * frame.scale / _CELL_PX)) for side in (frame.width, frame.height))
    return width, height


@lru_cache(maxsize=1)
def _projection(count: int) -> NDArray[np.float32]:
    """A fixed random matrix (512, count), which keeps angles."""
    return np.random.default_rng(0).standard_normal((_NUMBERS, count), np.float32)
