"""Decode annotation files: Unicode with or without a mark, and the encodings of older Windows programs."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from pathlib import Path

from core.bounded import read_bytes

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HIGH = re.compile(rb"[\x80-\xff]+")
_HALF_KATAKANA = re.compile("[\uff61-\uff9f]")


def read_any_text(path: Path, *, limit: int, note: Callable[[str, str], None] | None = None) -> str:
    """Read a text file of at most `limit` bytes in any encoding that is known here; all line ends become \\n.

    `note` gets the file's name and the encoding if that was guessed. Raises OSError, and ValueError if none fits.
    """
    text, encoding = decode(read_bytes(path, limit=limit))
    if encoding and note is not None:
        note(path.name, encoding)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def decode(content: bytes) -> tuple[str, str]:
    """Decode a text; the second value is the name of its encoding if it was guessed, else empty.

    Raises ValueError if it is in no encoding that is known here.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding), ""
    try:
        return content.decode("utf-8"), ""
    except UnicodeDecodeError:
        if b"\0" in content:  # no text, but a picture or an archive
            raise
        encoding = _guess(content)
        return content.decode(encoding), encoding


def _guess(content: bytes) -> str:
    """Guess the encoding of a text that is not UTF-8, by the bytes above 127.

    Chinese in GBK has them in pairs. Japanese in Shift-JIS has kana, whose first bytes are controls elsewhere. European
    texts have single ones between letters.
    """
    runs = _HIGH.findall(content)
    if all(len(run) % 2 == 0 for run in runs) and _fits(content, "gb2312"):
        return "gb18030"
    if any(0x80 < byte < 0xA0 for run in runs for byte in run[:1]) and _fits(content, "shift_jis"):
        found = content.decode("shift_jis")
        if len(_HALF_KATAKANA.findall(found)) * 2 < sum(char > "\x7f" for char in found):
            return "shift_jis"
    if all(len(run) % 2 == 0 for run in runs) and _fits(content, "gb18030"):
        return "gb18030"
    return "cp1252" if _fits(content, "cp1252") else "latin-1"


def _fits(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
