"""VIA CSV export: a row for each region, with its shape and its attributes as JSON in cells."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import PurePosixPath

from core.formats.choices import NO_SPLITS, Splits
from core.formats.csv_rows import csv_parts
from core.formats.exporters.layout import group_by_image, in_splits
from core.formats.exporters.table import picture_places as picture_places
from core.formats.safe_write import ExportFile
from core.formats.via_regions import attributes_of, file_attributes_of, regions_of, size_of
from core.records import Dataset, ImageRecord

MAIN_FILE = "via_region_data.csv"
MAIN_FILE_OF_SPLITS = "."
_COLUMNS = (
    *("filename", "file_size", "file_attributes", "region_count", "region_id"),
    *("region_shape_attributes", "region_attributes"),
)


def files(dataset: Dataset, *, splits: Splits = NO_SPLITS) -> list[ExportFile]:
    """One table, or one in the folder of each split. Images without regions have a row with a count of 0."""
    return [
        ExportFile(PurePosixPath(split, MAIN_FILE), partial(_table, dataset, splits, split, images))
        for split, images in in_splits(dataset, splits)
    ]


def _table(dataset: Dataset, splits: Splits, split: str, images: Sequence[ImageRecord]) -> Iterator[bytes]:
    return csv_parts(_rows(dataset, splits, split, images))


def _rows(dataset: Dataset, splits: Splits, split: str, images: Sequence[ImageRecord]) -> Iterator[Sequence[object]]:
    places, groups = picture_places(dataset, splits), group_by_image(dataset)
    categories = {category.id: category.name for category in dataset.categories}
    attribute, _ = attributes_of(dataset)
    of_files = file_attributes_of(dataset)
    yield _COLUMNS
    for image in images:
        name = places[image.id].relative_to(split) if split else places[image.id]
        regions = regions_of(groups[image.id], image, categories, attribute)
        start = name, size_of(image), _dumped({**of_files.get(image.id, {})}), len(regions)
        for place, region in enumerate(regions):
            yield *start, place, _dumped(region["shape_attributes"]), _dumped(region["region_attributes"])
        if not regions:
            yield *start, 0, "{}", "{}"


def _dumped(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
