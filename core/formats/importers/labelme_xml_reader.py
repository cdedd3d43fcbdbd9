"""Read the XML of the first LabelMe, the web page of MIT: a file for each picture, with polygons in pixels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

from core.formats.importers.parsed import ParsedPicture, ParsedSet, number_in, side_of
from core.formats.importers.yolo_reader import place_of
from core.progress import Job, Progress
from core.translation import tr

LABELME_XML = "LabelMe XML"  # untranslated: the name of a format

_STEP = 50
_TRUE = ("1", "yes", "true")  # untranslated: values in files


def is_labelme_xml(root: ElementTree.Element) -> bool:
    """Whether an `<annotation>` is of LabelMe: its objects are polygons of `<pt>`, or it has an `<imagesize>`."""
    if root.find("object/bndbox") is not None:
        return False
    return root.find("object/polygon/pt") is not None or root.find("imagesize") is not None


def read_labelme_xml(elements: Mapping[Path, ElementTree.Element], *, root: Path, title: str) -> Job[ParsedSet]:
    """Read files that are parsed already; a shape becomes the box around it, and deleted ones are left out."""
    parsed = ParsedSet(LABELME_XML)
    for done, (file, element) in enumerate(elements.items()):
        if done % _STEP == 0:
            yield Progress(done, len(elements), tr("Importing {name}", name=title))
        stated = (element.findtext("filename") or "").strip()
        names = (place_of(file, root), *([stated] if stated else []))
        width, height = (side_of(element.findtext(f"imagesize/{side}")) for side in ("ncols", "nrows"))
        picture = ParsedPicture(file, names, width, height, is_own_file=True)
        for place, entry in enumerate(element.iterfind("object"), start=1):
            if (entry.findtext("deleted") or "").strip().casefold() not in _TRUE:
                where = tr("the object {number}", number=place)
                picture.add(entry.findtext("name"), _corners(entry), where=where)
        parsed.pictures.append(picture)
    return parsed


def _corners(entry: ElementTree.Element) -> list[float | None]:
    """The points of a polygon, or the corners of a mask's box."""
    points = entry.findall("polygon/pt")
    if points:
        return [number_in(point.findtext(axis)) for point in points for axis in ("x", "y")]
    return [number_in(entry.findtext(f"segm/box/{edge}")) for edge in ("xmin", "ymin", "xmax", "ymax")]
