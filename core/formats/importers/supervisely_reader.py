"""Read Supervisely: a JSON file for each picture, called after it, with objects in pixels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.formats.importers.book import Book, EntryFormat
from core.formats.importers.parsed import ParsedPicture, side_of
from core.formats.importers.shapes import floats
from core.formats.importers.yolo_reader import place_of
from core.translation import tr

SUPERVISELY = "Supervisely"  # untranslated: the name of a format

META_FILE = "meta.json"
"""The file beside, with the classes of a project."""

_SHAPES = ("rectangle", "polygon", "line")


def _sniff(document: object) -> bool:
    is_whole = isinstance(document, dict) and isinstance(document.get("objects"), list)
    size = document.get("size") if isinstance(document, dict) else None
    return is_whole and isinstance(size, dict) and "width" in size and "height" in size


def _entries(book: Book, document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    del book
    yield document


def _add(book: Book, number: int, document: dict[str, Any]) -> None:
    del number
    size = document["size"]
    width, height = side_of(size.get("width")), side_of(size.get("height"))
    # The name of the picture, with its suffix, comes before that of JSON.
    picture = ParsedPicture(book.path, (place_of(book.path, book.root),), width, height, is_own_file=True)
    book.parsed.pictures.append(picture)
    for place, entry in enumerate(document["objects"], start=1):
        entry = entry if isinstance(entry, dict) else {}
        shape = entry.get("geometryType", "rectangle")
        if shape not in _SHAPES:
            book.note_left_out(f"{shape!s:.40}")
            continue
        points = entry.get("points")
        corners = _corners(points if isinstance(points, dict) else {})
        picture.add(entry.get("classTitle"), corners, where=tr("the object {number}", number=place))


def _corners(points: Mapping[str, Any]) -> list[float]:
    outer = points.get("exterior")
    pairs = [floats(point) for point in outer if isinstance(point, list)] if isinstance(outer, list) else []
    return [value for pair in pairs for value in pair] if all(len(pair) == 2 for pair in pairs) else []


FORMAT = EntryFormat(SUPERVISELY, _sniff, _entries, _add)
