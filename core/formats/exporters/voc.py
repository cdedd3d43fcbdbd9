"""Pascal VOC export: one XML file per image in Annotations/, and lists of images in ImageSets/Main/.

Corners are the edges of a box in whole pixels that count from 0, because most programs read the numbers as they are:
the page "Datasets" has a table of them. `<source>` states it, and our own importer goes by that. The VOC development
kit counts from 1 and includes the last pixel, and so did exports of BoxRefine before, without that mark.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from pathlib import PurePosixPath
from xml.sax.saxutils import escape

from core.formats.choices import NO_SPLITS, Splits
from core.formats.exporters.layout import (
    beside,
    clip_to_image,
    group_by_image,
    in_splits,
    picture_names,
    side_file_names,
)
from core.formats.importers.voc_reader import LABEL_MAP, VOC
from core.formats.safe_write import ExportFile
from core.geometry import Box
from core.records import Correction, Dataset, ImageRecord

MAIN_FILE = "Annotations"
FROM_0 = "pixels from 0"  # untranslated: content of the file
MARKS = ("pose", "truncated", "difficult", "occluded")
_NO_MARKS = {"pose": "Unspecified", "truncated": "0", "difficult": "0"}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def files(dataset: Dataset, *, splits: Splits = NO_SPLITS) -> list[ExportFile]:
    """One XML file per image, without objects if it has no boxes, in the same subfolders as the pictures.

    labelmap.txt has the names of classes, without which datumaro and CVAT expect those of VOC's own data sets.
    ImageSets/Main/ has a list for each split, and trainval.txt for train and val, or for all images without splits.
    """
    names = side_file_names(dataset, folder=MAIN_FILE, suffix=".xml")
    pictures, groups = picture_names(dataset), group_by_image(dataset)
    categories = {category.id: category.name for category in dataset.categories}
    lists = dict(in_splits(dataset, splits)) if splits else {}
    train_and_val = [*lists.get("train", ()), *lists.get("val", ())] if splits else dataset.images
    names_of_classes = list(categories.values())
    return [
        *(
            [ExportFile(PurePosixPath(LABEL_MAP), partial(_label_map, names_of_classes))]
            if _fit(names_of_classes)
            else []
        ),
        *(
            ExportFile(
                PurePosixPath("ImageSets", "Main", f"{split}.txt"),
                partial(_list, [names[image.id] for image in images]),
            )
            for split, images in {**lists, "trainval": train_and_val}.items()
            if images
        ),
        *(
            ExportFile(names[image.id], partial(_xml, image, pictures[image.id], groups[image.id], categories))
            for image in dataset.images
        ),
    ]


def picture_places(dataset: Dataset, splits: Splits = NO_SPLITS) -> dict[int, PurePosixPath]:
    """Image id -> where its picture goes: below JPEGImages/, whatever its split is."""
    del splits
    return beside(side_file_names(dataset, folder="JPEGImages", suffix=".xml"), dataset)


def _fit(names: Sequence[str]) -> bool:
    """Whether labelmap.txt can hold the names: it separates fields by colons, and `#` begins a comment."""
    return bool(names) and not any(":" in name or name.startswith("#") for name in names)


def _label_map(names: Sequence[str]) -> bytes:
    lines = ["# label:color_rgb:parts:actions", *(f"{name}:::" for name in names)]
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")


def _list(names: Sequence[PurePosixPath]) -> bytes:
    lines = (f"{name.relative_to(MAIN_FILE).as_posix().removesuffix('.xml')}\n" for name in names)
    return "".join(lines).encode("utf-8", "surrogateescape")


def _xml(image: ImageRecord, picture: str, corrections: Sequence[Correction], categories: Mapping[int, str]) -> bytes:
    place = PurePosixPath(picture)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',  # untranslated: XML
        "<annotation>",
        _element("  ", "folder", place.parent.as_posix()),
        _element("  ", "filename", place.name),
        f"  <source>\n    <database>BoxRefine</database>\n    <annotation>{FROM_0}</annotation>\n  </source>",
        f"  <size>\n    <width>{image.width}</width>\n    <height>{image.height}</height>",
        "    <depth>3</depth>\n  </size>",
        "  <segmented>0</segmented>",
        *(_object(categories[item.category_id], item, pixels(item.accepted, image)) for item in corrections),
        "</annotation>\n",
    ]
    return "\n".join(lines).encode()


def pixels(box: Box, image: ImageRecord) -> tuple[int, int, int, int]:
    """xmin, ymin, xmax, ymax: the edges in whole pixels that count from 0, at least one pixel apart."""
    x1, y1, x2, y2 = clip_to_image(box, image)
    xmin, ymin = min(round(x1), image.width - 1), min(round(y1), image.height - 1)
    return xmin, ymin, max(round(x2), xmin + 1), max(round(y2), ymin + 1)


def _object(category: str, correction: Correction, corners: Sequence[int]) -> str:
    came = correction.origin.kept(VOC) if correction.origin else {}
    marks = {**_NO_MARKS, **came} if came else _NO_MARKS
    xmin, ymin, xmax, ymax = corners
    return (
        f"{_start(category, tuple((mark, str(marks[mark])) for mark in MARKS if mark in marks))}\n    <bndbox>\n"
        f"      <xmin>{xmin}</xmin>\n      <ymin>{ymin}</ymin>\n      <xmax>{xmax}</xmax>\n"
        f"      <ymax>{ymax}</ymax>\n    </bndbox>\n  </object>"
    )


@lru_cache(maxsize=1024)
def _start(category: str, marks: tuple[tuple[str, str], ...]) -> str:
    """An object up to its marks, which are the same for most boxes of a category."""
    return "\n".join(("  <object>", *(_element("    ", tag, text) for tag, text in (("name", category), *marks))))


def _element(indent: str, tag: str, text: str) -> str:
    """An element with a text, see `xml_text`; as ElementTree writes it, in a tenth of the time."""
    inside = escape(xml_text(text))
    return f"{indent}<{tag}>{inside}</{tag}>" if inside else f"{indent}<{tag} />"


def xml_text(text: str) -> str:
    """A text without characters that XML cannot hold: control characters and lone surrogates become `?`."""
    return _NOT_XML.sub("?", text)
