"""Parse JSON in steps, entry by entry, so that other threads can run while a large file is parsed.

`json.loads` holds the GIL until it is done, which takes some seconds for a file of the size of COCO's own. A long list
of annotations stays text, from which entries are parsed as they are needed: as objects they take five times the memory.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Generator, Iterator, Sequence
from typing import Any, overload

from core.progress import Job, Progress
from core.translation import tr

STEP = 1000
"""Entries per step."""

KEPT_AS_TEXT, MANY = "annotations", 10_000
"""The list of an outermost object that stays text, if it has this many entries."""

_NO_KEY = "Expecting property name enclosed in double quotes"  # untranslated: the words of the json module
_SPACE = re.compile(r"[ \t\n\r]*")
_NEXT = re.compile(r"[ \t\n\r]*,[ \t\n\r]*(?=[^\] \t\n\r])")
_DECODER = json.JSONDecoder()
_LONGEST_NUMBER = 1000
_LONGEST_PLAIN = 4000
"""Characters of an entry whose numbers Python can surely read."""
_BRACKETS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\Z)|[\[\]{}]', re.DOTALL)


def _whole_number(text: str) -> float | int:
    """Convert a number that is too long for Python's `int` to infinity; no entry can use it."""
    return int(text) if len(text) <= _LONGEST_NUMBER else float(text)


_LENIENT = json.JSONDecoder(parse_int=_whole_number)  # slower, so only for the entries that need it


class JsonEntries(Sequence[Any]):
    """The entries of a list in a JSON text; each access parses one."""

    def __init__(self, text: str, starts: array[int], ends: array[int]) -> None:
        self._text, self._starts, self._ends = text, starts, ends
        self._is_plain = text.isascii() and "NaN" not in text and "Infinity" not in text

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, place: int) -> Any: ...  # noqa: ANN401 - raw JSON

    @overload
    def __getitem__(self, place: slice) -> list[Any]: ...

    def __getitem__(self, place: int | slice) -> Any:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        return _decode(self._text, self._starts[place])[0]

    def __iter__(self) -> Iterator[Any]:
        text = self._text
        return (_decode(text, start)[0] for start in self._starts)

    def text_at(self, place: int) -> str:
        """The text of an entry; empty if it may have what JSON does not allow, or is long."""
        start, end = self._starts[place], self._ends[place]
        return self._text[start:end] if self._is_plain and end - start < _LONGEST_PLAIN else ""


def parse_steps(text: str, *, name: str) -> Job[Any]:
    """Parse `text`; if it is a list, or an object with lists, these are parsed one entry at a time.

    A long list under the key KEPT_AS_TEXT becomes JsonEntries. An entry that is nested too deep becomes None. Progress
    counts characters. Raises ValueError if `text` is no JSON.
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
        found[key], at = yield from _parse_value(text, at, name, as_text=key == KEPT_AS_TEXT)
        at = _find_next(text, at, end="}")
    _check_end(text, at + 1)
    return found


def _parse_value(text: str, at: int, name: str, *, as_text: bool = False) -> Generator[Progress, None, tuple[Any, int]]:
    if text[at : at + 1] != "[":
        return _decode(text, at)
    entries: list[Any] = []
    starts, ends = array("q"), array("q")
    keys: dict[str, str] = {}
    at = _skip(text, at + 1)
    while text[at : at + 1] != "]":
        starts.append(at)
        entry, at = _decode(text, at)
        ends.append(at)
        if not as_text or len(starts) < MANY:
            if type(entry) is dict:  # the parser makes new keys for each entry, which take most of its memory
                entry = {keys.setdefault(key, key): value for key, value in entry.items()}
            entries.append(entry)
        elif entries:
            entries = []
        at = following.end() if (following := _NEXT.match(text, at)) else _find_next(text, at, end="]")
        if len(starts) % STEP == 0:
            yield Progress(at, len(text), tr("Reading {name}", name=name))
    if as_text and len(starts) >= MANY:
        return JsonEntries(text, starts, ends), at + 1
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
