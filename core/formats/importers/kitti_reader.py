"""Read KITTI: a text file for each picture, with 15 columns for each object, or 16 with a score."""

from __future__ import annotations

from core.formats.importers.book import Book
from core.formats.importers.parsed import ParsedPicture, number_in
from core.formats.importers.yolo_reader import place_of
from core.translation import tr

KITTI = "KITTI"  # untranslated: the name of a format

_COLUMNS = (15, 16)
_CORNERS = slice(4, 8)
_NO_OBJECT = "dontcare"


def is_kitti(line: str) -> bool:
    """Whether a line of text is an object in KITTI's format: a name, and 14 or 15 numbers."""
    name, *values = line.split() or [""]
    is_long = len(values) + 1 in _COLUMNS
    return is_long and number_in(name) is None and all(number_in(value) is not None for value in values)


def add_kitti(book: Book, text: str) -> None:
    """Add the objects of one file, whose place is that of its picture; regions of `DontCare` are left out."""
    picture = ParsedPicture(book.path, (place_of(book.path, book.root),), is_own_file=True)
    book.parsed.pictures.append(picture)
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        if words[0].casefold() == _NO_OBJECT:
            book.note(tr("Regions of the kind {kind} are left out, because they are no objects.", kind="DontCare"))
            continue
        values = [number_in(word) for word in words[_CORNERS]] if len(words) in _COLUMNS else []
        score = number_in(words[-1]) if len(words) == _COLUMNS[1] else None
        picture.add(words[0], values, where=tr("the line {number}", number=number), score=score)
