"""Text from outside: names of files and categories, over which a terminal or a database may trip."""

from __future__ import annotations

import json
import os
import re

LONGEST_NAME = 1000

# Control characters (ESC among them, and the one-character CSI), those that turn the direction of writing, and halves
# of surrogate pairs, which no encoding has.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def escaped(text: str, *, keep: str = "") -> str:
    """`text` with every character written out that would steer a terminal: ESC becomes \\x1b. `keep` are left."""
    return _UNPRINTABLE.sub(lambda found: found[0] if found[0] in keep else _code(found[0]), text)


def as_json(value: object) -> str:
    """A JSON document on one line that any terminal can show, and any program reads back to the same value."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


def is_name(text: str) -> bool:
    """Whether a name can be stored, shown and written to any format: not empty, no control characters, true Unicode."""
    return len(text.strip()) > 0 and len(text) <= LONGEST_NAME and not _UNPRINTABLE.search(text)


def is_file_name(text: str) -> bool:
    """Whether a file can be called so on this system; which allows more than `is_name`, also bytes that are no text."""
    try:
        return bool(text) and "\0" not in text and bool(os.fsencode(text))
    except UnicodeError:
        return False


def name_of(value: object) -> str | None:
    """The name that a value from a file stands for, without spaces around it; None where it is no usable name."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = f"{value:.20g}" if isinstance(value, float) else "" if _is_long(value) else str(value)
    return text.strip() if is_name(text) else None


def _is_long(value: str | int) -> bool:
    return isinstance(value, int) and value.bit_length() > 1000  # Python refuses to write out the longest


def _code(char: str) -> str:
    return f"\\x{ord(char):02x}" if ord(char) < 256 else f"\\u{ord(char):04x}"
