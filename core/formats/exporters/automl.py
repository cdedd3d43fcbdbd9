"""CSV export for AutoML and Vertex AI: a row `SET,path,label,x1,y1,,,x2,y2,,` for each box, in fractions.

AutoML takes pictures from a bucket, so the user puts `gs://BUCKET/` before each path.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import PurePosixPath

from core.formats.choices import NO_SPLITS, Splits
from core.formats.csv_rows import csv_parts, short
from core.formats.exporters.layout import clip_to_image, group_by_image
from core.formats.exporters.table import picture_places as picture_places
from core.formats.safe_write import ExportFile
from core.records import Dataset

MAIN_FILE = "annotations.csv"
_DECIMALS = 7
_SETS = {"train": "TRAIN", "val": "VALIDATION", "test": "TEST"}
_NO_SET = "UNASSIGNED"


def files(dataset: Dataset, *, splits: Splits = NO_SPLITS) -> list[ExportFile]:
    """One table, whose first column is the split. Images without boxes have a row with empty cells."""
    return [ExportFile(PurePosixPath(MAIN_FILE), partial(_table, dataset, splits))]


def _table(dataset: Dataset, splits: Splits) -> Iterator[bytes]:
    return csv_parts(_rows(dataset, splits))


def _rows(dataset: Dataset, splits: Splits) -> Iterator[Sequence[object]]:
    places, groups = picture_places(dataset, splits), group_by_image(dataset)
    categories = {category.id: category.name for category in dataset.categories}
    for image in dataset.images:
        start = _SETS.get(splits.get(image.id, ""), _NO_SET), places[image.id]
        for item in groups[image.id]:
            x1, y1, x2, y2 = clip_to_image(item.accepted, image)
            edges = (x1 / image.width, y1 / image.height, x2 / image.width, y2 / image.height)
            left, top, right, bottom = (short(edge, _DECIMALS) for edge in edges)
            yield *start, categories[item.category_id], left, top, "", "", right, bottom, "", ""
        if not groups[image.id]:
            yield *start, *[""] * 9
