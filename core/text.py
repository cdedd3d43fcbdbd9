"""Text from files: checks and escapes names of files and categories that a terminal or a database cannot take."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from typing import Any

LONGEST_NAME = 1000
_DIGITS = re.compile(r"(\d+)")

# Control characters (with ESC and the one-character CSI), characters that change the direction of writing, and lone
# surrogates, which no encoding can represent.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

_BREAKS = re.compile(r"[\t\n\v\f\r]+")


def escaped(text: str, *, keep: str = "") -> str:
    """Escape every character that would control a terminal: ESC becomes \\x1b. Characters in `keep` stay."""
    return _UNPRINTABLE.sub(lambda found: found[0] if found[0] in keep else _code(found[0]), text)


def as_json(value: object) -> str:
    """A JSON document on one line that is safe to print on a terminal and parses back to the same value."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


def is_name(text: str) -> bool:
    """Whether a name can be stored, shown and exported: not empty, no control characters, valid Unicode."""
    return len(text.strip()) > 0 and len(text) <= LONGEST_NAME and not _UNPRINTABLE.search(text)


def is_file_name(text: str) -> bool:
    """Whether a file can have this name on this system. Unlike `is_name`, this allows bytes that are no valid text."""
    try:
        return bool(text) and "\0" not in text and bool(os.fsencode(text))
    except UnicodeError:
        return False


def name_of(value: object) -> str | None:
    """Convert a value from a file to a name on one line, without surrounding spaces; None if it is no usable name."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = f"{value:.20g}" if isinstance(value, float) else "" if _is_long(value) else str(value)
    text = _BREAKS.sub(" ", text).strip()
    return text if is_name(text) else None


def _is_long(value: str | int) -> bool:
    return isinstance(value, int) and value.bit_length() > 1000  # Python refuses to convert the longest to text


def _code(char: str) -> str:
    return f"\\x{ord(char):02x}" if ord(char) < 256 else f"\\u{ord(char):04x}"


def in_natural_order(names: Iterable[str]) -> list[str]:
    """Sort file names by the numbers in them: `2.jpg` before `10.jpg`.

    The order does not depend on the locale, because processes divide work by it.
    """
    return sorted(names, key=natural_key)


def natural_key(name: str) -> tuple[Any, ...]:
    """Return what sorts a file name by the numbers in it, and the same names in another case by their letters."""
    parts: list[Any] = _DIGITS.split(f"{name.lower()}\0")  # texts and numbers in turn; the last one ends a name
    parts[1::2] = [(int(digits), digits) for digits in parts[1::2]]
    return (*parts, name)
