"""Values of rows as the project file has them, each checked: a file may hold anything, and SQLite enforces no types."""

from __future__ import annotations

import json
import math
from typing import Any

from core.geometry import Box

Row = dict[str, Any]

LARGEST_SIDE = 1 << 31
"""No picture has more pixels on a side, and Qt and OpenCV count them with 32 bits."""


class BadRow(Exception):
    """A row that cannot be used; the message says which column is wrong and how."""


def text_in(row: Row, name: str) -> str:
    """A text of valid Unicode."""
    value = row[name]
    if type(value) is not str:
        raise BadRow(f"{name} is no text")
    if not is_unicode(value):
        raise BadRow(f"{name} is no valid UTF-8")
    return value


def whole_number_in(row: Row, name: str, *, least: int = 1, most: int = LARGEST_SIDE) -> int:
    """A whole number of a range."""
    value = row[name]
    if type(value) is not int or not least <= value <= most:
        raise BadRow(f"{name} is no whole number from {least} to {most}")
    return value


def id_in(row: Row, name: str = "id", *, least: int = 1) -> int:
    """The id of a row, this one or another; 0 is none yet."""
    return whole_number_in(row, name, least=least, most=2**63 - 1)


def flag_in(row: Row, name: str) -> bool:
    """0 or 1."""
    return bool(whole_number_in(row, name, least=0, most=1))


def number_in(row: Row, name: str) -> float:
    """A finite number."""
    value = row[name]
    if type(value) not in (float, int) or not math.isfinite(value):
        raise BadRow(f"{name} is no finite number")
    return float(value)


def json_in(row: Row, name: str) -> object:
    """What a text of JSON says."""
    return json_of(row[name], name)


def json_of(text: object, name: str) -> object:
    """The same of a value that was read alone."""
    if type(text) is not str:
        raise BadRow(f"{name} is no text")
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRow(f"{name} is no valid JSON") from error
    return value


def mapping_in(row: Row, name: str) -> dict[str, Any]:
    """A JSON object."""
    value = json_in(row, name)
    if not isinstance(value, dict):
        raise BadRow(f"{name} is no JSON object")
    return value


def numbers_of(values: object, name: str, *, count: int) -> list[float]:
    """So many finite numbers of a JSON array."""
    if not isinstance(values, list) or len(values) != count or not {*map(type, values)} <= {float, int}:
        raise BadRow(f"{name} is not {count} numbers")
    try:
        numbers = [float(value) for value in values]
    except OverflowError as error:
        raise BadRow(f"{name} has a number that is too large") from error
    if not all(map(math.isfinite, numbers)):
        raise BadRow(f"{name} has a number that is not finite")
    return numbers


def box_of(values: object, name: str) -> Box:
    """A box with an area."""
    box = Box(*numbers_of(values, name, count=4))
    if not (box.x2 > box.x1 and box.y2 > box.y1):
        raise BadRow(f"{name} is a box without an area")
    return box


def box_in(row: Row, name: str) -> Box:
    """A box with an area, as JSON."""
    return box_of(json_in(row, name), name)


def outline_in(row: Row, name: str) -> tuple[tuple[float, ...], ...]:
    """Polygons as JSON, none where there is no text."""
    if row[name] is None:
        return ()
    polygons = json_in(row, name)
    if not isinstance(polygons, list) or not all(type(polygon) is list for polygon in polygons):
        raise BadRow(f"{name} is no list of polygons")
    for polygon in polygons:
        if len(polygon) % 2:
            raise BadRow(f"{name} has a point with one coordinate")
        numbers_of(polygon, name, count=len(polygon))
    return tuple(tuple(polygon) for polygon in polygons)


def is_unicode(text: str) -> bool:
    """Whether a text has no lone surrogates, which stand for bytes that were no UTF-8."""
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
