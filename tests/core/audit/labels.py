"""Datasets without files for the tests of comparisons and audits."""

from __future__ import annotations

from pathlib import Path

from core.geometry import Box
from core.records import Category, Correction, Dataset, ImageRecord

Labels = dict[str, list[tuple[str, Box]]]
"""Name of a picture -> its boxes with the names of their categories."""


def dataset(labels: Labels, folder: Path = Path("/set"), *, size: tuple[int, int] = (200, 100)) -> Dataset:
    """A dataset of such pictures, all of one size; ids count from 1 in the order of the labels."""
    names = list(dict.fromkeys(name for boxes in labels.values() for name, _ in boxes))
    categories = tuple(Category(id, name) for id, name in enumerate(names, start=1))
    images = tuple(ImageRecord(id, folder / name, *size) for id, name in enumerate(labels, start=1))
    corrections: list[Correction] = []
    for image, boxes in zip(images, labels.values(), strict=True):
        for name, box in boxes:
            id = len(corrections) + 1
            corrections.append(Correction(image.id, names.index(name) + 1, box, box, id=id))
    return Dataset(images, categories, tuple(corrections), folder)
