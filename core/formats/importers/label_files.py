"""Read annotation files of one picture each: Pascal VOC (XML), YOLO (text) and LabelMe (JSON)."""

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
from core.translation import tr

LARGEST_LABELS = 64 * MEGA
"""Largest label file of one picture, in bytes."""

MOST_CLASSES = 1_000_000

_SHAPES_WITH_CORNERS = ("rectangle", "polygon", "linestrip", "")


class ParsedBox(NamedTuple):
    """A box and the name of its category."""

    category: str
    box: Box


@dataclass
class ParsedLabels:
    """The contents of one label file.

    `name` is the picture's, without a suffix for YOLO. `width` and `height` are 0 if the file does not have them. Boxes
    are in pixels, or, if `is_relative`, in fractions of the picture's sides. `problems` has a sentence for each
    unusable box.
    """

    file: Path
    name: str
    width: int = 0
    height: int = 0
    boxes: list[ParsedBox] = field(default_factory=list)
    is_relative: bool = False
    problems: list[str] = field(default_factory=list)

    def add(self, category: object, numbers: Sequence[object], *, where: str) -> None:
        """Add the box around the points x1, y1, x2, y2, ... with its category (empty: none), or a problem.

        `where` names the entry in the file for the problem, such as `the line 3`.
        """
        usable = [float(value) for value in numbers if is_number(value) and math.isfinite(value)]
        xs, ys = usable[::2], usable[1::2]
        is_unnamed = category is None or (isinstance(category, str) and not category.strip())
        name = NO_CATEGORY if is_unnamed else name_of(category)
        if name is None:
            self._add_problem(tr("In {file}, {where} has a name that cannot be used: correct or delete it."), where)
        elif len(usable) != len(numbers) or len(xs) < 2 or len(xs) != len(ys):
            self._add_problem(tr("In {file}, {where} has no box of numbers: correct or delete it."), where)
        elif max(xs) <= min(xs) or max(ys) <= min(ys):
            self._add_problem(tr("In {file}, {where} has a box without area: correct or delete it."), where)
        else:
            self.boxes.append(ParsedBox(name, Box(min(xs), min(ys), max(xs), max(ys))))

    def _add_problem(self, sentence: str, where: str) -> None:
        self.problems.append(sentence.format(file=self.file, where=where))


def read_voc(file: Path) -> ParsedLabels:
    """Read a VOC file, whose pixels count from 1 and include the last one. Raises BadFileError."""
    try:
        root = ElementTree.fromstring(read_bytes(file, limit=LARGEST_LABELS))
    except Exception as error:  # the parser also raises LookupError for an unknown encoding, and others
        raise BadFileError(
            tr("{file} cannot be read as Pascal VOC ({why}): export it again.", file=file, why=reason(error))
        ) from error
    if root.tag != "annotation":
        raise BadFileError(tr("{file} is no Pascal VOC file: give one whose outermost tag is <annotation>.", file=file))
    size = [_number(root.findtext(f"size/{side}")) for side in ("width", "height")]
    width, height = (round(side) if side is not None and 0 < side < 1e9 else 0 for side in size)
    labels = ParsedLabels(file, (root.findtext("filename") or "").strip() or file.stem, width, height)
    for place, entry in enumerate(root.iter("object"), start=1):
        low = [_number(entry.findtext(f"bndbox/{edge}")) for edge in ("xmin", "ymin")]
        high = [_number(entry.findtext(f"bndbox/{edge}")) for edge in ("xmax", "ymax")]
        first = [None if value is None else value - 1 for value in low]
        labels.add(entry.findtext("name"), [*first, *high], where=tr("the object {number}", number=place))
    return labels


def read_yolo(file: Path, classes: Mapping[int, str], *, name: str) -> ParsedLabels:
    """Read a YOLO label file: lines of a class with center and size, or with corners, in fractions of the sides.

    Raises BadFileError.
    """
    try:
        text = read_text(file, limit=LARGEST_LABELS, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise BadFileError(
            tr("{file} cannot be read as YOLO labels ({why}): export it again.", file=file, why=reason(error))
        ) from error
    labels = ParsedLabels(file, name, is_relative=True)
    for place, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        first, *numbers = (_number(part) for part in line.split())
        number = int(first) if first is not None and 0 <= first < MOST_CLASSES and first == int(first) else None
        where = tr("the line {number}", number=place)
        if number is None:
            labels.problems.append(
                tr("In {file}, {where} starts with no class: correct or delete it.", file=file, where=where)
            )
        else:
            labels.add(classes.get(number, f"class {number}"), _corners(numbers), where=where)
    return labels


def read_labelme(file: Path, document: Any = None) -> ParsedLabels:  # noqa: ANN401 - raw JSON
    """Read a LabelMe file; polygons, lines and circles become the box around them. Raises BadFileError."""
    document = run(read_json_steps(file)) if document is None else document
    if not is_labelme(document):
        raise BadFileError(tr("{file} is no LabelMe file: give one with shapes and an imagePath.", file=file))
    sizes = (document.get("imageWidth"), document.get("imageHeight"))
    width, height = (round(side) if is_number(side) and 0 < side < 1e9 else 0 for side in sizes)
    labels = ParsedLabels(file, str(document["imagePath"]), width, height)
    for place, shape in enumerate(document["shapes"], start=1):
        shape = shape if isinstance(shape, dict) else {}
        kind = shape.get("shape_type") or ""
        corners: list[object] = [value for point in _points(shape.get("points")) for value in point]
        if kind == "circle" and len(corners) == 4:
            corners = _around_circle(corners)
        elif kind not in _SHAPES_WITH_CORNERS:
            corners = []
        labels.add(shape.get("label"), corners, where=tr("the shape {number}", number=place))
    return labels


def is_labelme(document: object) -> bool:
    """Whether a JSON document is in LabelMe's format."""
    is_whole = isinstance(document, dict) and isinstance(document.get("imagePath"), str)
    return is_whole and isinstance(document, dict) and isinstance(document.get("shapes"), list)


def _corners(numbers: Sequence[float | None]) -> Sequence[float | None]:
    """Convert center and size (and a detector's confidence) to x1, y1, x2, y2; return corners as they are."""
    if len(numbers) not in (4, 5):
        return numbers if len(numbers) >= 6 else []
    x, y, width, height = numbers[:4]
    if x is None or y is None or width is None or height is None or width <= 0 or height <= 0:
        return []
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _around_circle(points: Sequence[object]) -> list[object]:
    """The box around a circle, which LabelMe stores as its center and a point on it."""
    if not all(is_number(value) for value in points):
        return []
    x, y, other_x, other_y = (float(value) for value in points if is_number(value))
    radius = math.hypot(other_x - x, other_y - y)
    return [x - radius, y - radius, x + radius, y + radius]


def _points(points: object) -> list[list[object]]:
    """Return a list of pairs as it is, and an empty list for anything else."""
    is_list = isinstance(points, list) and all(isinstance(point, list) and len(point) == 2 for point in points)
    return points if is_list and isinstance(points, list) else []


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None
