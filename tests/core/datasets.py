"""Datasets for the tests of the formats: no file behind them is ever opened."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from core.geometry import Box
from core.records import Category, Correction, Dataset, ImageRecord
from tests.core.projects import CORRECTION

FOLDER = Path("/pictures")


def correction(id: int, *, image: int, category: int, accepted: Box) -> Correction:
    """A correction whose accepted box is given; the rest is the one of the store's tests."""
    return replace(CORRECTION, id=id, image_id=image, category_id=category, accepted=accepted)


def difficult() -> Dataset:
    """Equal stems, subfolders, Unicode, a gap in the category ids, boxes over the border, an image without boxes."""
    names = ["a/cat.jpg", "b/cat.jpg", "b/cat.png", "Straße 7/Möwe & Ente.webp", "leer.tif"]
    images = tuple(ImageRecord(id, FOLDER / name, 640, 480) for id, name in enumerate(names, start=1))
    plain = correction(7, image=2, category=1, accepted=Box(0, 0, 640, 480))
    corrections = (
        correction(2, image=1, category=1, accepted=Box(14.0, 22.1, 100.3, 88.0)),
        correction(3, image=1, category=3, accepted=Box(-20.5, 470.25, 700, 500)),
        replace(plain, refined=None, edge_confidence=None, score=None, encoder="", refiner=""),
        correction(8, image=3, category=7, accepted=Box(0.4, 0.4, 1.2, 0.9)),
        correction(11, image=4, category=3, accepted=Box(1 / 3, 2 / 3, 639.9996, 479.9996)),
    )
    categories = (Category(1, "cat"), Category(3, "yes"), Category(7, "Möwe: <groß> & 1"))
    return Dataset(images, categories, corrections, folder=FOLDER)
