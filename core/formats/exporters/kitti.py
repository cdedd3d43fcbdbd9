"""KITTI export: a text file per image with a line for each box; what is known in three dimensions only is left open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import PurePosixPath

from core.formats.choices import NO_SPLITS, Splits
from core.formats.exporters.layout import beside, clip_to_image, group_by_image, side_file_names
from core.formats.safe_write import ExportFile
from core.records import Correction, Dataset, ImageRecord

MAIN_FILE = "."
_OPEN = "-1 -1 -1 -1000 -1000 -1000 -10"
"""Height, width and length, place and turn of an object, as KITTI writes them where they are not known."""


def files(dataset: Dataset, *, splits: Splits = NO_SPLITS) -> list[ExportFile]:
    """Files in label_2/, below the folder of the split; edges are in pixels from 0, and spaces in names become `_`."""
    groups, categories = group_by_image(dataset), {category.id: category.name for category in dataset.categories}
    names = _names(dataset, splits, "label_2", ".txt")
    return [
        ExportFile(names[image.id], partial(_labels, image, groups[image.id], categories)) for image in dataset.images
    ]


def picture_places(dataset: Dataset, splits: Splits = NO_SPLITS) -> dict[int, PurePosixPath]:
    """Image id -> where its picture goes: image_2/, beside label_2/."""
    return beside(_names(dataset, splits, "image_2", ".txt"), dataset)


def _names(dataset: Dataset, splits: Splits, folder: str, suffix: str) -> dict[int, PurePosixPath]:
    names = side_file_names(dataset, folder="", suffix=suffix, splits=splits)
    return {
        id: PurePosixPath(splits[id], folder, *name.parts[1:]) if splits else PurePosixPath(folder, name)
        for id, name in names.items()
    }


def _labels(image: ImageRecord, corrections: Sequence[Correction], categories: Mapping[int, str]) -> bytes:
    lines = []
    for item in corrections:
        edges = " ".join(f"{edge:.2f}" for edge in clip_to_image(item.accepted, image))
        lines.append(f"{'_'.join(categories[item.category_id].split())} 0.00 0 -10 {edges} {_OPEN}\n")
    return "".join(lines).encode("utf-8", "surrogateescape")
