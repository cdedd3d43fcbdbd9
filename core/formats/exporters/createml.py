"""CreateML export: a JSON list of pictures, with the centers and sizes of boxes in pixels."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from core.formats.choices import NO_SPLITS, Splits
from core.formats.exporters.layout import clip_to_image, group_by_image, in_splits
from core.formats.exporters.table import picture_places as picture_places
from core.formats.safe_write import ExportFile
from core.records import Correction, Dataset, ImageRecord

MAIN_FILE = "_annotations.createml.json"
MAIN_FILE_OF_SPLITS = "."
_DECIMALS = 3


def files(dataset: Dataset, *, splits: Splits = NO_SPLITS) -> list[ExportFile]:
    """One list, or one in the folder of each split, with names of pictures relative to it."""
    places, groups = picture_places(dataset, splits), group_by_image(dataset)
    categories = {category.id: category.name for category in dataset.categories}
    return [
        ExportFile(PurePosixPath(split, MAIN_FILE), partial(_list, split, images, places, groups, categories))
        for split, images in in_splits(dataset, splits)
    ]


def _list(
    split: str,
    images: Sequence[ImageRecord],
    places: Mapping[int, PurePosixPath],
    groups: Mapping[int, Sequence[Correction]],
    categories: Mapping[int, str],
) -> Iterator[bytes]:
    yield b"["
    for number, image in enumerate(images):
        name = places[image.id].relative_to(split) if split else places[image.id]
        notes = [_annotation(item, image, categories[item.category_id]) for item in groups[image.id]]
        text = json.dumps({"image": name.as_posix(), "annotations": notes}, separators=(",", ":"))
        yield (b",\n" if number else b"\n") + text.encode()
    yield b"\n]\n"


def _annotation(correction: Correction, image: ImageRecord, category: str) -> dict[str, Any]:
    x1, y1, x2, y2 = clip_to_image(correction.accepted, image)
    numbers = {"x": (x1 + x2) / 2, "y": (y1 + y2) / 2, "width": x2 - x1, "height": y2 - y1}
    return {"label": category, "coordinates": {key: round(value, _DECIMALS) for key, value in numbers.items()}}
