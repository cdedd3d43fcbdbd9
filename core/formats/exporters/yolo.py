"""YOLO export in the Ultralytics layout: labels/<picture>.txt, data.yaml, classes.txt, and pictures.csv.

With splits, labels are in labels/train and so on, and their pictures belong into images/train. pictures.csv has the
names under which pictures belong into `images/`. These are their own names, unless two pictures of one folder would
share a label file.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import PurePosixPath

import yaml

from core.formats.choices import NO_SPLITS, Splits
from core.formats.exporters.layout import (
    beside,
    group_by_image,
    in_splits,
    picture_names,
    side_file_names,
)
from core.formats.importers.yolo_reader import YOLO
from core.formats.safe_write import ExportFile
from core.formats.yolo_lines import label_lines
from core.records import Correction, Dataset, ImageRecord
from core.translation import tr

MAIN_FILE = "data.yaml"
_NO_SPLITS = "# No splits: train and val are the same images, because Ultralytics needs both."  # untranslated: content


def files(dataset: Dataset, *, splits: Splits = NO_SPLITS) -> list[ExportFile]:
    """One label file per image, empty if it has no boxes; classes count from 0 in the order of the categories.

    What came from YOLO with more than a box goes back, see `label_lines`.
    """
    labels = side_file_names(dataset, folder="labels", suffix=".txt", splits=splits)
    groups, (count, numbers) = group_by_image(dataset), _kept_shape(dataset)
    classes = {category.id: index for index, category in enumerate(dataset.categories)}
    points = count * numbers
    return [
        *(
            ExportFile(labels[image.id], partial(_label_file, image, groups[image.id], classes, points))
            for image in dataset.images
        ),
        ExportFile(PurePosixPath("pictures.csv"), partial(_pictures_csv, dataset, splits)),
        ExportFile(PurePosixPath("classes.txt"), partial(_classes, dataset)),
        ExportFile(PurePosixPath(MAIN_FILE), partial(_data_yaml, dataset, splits)),
    ]


def picture_places(dataset: Dataset, splits: Splits = NO_SPLITS) -> dict[int, PurePosixPath]:
    """Image id -> where its picture goes, so that Ultralytics finds its label file."""
    return beside(side_file_names(dataset, folder="images", suffix=".txt", splits=splits), dataset)


def note(splits: Splits) -> str:
    """What the user should know about these splits; else empty."""
    present = set(splits.values())
    if not present:
        return tr(
            "data.yaml names the same images for train and val, because there are no splits: divide them before you "
            "trust a score."
        )
    if not {"train", "val"} <= present:
        return tr("data.yaml lacks train or val, and Ultralytics asks for both: divide into both to train on it.")
    return ""


def _label_file(
    image: ImageRecord, corrections: Sequence[Correction], classes: Mapping[int, int], points: int
) -> bytes:
    return "".join(f"{line}\n" for line in label_lines(image, corrections, classes, points=points)).encode()


def _classes(dataset: Dataset) -> bytes:
    return "".join(f"{category.name}\n" for category in dataset.categories).encode("utf-8", "surrogateescape")


def _data_yaml(dataset: Dataset, splits: Splits) -> bytes:
    # Without `path`, Ultralytics resolves names relative to this file, so that the folder can be moved.
    folders = {split: f"images/{split}" for split, _ in in_splits(dataset, splits) if split}
    shape = _kept_shape(dataset)
    content = {
        **(folders or {"train": "images", "val": "images"}),
        **({"kpt_shape": list(shape)} if shape[0] else {}),
        "names": {index: category.name for index, category in enumerate(dataset.categories)},
    }
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    if not folders:
        text = f"{_NO_SPLITS}\n{text}"
    return text.encode()


def _kept_shape(dataset: Dataset) -> tuple[int, int]:
    """The `kpt_shape` of the file that poses came from; (0, 0) if none did."""
    for source in dataset.sources:
        shape = source.header.get("kpt_shape") if source.format == YOLO else None
        if isinstance(shape, list) and len(shape) == 2 and all(type(part) is int and part > 0 for part in shape):
            return shape[0], shape[1]
    return 0, 0


def _pictures_csv(dataset: Dataset, splits: Splits) -> bytes:
    pictures, places = picture_names(dataset), picture_places(dataset, splits)
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["picture", "place"])
    for image in dataset.images:
        writer.writerow([pictures[image.id], places[image.id]])
    return table.getvalue().encode("utf-8", "surrogateescape")
