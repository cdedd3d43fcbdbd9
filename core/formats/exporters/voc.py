"""Pascal VOC export: one XML file an image in Annotations/, with the pixel numbers of the VOC development kit.

VOC counts pixels from 1 and counts the last one in: a box over the first pixel alone is xmin = xmax = 1. So xmin and
ymin are our rounded x1 + 1 and y1 + 1, and xmax and ymax are our rounded x2 and y2, which are exclusive and count
from 0. Pictures are not copied.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import PurePosixPath
from xml.etree import ElementTree

from core.formats.exporters.layout import by_image, clamped, picture_names, side_file_names
from core.formats.safe_write import ExportFile
from core.geometry import Box
from core.records import Correction, Dataset, ImageRecord

MAIN_FILE = "Annotations"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def files(dataset: Dataset) -> list[ExportFile]:
    """One XML file an image, without objects where it has no boxes; subfolders as the pictures have them."""
    names = side_file_names(dataset, folder=MAIN_FILE, suffix=".xml")
    pictures, groups = picture_names(dataset), by_image(dataset)
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
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()


def pixels(box: Box, image: ImageRecord) -> tuple[int, int, int, int]:
    """xmin, ymin, xmax, ymax of VOC: whole pixels from 1, the last one counted in, inside the image."""
    x1, y1, x2, y2 = clamped(box, image)
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
    """XML has no place for control characters, nor for a file name's bytes that are no Unicode."""
    ElementTree.SubElement(parent, tag).text = _NOT_XML.sub("?", text)
