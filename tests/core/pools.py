"""A small pool of labelled sets with drawn objects, for the tests of training."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np


def save_pool(folder: Path, *, pictures: int = 8) -> Path:
    """Two sets, discs and frames, of `pictures` pictures with two objects each; boxes only."""
    random = np.random.default_rng(0)
    for name, thickness in (("discs", -1), ("frames", 5)):
        images, notes = [], []
        (folder / name / "images").mkdir(parents=True)
        for index in range(1, pictures + 1):
            pixels = random.integers(0, 90, (160, 240, 3), np.uint8)
            for left in (10, 130):
                width, height = (int(value) for value in random.integers(40, 90, 2))
                x, y = left + int(random.integers(0, 15)), int(random.integers(5, 65))
                colour = [int(value) for value in random.integers(150, 256, 3)]
                if name == "discs":
                    centre, axes = (x + width // 2, y + height // 2), (width // 2, height // 2)
                    cv2.ellipse(pixels, centre, axes, 0, 0, 360, colour, thickness)
                else:
                    cv2.rectangle(pixels, (x, y), (x + width - 1, y + height - 1), colour, thickness)
                note = {"id": len(notes) + 1, "image_id": index, "category_id": 1, "bbox": [x, y, width, height]}
                notes.append(note | {"iscrowd": 0})
            cv2.imwrite(str(folder / name / "images" / f"{index}.png"), pixels)
            images.append({"id": index, "file_name": f"{index}.png", "width": 240, "height": 160})
        document = {"images": images, "annotations": notes, "categories": [{"id": 1, "name": name}]}
        (folder / name / "annotations.json").write_text(json.dumps(document), "utf-8")
    return folder
