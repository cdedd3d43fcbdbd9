"""Pairs of pictures of two datasets by their names, and pairs of boxes on one picture by their IoU."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.geometry import area, as_boxes
from core.records import Dataset, ImageRecord

_ALL_PAIRS = 250_000
"""Boxes of a picture times boxes of the other one; above it, IoU is worked out row by row."""


class BoxPair(NamedTuple):
    """A row of the first boxes, a row of the second ones, and their IoU."""

    first: int
    second: int
    iou: float


def name_in(dataset: Dataset, image: ImageRecord) -> str:
    """The name of a picture below the dataset's folder, with `/` between its parts; else its whole path."""
    if dataset.folder is not None and image.path.is_relative_to(dataset.folder):
        return image.path.relative_to(dataset.folder).as_posix()
    return image.path.as_posix()


def pair_pictures(first: Dataset, second: Dataset) -> list[tuple[ImageRecord, ImageRecord]]:
    """The pictures that both have, in the order of the first: of one path, one name, or else one stem.

    A name or stem counts only where each dataset has one such picture left.
    """
    partner: dict[int, ImageRecord] = {}
    left_a, left_b = list(first.images), list(second.images)
    keys: tuple[Callable[[Dataset, ImageRecord], Hashable], ...] = (
        lambda _, image: os.path.normpath(image.path),
        name_in,
        lambda _, image: image.path.name.casefold(),
        lambda _, image: image.path.stem.casefold(),
    )
    for key in keys:
        in_a, in_b = _by_key(left_a, partial(key, first)), _by_key(left_b, partial(key, second))
        found = [(in_a[name], in_b[name]) for name in in_a.keys() & in_b.keys()]
        partner |= {a.id: b for a, b in found}
        taken_a, taken_b = {a.id for a, _ in found}, {b.id for _, b in found}
        left_a = [image for image in left_a if image.id not in taken_a]
        left_b = [image for image in left_b if image.id not in taken_b]
    return [(image, partner[image.id]) for image in first.images if image.id in partner]


def _by_key(images: Sequence[ImageRecord], key: Callable[[ImageRecord], Hashable]) -> Mapping[Hashable, ImageRecord]:
    """The images by their keys, without those that several have."""
    keys = [key(image) for image in images]
    times = Counter(keys)
    return {name: image for name, image in zip(keys, images, strict=True) if times[name] == 1}


def pair_boxes(
    first: ArrayLike, second: ArrayLike, *, least_iou: float, same: Callable[[int, int], bool] | None = None
) -> list[BoxPair]:
    """Match boxes (N, 4) and (M, 4) one to one, the pair of the best IoU first, down to `least_iou`.

    Of pairs with the same IoU, those come first for which `same` holds, such as boxes of one category.
    """
    a, b = as_boxes(first), as_boxes(second)
    pairs = overlapping(a, b, least_iou=least_iou)
    pairs.sort(key=lambda pair: (-pair.iou, not (same is None or same(pair.first, pair.second)), pair[:2]))
    taken_a, taken_b, kept = set[int](), set[int](), list[BoxPair]()
    for pair in pairs:
        if pair.first not in taken_a and pair.second not in taken_b:
            taken_a.add(pair.first)
            taken_b.add(pair.second)
            kept.append(pair)
    return kept


def overlapping(first: ArrayLike, second: ArrayLike, *, least_iou: float) -> list[BoxPair]:
    """All pairs of boxes (N, 4) and (M, 4) with an IoU of at least `least_iou`, and above 0."""
    a, b = as_boxes(first), as_boxes(second)
    if not len(a) or not len(b):
        return []
    step = max(1, _ALL_PAIRS // len(b))
    found: list[BoxPair] = []
    for start in range(0, len(a), step):
        values = iou_of_all(a[start : start + step], b)
        rows, columns = np.nonzero((values >= least_iou) & (values > 0))
        at = zip(rows.tolist(), columns.tolist(), values[rows, columns].tolist(), strict=True)
        found += [BoxPair(start + row, column, value) for row, column, value in at]
    return found


def iou_of_all(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """IoU (N, M) of each of the boxes (N, 4) with each of the boxes (M, 4)."""
    a, b = as_boxes(first), as_boxes(second)
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    overlap = np.clip(high - low, 0, None).prod(axis=2)
    union = area(a)[:, None] + area(b)[None, :] - overlap
    values: NDArray[np.float64] = overlap / np.maximum(union, 1e-9)
    return values
