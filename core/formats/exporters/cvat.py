"""CVAT for images 1.1 export: one XML file with all images; with splits, each image names its own as its subset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import PurePath, PurePosixPath
from xml.etree import ElementTree

from core.formats.choices import NO_SPLITS, Splits
from core.formats.exporters.layout import below, clip_to_image, group_by_image, in_splits, picture_names
from core.formats.exporters.voc import xml_text
from core.formats.safe_write import ExportFile
from core.records import Correction, Dataset, ImageRecord

MAIN_FILE = "annotations.xml"


def files(dataset: Dataset, *, splits: Splits = NO_SPLITS) -> list[ExportFile]:
    """One file; edges are in pixels from 0, hundredths, as CVAT writes them."""
    return [ExportFile(PurePosixPath(MAIN_FILE), partial(_document, dataset, splits))]


def picture_places(dataset: Dataset, splits: Splits = NO_SPLITS) -> dict[int, PurePosixPath]:
    """Image id -> where its picture goes: below images/, whatever its split is."""
    del splits
    return {id: below(PurePosixPath("images"), PurePath(name)) for id, name in picture_names(dataset).items()}


def _document(dataset: Dataset, splits: Splits) -> Iterator[bytes]:
    groups, names = group_by_image(dataset), picture_names(dataset)
    categories = {category.id: category.name for category in dataset.categories}
    yield b'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n'
    yield _line(_meta(list(categories.values()), [split for split, _ in in_splits(dataset, splits) if split]))
    for number, image in enumerate(dataset.images):
        yield _line(_image(number, image, names[image.id], splits.get(image.id, ""), groups[image.id], categories))
    yield b"</annotations>\n"


def _meta(names: Sequence[str], subsets: Sequence[str]) -> ElementTree.Element:
    """The labels of a task, or with subsets of a project with a task for each of them."""
    meta = ElementTree.Element("meta")
    whole = ElementTree.SubElement(meta, "project" if subsets else "task")
    if subsets:
        ElementTree.SubElement(whole, "subsets").text = "\n".join(subsets)
        tasks = ElementTree.SubElement(whole, "tasks")
        for subset in subsets:
            ElementTree.SubElement(ElementTree.SubElement(tasks, "task"), "subset").text = subset
    labels = ElementTree.SubElement(whole, "labels")
    for name in names:
        ElementTree.SubElement(ElementTree.SubElement(labels, "label"), "name").text = xml_text(name)
    ElementTree.indent(meta)
    return meta


def _image(
    number: int,
    image: ImageRecord,
    name: str,
    split: str,
    corrections: Sequence[Correction],
    categories: Mapping[int, str],
) -> ElementTree.Element:
    told = {"id": str(number), "name": xml_text(name), **({"subset": split} if split else {})}
    element = ElementTree.Element("image", told | {"width": str(image.width), "height": str(image.height)})
    for item in corrections:
        edges = zip(("xtl", "ytl", "xbr", "ybr"), clip_to_image(item.accepted, image), strict=True)
        label = xml_text(categories[item.category_id])
        shape = {"label": label, "source": "manual", "occluded": "0", "z_order": "0"}
        ElementTree.SubElement(element, "box", shape | {key: f"{edge:.2f}" for key, edge in edges})
    return element


def _line(element: ElementTree.Element) -> bytes:
    text: str = ElementTree.tostring(element, encoding="unicode")
    return f"{text}\n".encode()
