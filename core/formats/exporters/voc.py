"""Pascal VOC export: one XML file per image in Annotations/, with the pixel numbers of the VOC development kit.

VOC counts pixels from 1 and includes the last one: a box of only the first pixel has xmin = xmax = 1. So xmin and ymin
are round(x1) + 1 and round(y1) + 1, while xmax and ymax are round(x2) and round(y2), because x2 and y2 are exclusive
and count from 0. Pictures are not copied.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import PurePosixPath
from xml.etree import ElementTree

from core.formats.exporters.layout import clip_to_image, group_by_image, picture_names, side_file_names
from core.formats.safe_write import ExportFile
from core.geometry import Box
from core.records import Correction, Dataset, ImageRecord

MAIN_FILE = "Annotations"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def files(dataset: Dataset) -> list[ExportFile]:
    """One XML file per image, without objects if it has no boxes, in the same subfolders as the pictures."""
    names = side_file_names(dataset, folder=MAIN_FILE, suffix=".xml")
    pictures, groups = picture_names(dataset), group_by_image(dataset)
    categories = {category.id: category.name for category in dataset.categories}
    return [
        ExportFile(names[image.id], partial(_xml, image, pictures[image.id], groups[image.id], categories))
        for image in dataset.images
    ]


def _xml(image: ImageRecord, picture: str, corrections: Sequence[Correction], categories: Mapping[int, str]) -> bytes:
    root = ElementTree.Element("annotation")
    _add(root, "folder", PurePosixPath(picture).parent.as_posix())
    _add(root, "filename", PurePosixPath(picture).name)
    _add(ElementTree.SubElement(root, "source"), "database", "BoxRefine")
    size = ElementTree.SubElement(root, "size")
    for tag, number in (("width", image.width), ("height", image.height), ("depth", 3)):
        _add(size, tag, str(number))
    _add(root, "segmented", "0")
    for correction in corrections:
        _add_object(root, categories[correction.category_id], pixels(correction.accepted, image))
    ElementTree.indent(root)
    text: str = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()  # untranslated: XML


def pixels(box: Box, image: ImageRecord) -> tuple[int, int, int, int]:
    """VOC's xmin, ymin, xmax, ymax: whole pixels that count from 1 and include the last one, inside the image."""
    x1, y1, x2, y2 = clip_to_image(box, image)
    xmin, ymin = min(round(x1) + 1, image.width), min(round(y1) + 1, image.height)
    return xmin, ymin, max(round(x2), xmin), max(round(y2), ymin)


def _add_object(root: ElementTree.Element, category: str, corners: Sequence[int]) -> None:
    entry = ElementTree.SubElement(root, "object")
    for tag, text in (("name", category), ("pose", "Unspecified"), ("truncated", "0"), ("difficult", "0")):
        _add(entry, tag, text)
    bndbox = ElementTree.SubElement(entry, "bndbox")
    for tag, number in zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True):
        _add(bndbox, tag, str(number))


def _add(parent: ElementTree.Element, tag: str, text: str) -> None:
    """Add an element, replacing characters that XML cannot hold: control characters and lone surrogates."""
    ElementTree.SubElement(parent, tag).text = _NOT_XML.sub("?", text)
