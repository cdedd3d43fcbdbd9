"""Parse JSON in steps, entry by entry, so that other threads can run while a large file is parsed.

`json.loads` holds the GIL until it is done, which takes some seconds for a file of the size of COCO's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from typing import Any

from core.progress import Job, Progress
from core.translation import tr

STEP = 1000
"""Entries per step."""

_NO_KEY = "Expecting property name enclosed in double quotes"  # untranslated: the words of the json module
_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()
_LONGEST_NUMBER = 1000
_BRACKETS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\Z)|[\[\]{}]', re.DOTALL)


def _whole_number(text: str) -> float | int:
    """Convert a number that is too long for Python's `int` to infinity; no entry can use it."""
    return int(text) if len(text) <= _LONGEST_NUMBER else float(text)


_LENIENT = json.JSONDecoder(parse_int=_whole_number)  # slower, so only for the entries that need it


def parse_steps(text: str, *, name: str) -> Job[Any]:
    """Parse `text`; if it is a list, or an object with lists, these are parsed one entry at a time.

    An entry that is nested too deep becomes None. Progress counts characters. Raises ValueError if `text` is no JSON.
    """
    at = _skip(text, 0)
    if text[at : at + 1] != "{":
        value, at = yield from _parse_value(text, at, name)
        _check_end(text, at)
        return value
    found: dict[str, Any] = {}
    at = _skip(text, at + 1)
    while text[at : at + 1] != "}":
        key, at = _decode(text, at)
        if not isinstance(key, str):
            raise json.JSONDecodeError(_NO_KEY, text, at)
        at = _skip(text, _skip_sign(text, _skip(text, at), ":"))
        found[key], at = yield from _parse_value(text, at, name)
        at = _find_next(text, at, end="}")
    _check_end(text, at + 1)
    return found


def _parse_value(text: str, at: int, name: str) -> Generator[Progress, None, tuple[Any, int]]:
    if text[at : at + 1] != "[":
        return _decode(text, at)
    entries: list[Any] = []
    keys: dict[str, str] = {}
    at = _skip(text, at + 1)
    while text[at : at + 1] != "]":
        entry, at = _decode(text, at)
        if type(entry) is dict:  # the parser makes new keys for each entry, which take most of its memory
            entry = {keys.setdefault(key, key): value for key, value in entry.items()}
        entries.append(entry)
        at = _find_next(text, at, end="]")
        if len(entries) % STEP == 0:
            yield Progress(at, len(text), tr("Reading {name}", name=name))
    return entries, at + 1


def _decode(text: str, at: int) -> tuple[Any, int]:
    """Parse the value that starts at `at`; return it and where it ends."""
    try:
        value: tuple[Any, int] = _DECODER.raw_decode(text, at)
        return value
    except json.JSONDecodeError:
        raise
    except ValueError:
        return _LENIENT.raw_decode(text, at)
    except RecursionError:
        return None, _find_end(text, at)


def _find_end(text: str, at: int) -> int:
    """Find the end of a value by counting brackets. Raises ValueError if it does not end."""
    depth = 0
    for found in _BRACKETS.finditer(text, at):
        sign = found[0]
        depth += (sign in "[{") - (sign in "]}")
        if depth == 0:
            return found.end()
    raise json.JSONDecodeError("Expecting the end of a list", text, at)  # untranslated: the words of the json module


def _find_next(text: str, at: int, *, end: str) -> int:
    """The position of the next entry, or of `end` if there is none."""
    at = _skip(text, at)
    if text[at : at + 1] == end:
        return at
    at = _skip(text, _skip_sign(text, at, ","))
    if text[at : at + 1] == end:
        raise json.JSONDecodeError("Illegal trailing comma before end", text, at)  # untranslated: the words of json
    return at


def _skip_sign(text: str, at: int, sign: str) -> int:
    if text[at : at + 1] != sign:
        raise json.JSONDecodeError(f"Expecting '{sign}' delimiter", text, at)
    return at + 1


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _check_end(text: str, at: int) -> None:
    at = _skip(text, at)
    if at != len(text):
        raise json.JSONDecodeError("Extra data", text, at)  # untranslated: the words of the json module
