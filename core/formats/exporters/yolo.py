"""YOLO export in the Ultralytics layout: labels/<picture>.txt, data.yaml, and pictures.csv.

Pictures are not copied. For training, put them (or links to them) into `images/` next to `labels/`, under the names in
pictures.csv. These are their own names, unless two pictures of one folder would share a label file.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import PurePosixPath

import yaml

from core.formats.exporters.layout import clip_to_image, group_by_image, picture_names, side_file_names
from core.formats.safe_write import ExportFile
from core.records import Correction, Dataset, ImageRecord

MAIN_FILE = "data.yaml"
_STEPS = 1_000_000


def files(dataset: Dataset) -> list[ExportFile]:
    """One label file per image, empty if it has no boxes; classes count from 0 in the order of the categories."""
    labels = side_file_names(dataset, folder="labels", suffix=".txt")
    groups = group_by_image(dataset)
    classes = {category.id: index for index, category in enumerate(dataset.categories)}
    return [
        *(
            ExportFile(labels[image.id], partial(_label_file, image, groups[image.id], classes))
            for image in dataset.images
        ),
        ExportFile(PurePosixPath("pictures.csv"), partial(_pictures_csv, dataset, labels)),
        ExportFile(PurePosixPath(MAIN_FILE), partial(_data_yaml, dataset)),
    ]


def _label_file(image: ImageRecord, corrections: Sequence[Correction], classes: Mapping[int, int]) -> bytes:
    return "".join(f"{classes[item.category_id]} {_numbers(image, item)}\n" for item in corrections).encode()


def _numbers(image: ImageRecord, correction: Correction) -> str:
    """Center x, center y, width, height as fractions of the image's sides.

    The edges are rounded, not the center and the size, so that no reader computes an edge at 1.0000005.
    """
    x1, y1, x2, y2 = clip_to_image(correction.accepted, image)
    left, right = round(x1 / image.width * _STEPS), round(x2 / image.width * _STEPS)
    top, bottom = round(y1 / image.height * _STEPS), round(y2 / image.height * _STEPS)
    parts = ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
    return " ".join(f"{part / _STEPS:.7f}" for part in parts)


def _data_yaml(dataset: Dataset) -> bytes:
    # Without `path`, Ultralytics resolves names relative to this file, so that the folder can be moved.
    content = {
        "train": "images",
        "val": "images",
        "names": {index: category.name for index, category in enumerate(dataset.categories)},
    }
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True).encode()


def _pictures_csv(dataset: Dataset, labels: Mapping[int, PurePosixPath]) -> bytes:
    pictures = picture_names(dataset)
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["picture", "place"])
    for image in dataset.images:
        name = PurePosixPath("images", *labels[image.id].parts[1:])
        writer.writerow([pictures[image.id], name.with_suffix(image.path.suffix)])
    return table.getvalue().encode("utf-8", "surrogateescape")
