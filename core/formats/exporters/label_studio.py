"""Label Studio export: tasks.json, a list of tasks, and label_config.xml, the configuration that a project needs.

Pictures are addressed as those of a local storage whose document root is the folder of the export.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from core.formats.choices import NO_SPLITS, Splits
from core.formats.exporters.layout import clip_to_image, group_by_image, in_splits
from core.formats.exporters.table import picture_places as picture_places
from core.formats.exporters.voc import xml_text
from core.formats.importers.label_studio_reader import CONFIG_FILE, LABEL_STUDIO, SHAPES, label_in
from core.formats.safe_write import ExportFile
from core.records import Correction, Dataset, ImageRecord
from core.text import name_of

MAIN_FILE = "tasks.json"
MAIN_FILE_OF_SPLITS = "."
_LOCAL = "/data/local-files/?d="
_DECIMALS = 6
_WHOLE = 100.0
_CONTROLS = {
    "rectanglelabels": "RectangleLabels",
    "polygonlabels": "PolygonLabels",
    "ellipselabels": "EllipseLabels",
}
_NAMES = {"rectanglelabels": "label", "polygonlabels": "polygon", "ellipselabels": "ellipse"}  # untranslated: ids
_DATA_KEY = "image"  # untranslated: a key


def files(dataset: Dataset, *, splits: Splits = NO_SPLITS) -> list[ExportFile]:
    """The configuration, and one list, or one in the folder of each split; shapes are in percent of the sides.

    A region goes back as it came if its box has not moved; others are rectangles. So do the data of a task.
    """
    places, groups = picture_places(dataset, splits), group_by_image(dataset)
    categories = {category.id: category.name for category in dataset.categories}
    tasks: dict[int, Mapping[str, Any]] = {}
    for source in dataset.sources:
        for id, entry in source.images.items() if source.format == LABEL_STUDIO else ():
            tasks.setdefault(id, entry)
    return [
        ExportFile(PurePosixPath(CONFIG_FILE), partial(_config, list(categories.values()))),
        *(
            ExportFile(PurePosixPath(split, MAIN_FILE), partial(_tasks, images, places, groups, categories, tasks))
            for split, images in in_splits(dataset, splits)
        ),
    ]


def _config(names: Sequence[str]) -> bytes:
    """A configuration with a control for each shape, which all have the categories in their order."""
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Image", name=_DATA_KEY, value=f"${_DATA_KEY}")
    for kind, tag in _CONTROLS.items():
        control = ElementTree.SubElement(view, tag, name=_NAMES[kind], toName=_DATA_KEY)
        for name in names:
            ElementTree.SubElement(control, "Label", value=xml_text(name))
    ElementTree.indent(view)
    text: str = ElementTree.tostring(view, encoding="unicode")
    return f"{text}\n".encode()


def _tasks(
    images: Sequence[ImageRecord],
    places: Mapping[int, PurePosixPath],
    groups: Mapping[int, Sequence[Correction]],
    categories: Mapping[int, str],
    tasks: Mapping[int, Mapping[str, Any]],
) -> Iterator[bytes]:
    yield b"["
    for number, image in enumerate(images):
        came = tasks.get(image.id, {})
        results = [_result(item, image, categories[item.category_id]) for item in groups[image.id]]
        data = came.get("data")
        task = {
            "id": image.id,
            "data": {_DATA_KEY: f"{_LOCAL}{quote(places[image.id].as_posix(), errors='surrogateescape')}"},
            **came,
            **({"data": data} if isinstance(data, dict) and data else {}),
            "annotations": [{"id": image.id, "result": results, "was_cancelled": False, "ground_truth": False}],
        }
        yield (b",\n" if number else b"\n") + json.dumps(task, separators=(",", ":")).encode()
    yield b"\n]\n"


def _result(correction: Correction, image: ImageRecord, category: str) -> dict[str, Any]:
    origin = correction.origin
    came = origin.kept(LABEL_STUDIO) if origin is not None else {}
    kind = str(came.get("type"))
    if came and origin is not None and correction.accepted == origin.box:
        if name_of(label_in(came)) == category:
            return came
        key = f"{kind.removesuffix('labels')}labels"
        value = {name: held for name, held in came["value"].items() if name not in (*SHAPES.values(), "labels")}
        return {**came, "type": key, "value": {**value, key: [category]}}
    x1, y1, x2, y2 = clip_to_image(correction.accepted, image)
    across, down = _WHOLE / image.width, _WHOLE / image.height
    numbers = {"x": x1 * across, "y": y1 * down, "width": (x2 - x1) * across, "height": (y2 - y1) * down}
    value = {key: round(number, _DECIMALS) for key, number in numbers.items()}
    kind = SHAPES["rectangle"]
    return {
        "id": came.get("id") or f"box{correction.id}",
        "type": kind,
        "from_name": _NAMES[kind],
        "to_name": _DATA_KEY,
        "original_width": image.width,
        "original_height": image.height,
        "image_rotation": 0,
        "value": {**value, "rotation": 0, kind: [category]},
    }
