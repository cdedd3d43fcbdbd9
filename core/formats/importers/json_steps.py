"""JSON in steps: a file of hundreds of megabytes is parsed entry by entry, so that a window can go on meanwhile.

`json.loads` keeps all other threads of Python waiting until it is done, some seconds for a file of COCO's own size.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from typing import Any

from core.progress import Job, Progress

STEP = 1000
"""Entries between two steps."""

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()
_LONGEST_NUMBER = 1000
_BRACKETS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\Z)|[\[\]{}]', re.DOTALL)


def _whole_number(text: str) -> float | int:
    """Python refuses to read a whole number of thousands of digits; for us it is as good as infinity."""
    return int(text) if len(text) <= _LONGEST_NUMBER else float(text)


_LENIENT = json.JSONDecoder(parse_int=_whole_number)  # takes longer, so it is for those entries alone that need it


def parse_steps(text: str, *, name: str) -> Job[Any]:
    """The value in `text`; of an object, the entries of its lists are parsed one by one.

    An entry that is nested too deep is None. Progress is in characters. Raises ValueError where it is no JSON.
    """
    at = _skip(text, 0)
    if text[at : at + 1] != "{":
        value, at = _decoded(text, at)
        _nothing_after(text, at)
        return value
    found: dict[str, Any] = {}
    at = _skip(text, at + 1)
    while text[at : at + 1] != "}":
        key, at = _decoded(text, at)
        if not isinstance(key, str):
            raise json.JSONDecodeError("Expecting property name enclosed in double quotes", text, at)
        at = _skip(text, _past(text, _skip(text, at), ":"))
        found[key], at = yield from _value(text, at, name)
        at = _next(text, at, end="}")
    _nothing_after(text, at + 1)
    return found


def _value(text: str, at: int, name: str) -> Generator[Progress, None, tuple[Any, int]]:
    if text[at : at + 1] != "[":
        return _decoded(text, at)
    entries: list[Any] = []
    at = _skip(text, at + 1)
    while text[at : at + 1] != "]":
        entry, at = _decoded(text, at)
        entries.append(entry)
        at = _next(text, at, end="]")
        if len(entries) % STEP == 0:
            yield Progress(at, len(text), f"Reading {name}")
    return entries, at + 1


def _decoded(text: str, at: int) -> tuple[Any, int]:
    """The value that starts at `at`, and where it ends."""
    try:
        value: tuple[Any, int] = _DECODER.raw_decode(text, at)
        return value
    except json.JSONDecodeError:
        raise
    except ValueError:
        return _LENIENT.raw_decode(text, at)
    except RecursionError:
        return None, _end_of(text, at)


def _end_of(text: str, at: int) -> int:
    """Where a value in brackets ends, told by counting them. Raises ValueError where it does not end."""
    depth = 0
    for found in _BRACKETS.finditer(text, at):
        sign = found[0]
        depth += (sign in "[{") - (sign in "]}")
        if depth == 0:
            return found.end()
    raise json.JSONDecodeError("Expecting the end of a list", text, at)


def _next(text: str, at: int, *, end: str) -> int:
    """Where the next entry starts, or `end` stands."""
    at = _skip(text, at)
    if text[at : at + 1] == end:
        return at
    at = _skip(text, _past(text, at, ","))
    if text[at : at + 1] == end:
        raise json.JSONDecodeError("Illegal trailing comma before end", text, at)
    return at


def _past(text: str, at: int, sign: str) -> int:
    if text[at : at + 1] != sign:
        raise json.JSONDecodeError(f"Expecting '{sign}' delimiter", text, at)
    return at + 1


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _nothing_after(text: str, at: int) -> None:
    at = _skip(text, at)
    if at != len(text):
        raise json.JSONDecodeError("Extra data", text, at)
