"""What the readers of formats with many pictures in a file share: entries in, pictures by their names out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from core.formats.importers.parsed import ParsedPicture, ParsedSet, side_of
from core.progress import Job, Progress
from core.text import is_file_name
from core.translation import tr

_STEP = 500
_PICTURES = frozenset(
    (
        ".jpg",
        ".jpeg",
        ".png",
        ".bmp",
        ".tif",
        ".tiff",
        ".webp",
        ".gif",
        ".heic",
        ".avif",
        ".jp2",
        ".jxl",
        ".ppm",
        ".pgm",
    )
)


class Book:
    """The pictures of one file, which a reader fills by their names.

    `path` is the file, `root` the folder that it was imported from, `parsed` what is read. Boxes are in fractions of
    the picture's sides if `is_relative`.
    """

    def __init__(self, path: Path, root: Path, title: str, *, is_relative: bool = False) -> None:
        self.path, self.root = path, root
        self.parsed = ParsedSet(title)
        self._is_relative = is_relative
        self._pictures: dict[str, ParsedPicture] = {}

    def picture(
        self, name: object, where: str, *, width: object = 0, height: object = 0, folder: str = ""
    ) -> ParsedPicture | None:
        """The picture of a name, with what it has so far; None, and a defect, if no file can have the name.

        `where` names the entry in the file for the defect. `folder` is one that the file states beside the name.
        """
        text = name.strip() if isinstance(name, str) else str(name) if type(name) is int else ""
        if not text or not is_file_name(text):
            self.defect(tr("In {file}, {where} has no name of a picture: add it or delete the entry."), where)
            return None
        place = f"{folder}/{text}" if folder else text
        found = self._pictures.get(place)
        if found is None:
            names = (place, text) if folder else (text,)
            found = ParsedPicture(self.path, names, is_relative=self._is_relative)
            self._pictures[place] = found
            self.parsed.pictures.append(found)
        found.width, found.height = found.width or side_of(width), found.height or side_of(height)
        return found

    def defect(self, sentence: str, where: str) -> None:
        """Count a defect of no picture; the sentence has {file} and {where} to be filled in."""
        self.parsed.defects.add(sentence, file=self.path, where=where)

    def note(self, sentence: str) -> None:
        """State once what was assumed or left out."""
        if sentence not in self.parsed.notes:
            self.parsed.notes.append(sentence)

    def decide_fractions(self) -> None:
        """Take numbers for fractions of the pictures' sides if no box reaches beyond the first pixel of its picture."""
        boxes = (entry.box for picture in self.parsed.pictures for entry in picture.boxes)
        if all(max(box) <= 1.0 for box in boxes) and any(picture.boxes for picture in self.parsed.pictures):
            for picture in self.parsed.pictures:
                picture.is_relative = True
            self.note(tr("No number in {file} is above 1, so they are read as fractions of the sides.", file=self.path))

    def note_left_out(self, kind: str) -> None:
        """State that shapes of a kind were left out, because they are no boxes."""
        self.note(tr("{file} has entries of the kind {kind}, which are no boxes: left out.", file=self.path, kind=kind))


@dataclass(frozen=True)
class EntryFormat:
    """A format whose files are lists of entries.

    sniff: whether a document (of JSON or XML), the first row of a table or the first line of a text is of this format
    entries: the entries of a document or table; adds categories and notes to the book
    add: add one entry to the book; the number counts from 1
    is_relative: boxes are in fractions of the picture's sides
    may_be_fractions: files of some programs have fractions where others have pixels
    """

    title: str
    sniff: Callable[[Any], bool]
    entries: Callable[[Book, Any], Iterable[Any]]
    add: Callable[[Book, int, Any], None]
    is_relative: bool = False
    may_be_fractions: bool = False

    def read(self, path: Path, document: Any, *, root: Path) -> Job[ParsedSet]:  # noqa: ANN401 - raw content
        """Read a document that was parsed from `path`."""
        book = Book(path, root, self.title, is_relative=self.is_relative)
        for number, entry in enumerate(self.entries(book, document), start=1):
            if number % _STEP == 1:
                yield Progress(number, 0, tr("Importing {name}", name=path.name))
            self.add(book, number, entry)
        if self.may_be_fractions:
            book.decide_fractions()
        return book.parsed


def is_picture(name: str) -> bool:
    """Whether a name in a file has the suffix of a picture, also of one that BoxRefine does not read."""
    return PurePosixPath(name.strip().replace("\\", "/")).suffix.lower() in _PICTURES


def entry_at(number: int) -> str:
    """The entry as the subject of a sentence."""
    return tr("the entry {number}", number=number)
