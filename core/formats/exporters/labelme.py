"""LabelMe export: a JSON file per image, to lie beside its picture; with splits, in the folder of its split."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from core.formats.choices import NO_SPLITS, Splits
from core.formats.exporters.layout import beside, clip_to_image, group_by_image, side_file_names
from core.formats.importers.labelme_reader import LABELME
from core.formats.safe_write import ExportFile
from core.records import Correction, Dataset, ImageRecord
from core.text import name_of

MAIN_FILE = "."
_DECIMALS = 3
_VERSION = "5.5.0"
"""The version of LabelMe whose files these are; LabelMe warns of files of another first number."""


def files(dataset: Dataset, *, splits: Splits = NO_SPLITS) -> list[ExportFile]:
    """One file per image. A shape goes back as it came if its box has not moved; others are rectangles.

    What the file of a picture had besides its shapes, such as flags, goes back, too.
    """
    names, groups = side_file_names(dataset, folder="", suffix=".json", splits=splits), group_by_image(dataset)
    places, categories = beside(names, dataset), {category.id: category.name for category in dataset.categories}
    kept = [source.images for source in dataset.sources if source.format == LABELME]
    came = {image.id: next((each[image.id] for each in kept if image.id in each), {}) for image in dataset.images}
    return [
        ExportFile(
            names[image.id],
            partial(_document, image, places[image.id].name, groups[image.id], categories, came[image.id]),
        )
        for image in dataset.images
    ]


def picture_places(dataset: Dataset, splits: Splits = NO_SPLITS) -> dict[int, PurePosixPath]:
    """Image id -> where its picture goes: beside its file."""
    return beside(side_file_names(dataset, folder="", suffix=".json", splits=splits), dataset)


def _document(
    image: ImageRecord,
    picture: str,
    corrections: Sequence[Correction],
    categories: Mapping[int, str],
    came: Mapping[str, Any],
) -> bytes:
    document = {
        "version": _VERSION,
        "flags": {},
        **came,
        "shapes": [_shape(item, image, categories[item.category_id]) for item in corrections],
        "imagePath": picture,
        "imageData": None,
        "imageHeight": image.height,
        "imageWidth": image.width,
    }
    text = json.dumps(document, ensure_ascii=False, indent=2)
    return f"{text}\n".encode("utf-8", "replace")


def _shape(correction: Correction, image: ImageRecord, category: str) -> dict[str, Any]:
    origin = correction.origin
    came = origin.kept(LABELME) if origin is not None else {}
    label = came["label"] if name_of(came.get("label")) == category else category
    if came and origin is not None and correction.accepted == origin.box:
        return {**came, "label": label}
    x1, y1, x2, y2 = (round(edge, _DECIMALS) for edge in clip_to_image(correction.accepted, image))
    # Four corners, as X-AnyLabeling writes them, where a shape of it came; LabelMe itself has two.
    corners = [[x1, y1], [x2, y1], [x2, y2], [x1, y2]] if len(came.get("points") or ()) == 4 else [[x1, y1], [x2, y2]]
    rest = {key: value for key, value in came.items() if key not in ("mask", "direction")}
    return {
        "group_id": None,
        "description": "",
        "flags": {},
        **rest,
        "label": label,
        "points": corners,
        "shape_type": "rectangle",
    }
