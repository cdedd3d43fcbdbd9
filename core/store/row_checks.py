"""Read and check values of rows, because a file may hold anything, and SQLite does not enforce types."""

from __future__ import annotations

import json
import math
import re
from functools import lru_cache
from typing import Any

from core.geometry import Box
from core.translation import tr, tr_plural

Row = dict[str, Any]

_NUMBER = r"(-?[0-9]+\.[0-9]+)"
_FOUR = re.compile(rf"\[{_NUMBER}, {_NUMBER}, {_NUMBER}, {_NUMBER}\]")

LARGEST_SIDE = 1 << 31
"""Largest width or height of a picture in pixels; Qt and OpenCV count with 32 bits."""


class BadRow(Exception):
    """A row with an invalid value; the message names the column and the problem."""


def text_in(row: Row, name: str) -> str:
    """A text of valid Unicode."""
    value = row[name]
    if type(value) is not str:
        raise BadRow(tr("{column} is no text", column=name))
    if not is_unicode(value):
        raise BadRow(tr("{column} is no valid UTF-8", column=name))
    return value


def whole_number_in(row: Row, name: str, *, least: int = 1, most: int = LARGEST_SIDE) -> int:
    """A whole number of a range."""
    value = row[name]
    if type(value) is not int or not least <= value <= most:
        raise BadRow(tr("{column} is no whole number from {least} to {most}", column=name, least=least, most=most))
    return value


def id_in(row: Row, name: str = "id", *, least: int = 1) -> int:
    """The id of this row or of another one; 0 stands for none."""
    return whole_number_in(row, name, least=least, most=2**63 - 1)


def flag_in(row: Row, name: str) -> bool:
    """0 or 1."""
    return bool(whole_number_in(row, name, least=0, most=1))


def number_in(row: Row, name: str) -> float:
    """A finite number."""
    value = row[name]
    if type(value) not in (float, int) or not math.isfinite(value):
        raise BadRow(tr("{column} is no finite number", column=name))
    return float(value)


def json_in(row: Row, name: str) -> object:
    """The value of a column with JSON."""
    return json_of(row[name], name)


def json_of(text: object, name: str) -> object:
    """The value of a JSON text; `name` is its column, for errors."""
    if type(text) is not str:
        raise BadRow(tr("{column} is no text", column=name))
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRow(tr("{column} is no valid JSON", column=name)) from error
    return value


def mapping_in(row: Row, name: str) -> dict[str, Any]:
    """A JSON object."""
    value = json_in(row, name)
    if not isinstance(value, dict):
        raise BadRow(tr("{column} is no JSON object", column=name))
    return value


def numbers_of(values: object, name: str, *, count: int) -> list[float]:
    """A JSON array of `count` finite numbers."""
    if not isinstance(values, list) or len(values) != count or not {*map(type, values)} <= {float, int}:
        raise BadRow(tr_plural("{column} is not {count} number", "{column} is not {count} numbers", count, column=name))
    try:
        numbers = [float(value) for value in values]
    except OverflowError as error:
        raise BadRow(tr("{column} has a number that is too large", column=name)) from error
    if not all(map(math.isfinite, numbers)):
        raise BadRow(tr("{column} has a number that is not finite", column=name))
    return numbers


def box_of(values: object, name: str) -> Box:
    """A box with an area."""
    box = Box(*numbers_of(values, name, count=4))
    if not (box.x2 > box.x1 and box.y2 > box.y1):
        raise BadRow(tr("{column} is a box without an area", column=name))
    return box


def box_in(row: Row, name: str) -> Box:
    """A box with an area, as JSON."""
    text = row[name]
    found = _box_in_text(text) if type(text) is str else None
    return box_of(json_in(row, name), name) if found is None else found


@lru_cache(maxsize=64)  # the boxes of a row are often the same
def _box_in_text(text: str) -> Box | None:
    """The box of a text that `box_text` has written, None if it is another one, or not usable."""
    found = _FOUR.fullmatch(text)
    if found is None:
        return None
    x1, y1, x2, y2 = map(float, found.groups())
    return Box(x1, y1, x2, y2) if x2 > x1 and y2 > y1 and math.isfinite(x1 + y1 + x2 + y2) else None


def outline_in(row: Row, name: str) -> tuple[tuple[float, ...], ...]:
    """Polygons as JSON; NULL stands for none."""
    if row[name] is None:
        return ()
    polygons = json_in(row, name)
    if not isinstance(polygons, list) or not all(type(polygon) is list for polygon in polygons):
        raise BadRow(tr("{column} is no list of polygons", column=name))
    for polygon in polygons:
        if len(polygon) % 2:
            raise BadRow(tr("{column} has a point with one coordinate", column=name))
        numbers_of(polygon, name, count=len(polygon))
    return tuple(tuple(polygon) for polygon in polygons)


def is_unicode(text: str) -> bool:
    """Whether a text has no lone surrogates, which stand for bytes of invalid UTF-8."""
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
