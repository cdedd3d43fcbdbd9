"""CSV export with the columns of TensorFlow's tutorials and of Roboflow: a row for each box."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import PurePath, PurePosixPath

from core.formats.choices import NO_SPLITS, Splits
from core.formats.exporters.layout import (
    below,
    beside,
    clip_to_image,
    group_by_image,
    in_splits,
    picture_names,
    side_file_names,
)
from core.formats.safe_write import ExportFile
from core.records import Correction, Dataset, ImageRecord

MAIN_FILE = "_annotations.csv"
MAIN_FILE_OF_SPLITS = "."
_COLUMNS = ("filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax")
_ROWS_IN_A_PART = 1000
_DECIMALS = 3


def files(dataset: Dataset, *, splits: Splits = NO_SPLITS) -> list[ExportFile]:
    """One table, or one in the folder of each split, with names of pictures relative to it.

    Images without boxes have no row, so other programs do not know them. Edges are in pixels from 0.
    """
    places, groups = picture_places(dataset, splits), group_by_image(dataset)
    categories = {category.id: category.name for category in dataset.categories}
    return [
        ExportFile(PurePosixPath(split, MAIN_FILE), partial(_table, split, images, places, groups, categories))
        for split, images in in_splits(dataset, splits)
    ]


def picture_places(dataset: Dataset, splits: Splits = NO_SPLITS) -> dict[int, PurePosixPath]:
    """Image id -> where its picture goes: below the folder of its table; under its own name if there are no splits."""
    if not splits:
        return {id: below(PurePosixPath(), PurePath(name)) for id, name in picture_names(dataset).items()}
    return beside(side_file_names(dataset, folder="", suffix=".csv", splits=splits), dataset)


def _table(
    split: str,
    images: Sequence[ImageRecord],
    places: Mapping[int, PurePosixPath],
    groups: Mapping[int, Sequence[Correction]],
    categories: Mapping[int, str],
) -> Iterator[bytes]:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for number, image in enumerate(images, start=1):
        name = places[image.id].relative_to(split) if split else places[image.id]
        for item in groups[image.id]:
            edges = (f"{edge:.{_DECIMALS}f}".rstrip("0").rstrip(".") for edge in clip_to_image(item.accepted, image))
            writer.writerow([name, image.width, image.height, categories[item.category_id], *edges])
        if number % _ROWS_IN_A_PART == 0 or number == len(images):
            yield text.getvalue().encode("utf-8", "surrogateescape")
            text.seek(0)
            text.truncate()
    if not images:
        yield text.getvalue().encode()
