"""CSV export for RetinaNet: a row `path,x1,y1,x2,y2,class` for each box, without names of columns, and classes.csv.

keras-retinanet and pytorch-retinanet refuse corners that are no whole numbers, so edges are whole pixels from 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import PurePosixPath

from core.formats.choices import NO_SPLITS, Splits
from core.formats.csv_rows import csv_parts
from core.formats.exporters.layout import group_by_image, in_splits
from core.formats.exporters.table import picture_places as picture_places
from core.formats.exporters.voc import pixels
from core.formats.safe_write import ExportFile
from core.records import Correction, Dataset, ImageRecord

MAIN_FILE = "annotations.csv"
MAIN_FILE_OF_SPLITS = "."
CLASSES_FILE = "classes.csv"


def files(dataset: Dataset, *, splits: Splits = NO_SPLITS) -> list[ExportFile]:
    """classes.csv with names and their numbers, and one table, or one for each split, such as annotations_train.csv.

    Images without boxes have a row with empty cells. Names of pictures are relative to the folder of the tables.
    """
    places, groups = picture_places(dataset, splits), group_by_image(dataset)
    categories = {category.id: category.name for category in dataset.categories}
    classes = [(name, number) for number, name in enumerate(categories.values())]
    return [
        ExportFile(PurePosixPath(CLASSES_FILE), partial(csv_parts, classes)),
        *(
            ExportFile(
                PurePosixPath(f"annotations_{split}.csv" if split else MAIN_FILE),
                partial(_table, images, places, groups, categories),
            )
            for split, images in in_splits(dataset, splits)
        ),
    ]


def _table(
    images: Sequence[ImageRecord],
    places: Mapping[int, PurePosixPath],
    groups: Mapping[int, Sequence[Correction]],
    categories: Mapping[int, str],
) -> Iterator[bytes]:
    return csv_parts(row for image in images for row in _rows(image, places[image.id], groups[image.id], categories))


def _rows(
    image: ImageRecord, place: PurePosixPath, corrections: Sequence[Correction], categories: Mapping[int, str]
) -> Iterator[Sequence[object]]:
    for item in corrections:
        yield place, *pixels(item.accepted, image), categories[item.category_id]
    if not corrections:
        yield place, "", "", "", "", ""
