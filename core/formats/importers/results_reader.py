"""Read the predictions of detectors: COCO's list of results, and the predictions.json of Ultralytics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from core.errors import KnownError
from core.formats.importers.coco_import import listed_categories
from core.formats.importers.coco_reader import CocoId, id_of, read_json_steps
from core.formats.importers.json_steps import STEP
from core.formats.importers.parsed import ParsedPicture, ParsedSet, is_finite
from core.formats.importers.yolo_classes import read_classes
from core.progress import Job, Progress
from core.text import is_file_name, name_of
from core.translation import tr

RESULTS = "COCO results"  # untranslated: the name of a format

_MOST_BESIDE = 5
_DIGITS_OF_COCO = 12


@dataclass
class _Known:
    """What the annotations beside the predictions have: names of pictures and categories by their ids."""

    pictures: dict[CocoId, str] = field(default_factory=dict)
    categories: dict[CocoId, str] = field(default_factory=dict)


def is_results(document: object) -> bool:
    """Whether a JSON document is a list of predictions."""
    first = document[0] if isinstance(document, list) and document else None
    return isinstance(first, dict) and "image_id" in first and ("bbox" in first or "segmentation" in first)


def read_results(path: Path, document: list[Any]) -> Job[ParsedSet]:
    """The boxes of a list of predictions, with their scores; they arrive as boxes to check.

    The list has only ids. Their names come from a COCO file beside it, or one folder up in `annotations`; without one,
    a picture is called after its id, as Ultralytics and COCO do, and names of classes come from a data.yaml beside.
    """
    known = yield from _known_beside(path)
    parsed = ParsedSet(RESULTS, categories=list(dict.fromkeys(known.categories.values())))
    pictures: dict[CocoId, ParsedPicture] = {}
    for index, entry in enumerate(document):
        if index % STEP == 0:
            yield Progress(index, len(document), tr("Importing {name}", name=path.name))
        where = tr("the prediction at place {number}", number=index + 1)
        image_id = id_of(entry.get("image_id")) if isinstance(entry, dict) else None
        if image_id is None or not isinstance(entry, dict):
            parsed.defects.add(tr("In {file}, {where} has no image_id: correct or delete it."), file=path, where=where)
            continue
        if image_id not in pictures:
            pictures[image_id] = ParsedPicture(path, _names(image_id, entry, known))
        pictures[image_id].add(
            _category(entry, known), _corners(entry.get("bbox")), where=where, score=entry.get("score"), entry=entry
        )
    parsed.pictures = list(pictures.values())
    return parsed


def _names(id: CocoId, entry: Mapping[str, Any], known: _Known) -> tuple[str, ...]:
    stated = entry.get("file_name")
    if isinstance(stated, str) and is_file_name(stated):
        return (stated,)
    if id in known.pictures:
        return (known.pictures[id],)
    text = str(entry.get("image_id")) if isinstance(id, str) else str(id)
    return (text,) if isinstance(id, str) else (text, text.zfill(_DIGITS_OF_COCO))


def _category(entry: Mapping[str, Any], known: _Known) -> object:
    stated = entry.get("category_name", entry.get("label"))
    if isinstance(stated, str) and stated:
        return stated
    id = id_of(entry.get("category_id"))
    return None if id is None else known.categories.get(id, f"class {id}")


def _corners(bbox: object) -> list[object]:
    """x1, y1, x2, y2 of an x, y, width, height; empty if that is no box."""
    if not isinstance(bbox, list) or len(bbox) != 4 or not all(is_finite(value) for value in bbox):
        return []
    x, y, width, height = bbox
    return [x, y, x + width, y + height] if width > 0 and height > 0 else []


def _known_beside(path: Path) -> Job[_Known]:
    known = _Known()
    others = (
        file
        for folder in (path.parent, path.parent / "annotations", path.parent.parent / "annotations")
        for file in sorted(folder.glob("*.json"))
        if file != path and file.is_file()
    )
    for file in islice(others, _MOST_BESIDE):
        try:
            document = yield from read_json_steps(file)
        except KnownError:
            continue
        images = document.get("images") if isinstance(document, dict) else None
        for entry in images if isinstance(images, list) else []:
            id = id_of(entry.get("id")) if isinstance(entry, dict) else None
            name = entry.get("file_name") if isinstance(entry, dict) else None
            if id is not None and isinstance(name, str) and is_file_name(name):
                known.pictures.setdefault(id, name)
        if isinstance(document, dict):
            for id, category in listed_categories(document).items():
                known.categories.setdefault(id, category)
    if not known.categories:
        known.categories = {number: name for number, name in read_classes(path.parent).names.items() if name_of(name)}
    return known
