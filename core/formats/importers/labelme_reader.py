"""Read LabelMe and X-AnyLabeling: a JSON file for each picture, with shapes of points in pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.formats.importers.parsed import ParsedPicture, is_number, number_in, side_of
from core.formats.importers.yolo_reader import place_of
from core.translation import tr

LABELME = "LabelMe"  # untranslated: the name of a format

_SHAPES_WITH_CORNERS = (
    *("rectangle", "polygon", "linestrip", "mask", "rotation", "quadrilateral", "oriented_rectangle", "cuboid", ""),
)


def is_labelme(document: object) -> bool:
    """Whether a JSON document is in LabelMe's format."""
    is_whole = isinstance(document, dict) and isinstance(document.get("imagePath"), str)
    return is_whole and isinstance(document, dict) and isinstance(document.get("shapes"), list)


def read_labelme(file: Path, document: dict[str, Any], *, root: Path) -> ParsedPicture:
    """Read a LabelMe document; shapes become the box around them, and a mask the box that it fills.

    `root` is the folder that the place of the file is relative to.
    """
    width, height = (side_of(document.get(side)) for side in ("imageWidth", "imageHeight"))
    stated = str(document["imagePath"]).strip()
    names = (place_of(file, root), *([stated] if stated else []))
    entry = {key: value for key, value in document.items() if key not in ("shapes", "imageData")}
    picture = ParsedPicture(file, names, width, height, is_own_file=True, entry=entry)
    for place, shape in enumerate(document["shapes"], start=1):
        shape = shape if isinstance(shape, dict) else {}
        kind = str(shape.get("shape_type") or "").casefold()
        corners: list[object] = [_number(value) for point in _points(shape.get("points")) for value in point]
        if kind == "circle" and len(corners) == 4:
            corners = _around_circle(corners)
        elif kind not in _SHAPES_WITH_CORNERS:
            corners = []
        where = tr("the shape {number}", number=place)
        picture.add(shape.get("label"), corners, where=where, score=shape.get("score"), entry=shape, format=LABELME)
    return picture


def _around_circle(points: Sequence[object]) -> list[object]:
    """The box around a circle, which LabelMe stores as its center and a point on it."""
    if not all(is_number(value) for value in points):
        return []
    x, y, other_x, other_y = (float(value) for value in points if is_number(value))
    radius = math.hypot(other_x - x, other_y - y)
    return [x - radius, y - radius, x + radius, y + radius]


def _number(value: object) -> object:
    """The number that a text stands for; anything else as it is."""
    return number_in(value) if isinstance(value, str) else value


def _points(points: object) -> list[list[object]]:
    """Return a list of pairs as it is, and an empty list for anything else."""
    is_list = isinstance(points, list) and all(isinstance(point, list) and len(point) == 2 for point in points)
    return points if is_list and isinstance(points, list) else []
