"""Open Images export: a CSV table of boxes for each split, the names of classes, and the list of images.

An image is called after its picture, without the suffix. The code of a class is its name, but for classes that came
with a code of Open Images.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from core.formats.choices import NO_SPLITS, Splits
from core.formats.csv_rows import csv_parts, short
from core.formats.exporters.layout import beside, clip_to_image, group_by_image, in_splits, side_file_names
from core.formats.importers.csv_reader import OPEN_IMAGES, OPEN_IMAGES_MARKS
from core.formats.safe_write import ExportFile
from core.records import Correction, Dataset, ImageRecord

MAIN_FILE = "annotations"
_COLUMNS = ("ImageID", "Source", "LabelName", "Confidence", "XMin", "XMax", "YMin", "YMax", *OPEN_IMAGES_MARKS)
_LIST_COLUMNS = (
    *("ImageID", "Subset", "OriginalURL", "OriginalLandingURL", "License", "AuthorProfileURL", "Author", "Title"),
    *("OriginalSize", "OriginalMD5", "Thumbnail300KURL", "Rotation"),
)
_DECIMALS = 7
_SUBSETS = {"train": "train", "val": "validation", "test": "test", "": "default"}
_BY_HAND = "xclick"
"""How Open Images names boxes that people drew."""

_UNKNOWN = "-1"


def files(dataset: Dataset, *, splits: Splits = NO_SPLITS) -> list[ExportFile]:
    """Names of classes, the list of images, and the boxes of each split, or of the subset `default`; in fractions."""
    names, groups = _names(dataset, splits), group_by_image(dataset)
    codes = _codes(dataset)
    return [
        ExportFile(
            PurePosixPath(MAIN_FILE, "class-descriptions-boxable.csv"),
            partial(csv_parts, [(codes[category.name], category.name) for category in dataset.categories]),
        ),
        ExportFile(PurePosixPath(MAIN_FILE, "image_ids_and_rotation.csv"), partial(_list, dataset, splits, names)),
        *(
            ExportFile(
                PurePosixPath(MAIN_FILE, f"{_SUBSETS[split]}-annotations-bbox.csv"),
                partial(_table, images, names, groups, _code_of_ids(dataset, codes)),
            )
            for split, images in in_splits(dataset, splits)
        ),
    ]


def picture_places(dataset: Dataset, splits: Splits = NO_SPLITS) -> dict[int, PurePosixPath]:
    """Image id -> where its picture goes: below images/ and the folder of its subset."""
    places = beside(_files_beside(dataset, splits), dataset)
    return {
        id: PurePosixPath("images", _SUBSETS[splits.get(id, "")], *place.parts[1 if splits else 0 :])
        for id, place in places.items()
    }


def _names(dataset: Dataset, splits: Splits) -> dict[int, str]:
    """Image id -> the ImageID: the place of the picture below the folder of its subset, without suffix."""
    return {
        id: PurePosixPath(*name.parts[1 if splits else 0 :]).as_posix().removesuffix(name.suffix)
        for id, name in _files_beside(dataset, splits).items()
    }


def _files_beside(dataset: Dataset, splits: Splits) -> dict[int, PurePosixPath]:
    return side_file_names(dataset, folder="", suffix=".csv", splits=splits)


def _list(dataset: Dataset, splits: Splits, names: Mapping[int, str]) -> Iterator[bytes]:
    empty = [""] * (len(_LIST_COLUMNS) - 2)
    rows = ((names[image.id], _SUBSETS[splits.get(image.id, "")], *empty) for image in dataset.images)
    return csv_parts([_LIST_COLUMNS, *rows])


def _table(
    images: Sequence[ImageRecord],
    names: Mapping[int, str],
    groups: Mapping[int, Sequence[Correction]],
    codes: Mapping[int, str],
) -> Iterator[bytes]:
    return csv_parts(_rows(images, names, groups, codes))


def _rows(
    images: Sequence[ImageRecord],
    names: Mapping[int, str],
    groups: Mapping[int, Sequence[Correction]],
    codes: Mapping[int, str],
) -> Iterator[Sequence[object]]:
    yield _COLUMNS
    for image in images:
        for item in groups[image.id]:
            came: Mapping[str, Any] = item.origin.kept(OPEN_IMAGES) if item.origin else {}
            x1, y1, x2, y2 = clip_to_image(item.accepted, image)
            edges = (x1 / image.width, x2 / image.width, y1 / image.height, y2 / image.height)
            marks = [came.get(mark, _UNKNOWN) for mark in OPEN_IMAGES_MARKS]
            source = came.get("Source", _BY_HAND)  # untranslated: a column
            yield names[image.id], source, codes[item.category_id], 1, *(short(e, _DECIMALS) for e in edges), *marks


def _codes(dataset: Dataset) -> dict[str, str]:
    """The name of a category -> its code, that of the first file that has one."""
    found: dict[str, str] = {}
    for source in dataset.sources:
        listed = source.header.get("codes") if source.format == OPEN_IMAGES else None
        for name, code in listed.items() if isinstance(listed, dict) else ():
            found.setdefault(str(name), str(code))
    return {category.name: found.get(category.name, category.name) for category in dataset.categories}


def _code_of_ids(dataset: Dataset, codes: Mapping[str, str]) -> dict[int, str]:
    return {category.id: codes[category.name] for category in dataset.categories}
