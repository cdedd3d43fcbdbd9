"""Read VIA 3: the JSON of a project with files, views and metadata; shapes are lists of numbers in pixels."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from core.formats.importers.book import Book, EntryFormat
from core.formats.importers.parsed import NO_CATEGORY, category_of
from core.formats.importers.shapes import around_ellipse, floats, from_corner
from core.formats.importers.via_reader import choose_attribute
from core.translation import tr

VIA_3 = "VIA 3"  # untranslated: the name of a format

_ANCHORS = ("FILE1_Z0_XY1", "FILE1_Z1_XY1")
"""Attributes of a region in a picture, and of one in a frame of a video."""

_POINT, _RECTANGLE, _CIRCLE, _ELLIPSE, _LINE, _POLYLINE, _POLYGON, _EXTREME, _EXTREME_CIRCLE = range(1, 10)
_POINTS = (_LINE, _POLYLINE, _POLYGON, _EXTREME)


@dataclass(frozen=True)
class _Whole:
    """What regions need of the whole file: names of pictures by views, the attribute of categories, its options."""

    names: Mapping[str, object]
    attribute: str
    options: Mapping[str, Any]


def _sniff(document: object) -> bool:
    return isinstance(document, dict) and all(
        isinstance(document.get(key), dict) for key in ("metadata", "view", "file")
    )


def _entries(book: Book, document: dict[str, Any]) -> Iterator[tuple[str, object, _Whole]]:
    """Each view, so that pictures without regions are listed, then each region with what it needs of the file."""
    files = {id: _mapping(file).get("fname") for id, file in document["file"].items()}
    names: dict[str, object] = {}
    for id, view in document["view"].items():
        listed = _mapping(view).get("fid_list")
        if isinstance(listed, list) and len(listed) == 1:
            names[id] = files.get(str(listed[0]))
    attributes = {
        id: attribute
        for id, attribute in _mapping(document.get("attribute")).items()
        if _mapping(attribute).get("anchor_id") in _ANCHORS
    }
    titles = {str(_mapping(attribute).get("aname")): id for id, attribute in attributes.items()}
    attribute = titles.get(choose_attribute(book, list(titles)), "")
    options = _mapping(_mapping(attributes.get(attribute)).get("options"))
    found = [category_of(name) for name in options.values()]
    book.parsed.categories += [name for name in found if name is not None and name != NO_CATEGORY]
    whole = _Whole(names, attribute, options)
    for id in names:
        yield id, None, whole
    for id, region in document["metadata"].items():
        yield id, region, whole


def _add(book: Book, number: int, entry: tuple[str, object, _Whole]) -> None:
    id, region, whole = entry
    del number
    where = tr("the entry {id}", id=id)
    name = whole.names.get(id if region is None else str(_mapping(region).get("vid")))
    if isinstance(name, str) and "/" in name:
        name = PurePosixPath(name.split("?")[0]).as_posix()
    picture = book.picture(name, where)
    shape, times = (_mapping(region).get(key) for key in ("xy", "z"))
    if picture is None or region is None or not isinstance(shape, list) or not shape:
        return  # a mark in time, or of the whole file
    if times:
        book.note(tr("{file} has regions in videos, whose frames have no names: left out.", file=book.path))
    elif shape[0] == _POINT:
        book.note_left_out("point")
    else:
        picture.add(_label(_mapping(_mapping(region).get("av")), whole), _corners(shape), where=where)


def _label(values: Mapping[str, Any], whole: _Whole) -> object:
    """The name of the option that a region has; of several, the first; text as it is."""
    value = values.get(whole.attribute)
    if not whole.options or not isinstance(value, str):
        return value
    first = value.split(",")[0]
    return whole.options.get(first, value)


def _corners(shape: list[Any]) -> list[float]:
    kind, values = shape[0], shape[1:]
    if kind == _RECTANGLE:
        return from_corner(values)
    if kind == _CIRCLE and len(values) == 3:
        return around_ellipse([*values, values[2]])
    if kind == _ELLIPSE:
        return around_ellipse(values)
    if kind == _EXTREME_CIRCLE:
        return _around_circle(floats(values))
    return floats(values) if kind in _POINTS else []


def _around_circle(points: list[float]) -> list[float]:
    """The box around the circle through three points; empty if there is none."""
    if len(points) != 6:
        return []
    ax, ay, bx, by, cx, cy = points
    twice = 2 * (ax * (by - cy) + bx * (cy - ay) + cx * (ay - by))
    if not twice:
        return []
    squares = [ax * ax + ay * ay, bx * bx + by * by, cx * cx + cy * cy]
    x = (squares[0] * (by - cy) + squares[1] * (cy - ay) + squares[2] * (ay - by)) / twice
    y = (squares[0] * (cx - bx) + squares[1] * (ax - cx) + squares[2] * (bx - ax)) / twice
    radius = math.hypot(ax - x, ay - y)
    return around_ellipse([x, y, radius, radius])


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


FORMAT = EntryFormat(VIA_3, _sniff, _entries, _add)
