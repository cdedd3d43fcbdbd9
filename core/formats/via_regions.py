"""VIA's regions, as its JSON and its CSV have them: what came goes back where its box has not moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.formats.exporters.layout import clip_to_image
from core.formats.importers.via_reader import VIA, VIA_CSV, label_in
from core.records import Correction, Dataset, ImageRecord
from core.text import name_of

UNKNOWN_SIZE = -1
_DECIMALS = 3
_ATTRIBUTE = "label"  # untranslated: a key


def attributes_of(dataset: Dataset) -> tuple[str, dict[str, Any]]:
    """The attribute that names the categories, and VIA's table of attributes: those of the first file that came."""
    header = next((source.header for source in dataset.sources if source.format in (VIA, VIA_CSV)), {})
    name = str(header.get("attribute") or _ATTRIBUTE)
    came = header.get("_via_attributes")
    tables = {kind: _mapping(_mapping(came).get(kind)) for kind in ("region", "file")}
    options = {category.name: "" for category in dataset.categories}
    chosen = {"type": "dropdown", "description": "", "default_options": {}, **_mapping(tables["region"].get(name))}
    if chosen["type"] == "text":
        chosen = {"type": "dropdown", "description": chosen["description"], "default_options": {}}
    region = {**tables["region"], name: {**chosen, "options": {**options, **_options(chosen, options)}}}
    return name, {"region": region, "file": dict(tables["file"])}


def file_attributes_of(dataset: Dataset) -> dict[int, Mapping[str, Any]]:
    """Image id -> the attributes of its file that came."""
    found: dict[int, Mapping[str, Any]] = {}
    for source in dataset.sources:
        for id, entry in source.images.items() if source.format == VIA else ():
            found.setdefault(id, _mapping(entry.get("file_attributes")))
    return found


def region_of(correction: Correction, image: ImageRecord, category: str, attribute: str) -> dict[str, Any]:
    """The region of a box: its shape as it came if the box has not moved, else a rectangle."""
    origin = correction.origin
    came = origin.kept(VIA) if origin is not None else {}
    attributes = dict(_mapping(came.get("region_attributes")))
    if name_of(label_in(attributes, attribute)) != category:
        attributes[attribute] = category
    shape = _mapping(came.get("shape_attributes"))
    if not shape or origin is None or correction.accepted != origin.box:
        x1, y1, x2, y2 = (round(edge, _DECIMALS) for edge in clip_to_image(correction.accepted, image))
        sides = {"width": round(x2 - x1, _DECIMALS), "height": round(y2 - y1, _DECIMALS)}
        shape = {"name": "rect", "x": x1, "y": y1, **sides}
    return {"shape_attributes": dict(shape), "region_attributes": attributes}


def regions_of(
    corrections: Sequence[Correction], image: ImageRecord, categories: Mapping[int, str], attribute: str
) -> list[dict[str, Any]]:
    """The regions of an image."""
    return [region_of(item, image, categories[item.category_id], attribute) for item in corrections]


def size_of(image: ImageRecord) -> int:
    """The size of a picture's file in bytes, which is in the keys of VIA; UNKNOWN_SIZE if it is not there."""
    try:
        return image.path.stat().st_size
    except (OSError, ValueError):
        return UNKNOWN_SIZE


def _options(chosen: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {name: text for name, text in _mapping(chosen.get("options")).items() if name in names}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
