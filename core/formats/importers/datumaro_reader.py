"""Read Datumaro: a JSON file for a subset, with items and annotations in pixels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.formats.importers.book import Book, EntryFormat, entry_at
from core.formats.importers.parsed import category_of
from core.formats.importers.shapes import around_ellipse, floats, from_corner
from core.translation import tr

DATUMARO = "Datumaro"  # untranslated: the name of a format

_SHAPES = ("bbox", "polygon", "polyline", "ellipse")


def _sniff(document: object) -> bool:
    return (
        isinstance(document, dict)
        and isinstance(document.get("items"), list)
        and isinstance(document.get("categories"), dict)
    )


def _entries(book: Book, document: dict[str, Any]) -> Iterator[tuple[object, list[str | None]]]:
    """Each item with the names of the labels by their numbers."""
    labels = _mapping(document["categories"].get("label")).get("labels")
    labels = labels if isinstance(labels, list) else []
    names = [category_of(label.get("name")) if isinstance(label, dict) else None for label in labels]
    book.parsed.categories += [name for name in names if name is not None]
    for item in document["items"]:
        yield item, names


def _add(book: Book, number: int, pair: tuple[object, list[str | None]]) -> None:
    entry, names = pair
    item, picture_entry = _mapping(entry), _mapping(_mapping(entry).get("image"))
    size = picture_entry.get("size")
    height, width = size if isinstance(size, list) and len(size) == 2 else (0, 0)
    picture = book.picture(picture_entry.get("path") or item.get("id"), entry_at(number), width=width, height=height)
    notes = item.get("annotations")
    for place, note in enumerate(notes if isinstance(notes, list) and picture is not None else [], start=1):
        note = _mapping(note)
        if note.get("type") not in _SHAPES:
            book.note_left_out(f"{note.get('type')!s:.40}")
        elif picture is not None:
            id, score = note.get("label_id"), _mapping(note.get("attributes")).get("score")
            label = names[id] if type(id) is int and 0 <= id < len(names) else None
            picture.add(label, _corners(note), where=tr("the shape {number}", number=place), score=score)


def _corners(note: Mapping[str, Any]) -> list[float]:
    if note.get("type") == "bbox":
        bbox = note.get("bbox")
        return from_corner(bbox) if isinstance(bbox, list) else []
    points = note.get("points")
    numbers = floats(points) if isinstance(points, list) else []
    if note.get("type") == "ellipse" and len(numbers) == 4:
        x1, y1, x2, y2 = numbers
        return around_ellipse([(x1 + x2) / 2, (y1 + y2) / 2, abs(x2 - x1) / 2, abs(y2 - y1) / 2])
    return numbers


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


FORMAT = EntryFormat(DATUMARO, _sniff, _entries, _add)
