"""Labelled sets for the tests of the benchmarks: generated pictures of one disc each, and answers made by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from core.encoders.image_features import ImageFeatures
from core.evaluation.labelled_set import Answers
from core.geometry import Box, as_boxes
from core.records import Refinement

WIDTH, HEIGHT = 160, 120
DISCS = [(60, 50, 30), (90, 70, 40)]
"""Centre and radius of each picture's disc, in pixels."""


def save_discs(folder: Path, *names: str) -> Path:
    """Sets of two pictures with a disc and its true box each; `folder` itself is what --data names."""
    for name in names:
        images = folder / name / "images"
        images.mkdir(parents=True)
        rows, columns = np.mgrid[:HEIGHT, :WIDTH]
        document: dict[str, list[dict[str, object]]] = {"images": [], "annotations": [], "categories": []}
        document["categories"].append({"id": 1, "name": "disc"})
        for id, (x, y, radius) in enumerate(DISCS, start=1):
            inside = (columns - x) ** 2 + (rows - y) ** 2 < radius**2
            pixels = np.where(inside[..., None], [200, 60, 30], [40, 40, 40]).astype(np.uint8)
            Image.fromarray(pixels).save(images / f"{id}.png")
            document["images"].append({"id": id, "file_name": f"{id}.png", "width": WIDTH, "height": HEIGHT})
            box = [x - radius, y - radius, 2 * radius, 2 * radius]
            document["annotations"].append({"id": id, "image_id": id, "category_id": 1, "bbox": box})
        (folder / name / "annotations.json").write_text(json.dumps(document), "utf-8")
    return folder


class Steady:
    """A refiner that answers one box whatever is drawn: no edge ever moves."""

    name, identity = "steady", "steady-0"

    def __init__(self, box: Box) -> None:
        self.box = box

    def refine(self, features: ImageFeatures, drawn: object) -> list[Refinement]:
        return [Refinement(self.box, (1.0, 1.0, 1.0, 1.0), 1.0) for _ in as_boxes(drawn)]  # type: ignore[arg-type]


def answers(*, true: list[list[float]], drawn: list[list[float]], refined: list[list[float]]) -> Answers:
    """Answers that claim half a chance of everything."""
    boxes = as_boxes(refined)
    return Answers(as_boxes(true), as_boxes(drawn), boxes, np.full(boxes.shape, 0.5), np.full(len(boxes), 0.5))
