"""What tests of formats share: files of other programs, and the boxes that come from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from core.formats.importers.found import FoundBoxes
from core.formats.importing import find_boxes
from core.geometry import Box
from core.progress import run
from core.records import ImageRecord

BOX = Box(20, 30, 100, 90)

TURNED = Box(30, 20, 90, 100)
"""The box around BOX after a quarter turn about its center."""


def find(path: Path, *names: str, folder: Path | None = None) -> FoundBoxes:
    """What there is for pictures of 200 x 150 pixels of these names."""
    folder = folder or path.parent
    images = [ImageRecord(number + 1, folder / name, 200, 150) for number, name in enumerate(names)]
    return run(find_boxes(path, images, folder=folder))


def boxes(found: FoundBoxes) -> list[tuple[int, str, Box]]:
    held = [(entry.category, entry.correction) for entry in found.boxes]
    return [(here.image_id, name, Box(*(round(edge, 6) for edge in here.accepted))) for name, here in held]


def scores(found: FoundBoxes) -> list[float]:
    return [entry.correction.origin.probability for entry in found.boxes if entry.correction.origin]


def written(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def dumped(path: Path, document: object) -> Path:
    return written(path, json.dumps(document))


LABELS = "<labels><label><name>saucer</name></label><label><name>cup</name></label></labels>"


def cvat(shapes: str, *, meta: str = LABELS, name: str = "a.png") -> str:
    image = f'<image id="0" name="{name}" width="200" height="150">{shapes}</image>'
    return f"<annotations><version>1.1</version><meta><task>{meta}</task></meta>{image}</annotations>"


RECTANGLE = {"x": 10, "y": 20, "width": 40, "height": 40, "rotation": 0, "rectanglelabels": ["cup"]}


def result(value: dict[str, Any], kind: str = "rectanglelabels", **more: object) -> dict[str, Any]:
    return {"id": "r", "type": kind, "original_width": 200, "original_height": 150, "value": value, **more}


def task(*results: object, image: str = "/data/upload/1/0a1b2c3d-a.png", **more: object) -> list[dict[str, Any]]:
    return [{"id": 1, "data": {"image": image}, "annotations": [{"result": list(results)}], **more}]
