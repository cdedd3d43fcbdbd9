"""Annotation files of one picture each: Pascal VOC (XML), YOLO (text) and LabelMe (JSON), read one by one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

from core.bounded import MEGA, read_bytes, read_text
from core.errors import BadFileError, reason
from core.formats.importers.coco_reader import is_number, read_json_steps
from core.formats.importers.found import NO_CATEGORY
from core.geometry import Box
from core.progress import run
from core.text import name_of

LARGEST_LABELS = 64 * MEGA
"""Of one picture's labels."""

MOST_CLASSES = 1_000_000

_SHAPES_WITH_CORNERS = ("rectangle", "polygon", "linestrip", "")


class NotedBox(NamedTuple):
    """A box and the name of its category."""

    category: str
    box: Box


@dataclass
class NotedPicture:
    """What one file says of one picture.

    `name` is the picture's, without a suffix in YOLO's files. `width` and `height` are 0 where the file does not tell;
    boxes are pixels, or (`is_relative`) parts of the picture's sides. `problems` has a sentence for each unusable box.
    """

    file: Path
    name: str
    width: int = 0
    height: int = 0
    boxes: list[NotedBox] = field(default_factory=list)
    is_relative: bool = False
    problems: list[str] = field(default_factory=list)

    def add(self, category: object, numbers: Sequence[object], *, where: str) -> None:
        """A box of x1, y1, x2, y2 or of more corners, with its category (empty: none); what is none is a problem."""
        usable = [float(value) for value in numbers if is_number(value) and math.isfinite(value)]
        xs, ys = usable[::2], usable[1::2]
        is_unnamed = category is None or (isinstance(category, str) and not category.strip())
        name = NO_CATEGORY if is_unnamed else name_of(category)
        if name is None:
            self.problems.append(f"In {self.file}, {where} has a name that cannot be used: correct or delete it.")
        elif len(usable) != len(numbers) or len(xs) < 2 or len(xs) != len(ys):
            self.problems.append(f"In {self.file}, {where} has no box of numbers: correct or delete it.")
        elif max(xs) <= min(xs) or max(ys) <= min(ys):
            self.problems.append(f"In {self.file}, {where} has a box without area: correct or delete it.")
        else:
            self.boxes.append(NotedBox(name, Box(min(xs), min(ys), max(xs), max(ys))))


def read_voc(file: Path) -> NotedPicture:
    """A VOC file; its pixels count from 1 and the last one in, as our own export has it. Raises BadFileError."""
    try:
        root = ElementTree.fromstring(read_bytes(file, limit=LARGEST_LABELS))
    except Exception as error:  # the parser raises LookupError too, for an encoding that nobody knows, and others
        raise BadFileError(f"{file} cannot be read as Pascal VOC ({reason(error)}): export it again.") from error
    if root.tag != "annotation":
        raise BadFileError(f"{file} is no Pascal VOC file: give one whose outermost tag is <annotation>.")
    size = [_number(root.findtext(f"size/{side}")) for side in ("width", "height")]
    width, height = (round(side) if side is not None and 0 < side < 1e9 else 0 for side in size)
    noted = NotedPicture(file, (root.findtext("filename") or "").strip() or file.stem, width, height)
    for place, entry in enumerate(root.iter("object"), start=1):
        low = [_number(entry.findtext(f"bndbox/{edge}")) for edge in ("xmin", "ymin")]
        high = [_number(entry.findtext(f"bndbox/{edge}")) for edge in ("xmax", "ymax")]
        first = [None if value is None else value - 1 for value in low]
        noted.add(entry.findtext("name"), [*first, *high], where=f"the object {place}")
    return noted


def read_yolo(file: Path, classes: Mapping[int, str], *, name: str) -> NotedPicture:
    """A YOLO label file: class, centre and size as parts of the sides, or a class and corners. Raises BadFileError."""
    try:
        text = read_text(file, limit=LARGEST_LABELS, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise BadFileError(f"{file} cannot be read as YOLO labels ({reason(error)}): export it again.") from error
    noted = NotedPicture(file, name, is_relative=True)
    for place, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        first, *numbers = (_number(part) for part in line.split())
        number = int(first) if first is not None and 0 <= first < MOST_CLASSES and first == int(first) else None
        where = f"the line {place}"
        if number is None:
            noted.problems.append(f"In {file}, {where} starts with no class: correct or delete it.")
        else:
            noted.add(classes.get(number, f"class {number}"), _corners(numbers), where=where)
    return noted


def read_labelme(file: Path, document: Any = None) -> NotedPicture:  # noqa: ANN401 - raw JSON
    """A LabelMe file; shapes with corners or a circle give the box around them. Raises BadFileError."""
    document = run(read_json_steps(file)) if document is None else document
    if not is_labelme(document):
        raise BadFileError(f"{file} is no LabelMe file: give one with shapes and an imagePath.")
    sizes = (document.get("imageWidth"), document.get("imageHeight"))
    width, height = (round(side) if is_number(side) and 0 < side < 1e9 else 0 for side in sizes)
    noted = NotedPicture(file, str(document["imagePath"]), width, height)
    for place, shape in enumerate(document["shapes"], start=1):
        shape = shape if isinstance(shape, dict) else {}
        kind, points, where = shape.get("shape_type") or "", shape.get("points"), f"the shape {place}"
        corners: list[object] = [value for point in _points(points) for value in point]
        if kind == "circle" and len(corners) == 4:
            corners = _around_circle(corners)
        elif kind not in _SHAPES_WITH_CORNERS:
            corners = []
        noted.add(shape.get("label"), corners, where=where)
    return noted


def is_labelme(document: object) -> bool:
    """Whether a JSON document is LabelMe's."""
    is_whole = isinstance(document, dict) and isinstance(document.get("imagePath"), str)
    return is_whole and isinstance(document, dict) and isinstance(document.get("shapes"), list)


def _corners(numbers: Sequence[float | None]) -> Sequence[float | None]:
    """x1, y1, x2, y2 of a centre and a size (a sixth number is how sure a detector was); corners as they are."""
    if len(numbers) not in (4, 5):
        return numbers if len(numbers) >= 6 else []
    x, y, width, height = numbers[:4]
    if x is None or y is None or width is None or height is None or width <= 0 or height <= 0:
        return []
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _around_circle(points: Sequence[object]) -> list[object]:
    """LabelMe has a circle's centre and a point on it."""
    if not all(is_number(value) for value in points):
        return []
    x, y, other_x, other_y = (float(value) for value in points if is_number(value))
    radius = math.hypot(other_x - x, other_y - y)
    return [x - radius, y - radius, x + radius, y + radius]


def _points(points: object) -> list[list[object]]:
    """A list of pairs; none where it is anything else."""
    is_list = isinstance(points, list) and all(isinstance(point, list) and len(point) == 2 for point in points)
    return points if is_list and isinstance(points, list) else []


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None
