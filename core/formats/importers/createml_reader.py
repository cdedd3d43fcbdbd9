"""Read CreateML: a JSON list of pictures, with the center and size of boxes in pixels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core.formats.importers.book import Book, EntryFormat, entry_at
from core.formats.importers.shapes import from_center
from core.translation import tr

CREATEML = "CreateML"  # untranslated: the name of a format

_NAMES = ("image", "imagefilename", "imageFilename", "filename")
_FIRST = 20


def _sniff(document: object) -> bool:
    entries = document[:_FIRST] if isinstance(document, list) else []
    pictures = [entry for entry in entries if isinstance(entry, dict) and _name(entry) and _key(entry)]
    notes = [note for entry in pictures for note in _notes(entry)]
    return bool(pictures) and (not notes or any(isinstance(note, dict) and "coordinates" in note for note in notes))


def _entries(book: Book, document: list[Any]) -> Iterator[Any]:
    del book
    return iter(document)


def _add(book: Book, number: int, entry: object) -> None:
    entry = entry if isinstance(entry, dict) else {}
    picture = book.picture(_name(entry), entry_at(number))
    for place, note in enumerate(_notes(entry) if picture is not None else [], start=1):
        note = note if isinstance(note, dict) else {}
        held = note.get("coordinates")
        held = held if isinstance(held, dict) else {}
        corners = from_center(map(held.get, ("x", "y", "width", "height")))
        if picture is not None:
            where = tr("the shape {number}", number=place)
            picture.add(note.get("label"), corners, where=where, score=note.get("confidence"))


def _name(entry: dict[str, Any]) -> object:
    return next((entry[key] for key in _NAMES if entry.get(key)), None)


def _key(entry: dict[str, Any]) -> str:
    """The key of the boxes, which pages of Apple call in two ways; empty without one."""
    return next((key for key in ("annotations", "annotation") if isinstance(entry.get(key), list)), "")


def _notes(entry: dict[str, Any]) -> list[Any]:
    notes = entry.get(_key(entry))
    return notes if isinstance(notes, list) else []


FORMAT = EntryFormat(CREATEML, _sniff, _entries, _add)
