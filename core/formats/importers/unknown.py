"""Describe a file that holds no annotations of a known format, and what to do with it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.translation import tr

FORMATS = (
    "COCO, YOLO, Pascal VOC, LabelMe, CVAT, CSV, Label Studio, Open Images, KITTI, CreateML, VIA, Supervisely, Datumaro"
)
"""The formats that are read, for sentences; names, so not translated."""

_MOST_KEYS = 5
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_LINES_OF_JSON = re.compile(rb"\A\s*\{[^\n]*\}\s*\n\s*\{")
_HEAD = 4096


def describe_unknown(file: Path, content: bytes) -> str:
    """A sentence on a file that cannot be read, with what to do; empty if it may be damaged text."""
    head = content[:_HEAD]
    for sign, sentence in _signs().items():
        if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(sign) or (sign in (b"ftyp", b"WEBP") and sign in head[:16]):
            return sentence.format(file=file)
    if _LINES_OF_JSON.match(head):
        return tr("{file} has a JSON document on each line: give one document, as COCO and others have it.", file=file)
    if _CONTROLS.search(head):
        return tr(
            "{file} is not valid JSON (it holds no text): give a file of one of {formats}.", file=file, formats=FORMATS
        )
    return ""


def describe_unknown_json(file: Path, document: object) -> str:
    """A sentence on a JSON document of no known format."""
    if isinstance(document, dict):
        keys = ", ".join(f"{key!r:.40}" for key in list(document)[:_MOST_KEYS])
        what = tr("an object with the keys {keys}", keys=keys) if keys else tr("an empty object")
    else:
        what = tr("a list") if isinstance(document, list) else tr("a single value")
    return tr(
        "{file} is JSON of no known format ({what}): give a file of one of {formats}.",
        file=file,
        what=what,
        formats=FORMATS,
    )


def describe_unknown_xml(file: Path, tag: str) -> str:
    """A sentence on an XML document of no known format."""
    return tr(
        "{file} is XML or HTML with the outermost tag <{tag}>, which is of no known format: give a file of one of "
        "{formats}.",
        file=file,
        tag=f"{tag:.40}",
        formats=FORMATS,
    )


def describe_unknown_table(file: Path, row: Sequence[str]) -> str:
    """A sentence on a table of no known format."""
    return tr(
        "{file} is a table of no known format (its first row is {row}): name its columns filename, class, xmin, ymin, "
        "xmax and ymax, or give a file of one of {formats}.",
        file=file,
        row=f"{', '.join(row)!r:.60}",
        formats=FORMATS,
    )


def _signs() -> Mapping[bytes, str]:
    """The first bytes of kinds of files -> a sentence with {file}."""
    picture = tr("{file} is a picture: give the file or folder with its boxes.")
    archive = tr("{file} is an archive: unpack it and give its folder.")
    return {
        b"\xff\xd8\xff": picture,
        b"\x89PNG": picture,
        b"GIF8": picture,
        b"BM": picture,
        b"II*\x00": picture,
        b"MM\x00*": picture,
        b"WEBP": picture,
        b"ftyp": picture,
        b"PK\x03\x04": archive,
        b"\x1f\x8b": archive,
        b"7z\xbc\xaf": archive,
        b"Rar!": archive,
        b"BZh": archive,
        b"SQLite format 3\x00": tr("{file} is a project or another database: open it in the window and export it."),
        b"PAR1": tr("{file} is a Parquet file, which is not read: convert it to COCO or CSV."),
        b"%PDF": tr("{file} is a PDF document: give the file or folder with the boxes."),
    }
