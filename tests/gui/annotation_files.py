"""COCO files for the pictures that the tests of the window open."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.geometry import Box


def save_coco(path: Path, boxes: Mapping[str, Sequence[Box]], *, category: str = "cup") -> Path:
    """A COCO file with these boxes, by the names of their pictures."""
    images = [{"id": number, "file_name": name} for number, name in enumerate(boxes)]
    notes = [
        {"image_id": number, "category_id": 1, "bbox": [box.x1, box.y1, box.width, box.height]}
        for number, group in enumerate(boxes.values())
        for box in group
    ]
    numbered = [{"id": number, **note} for number, note in enumerate(notes)]
    document = {"images": images, "annotations": numbered, "categories": [{"id": 1, "name": category}]}
    path.write_text(json.dumps(document), "utf-8")
    return path
