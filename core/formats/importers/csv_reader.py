"""Read tables of boxes: RetinaNet's, AutoML's and Open Images'; `csv_columns` has those with names of columns."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from core.bounded import MEGA
from core.formats.importers.book import Book, EntryFormat, is_picture
from core.formats.importers.parsed import category_of, number_in
from core.formats.importers.text_files import read_any_text
from core.translation import tr

LARGEST_CSV = 512 * MEGA
"""Largest table, in bytes: some five million boxes."""

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_DELIMITERS = ",;\t|"
_SEPARATOR_LINE = re.compile(r"\Asep=([^\w\s\"]|\t)[ \t]*\r?\n", re.IGNORECASE)
"""What Excel writes or reads in front of a table."""

_SETS = ("train", "training", "validation", "val", "test", "unassigned", "")
_MOST_NAMES = 1000
_DESCRIPTIONS = "*class-descriptions*.csv"

CSV, OPEN_IMAGES, RETINANET, AUTOML = "CSV", "Open Images", "RetinaNet", "AutoML"
OPEN_IMAGES_MARKS = ("IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction", "IsInside")
_CLASSES_FILE = "classes.csv"
_KEPT = ("Source", *OPEN_IMAGES_MARKS)

Row = list[str]


def rows_of(path: Path) -> Iterator[Row]:
    """The rows of a table. Raises OSError, ValueError."""
    yield from rows_in(read_any_text(path, limit=LARGEST_CSV))


def rows_in(text: str) -> Iterator[Row]:
    """The rows of a table that is read, whose delimiter is stated or its first line has most. Raises ValueError."""
    text = text.lstrip("\ufeff\r\n")
    stated = _SEPARATOR_LINE.match(text)
    if stated is not None:
        text = text[stated.end() :]
    first = text.split("\n", 1)[0]
    delimiter = stated[1] if stated is not None else max(_DELIMITERS, key=first.count)
    try:
        for row in csv.reader((line[0] for line in _LINE.finditer(text)), delimiter=delimiter):
            if any(cell.strip() for cell in row):
                yield row
    except csv.Error as error:
        raise ValueError(str(error)) from error


def number_of(cell: str) -> float | None:
    """The number in a cell, also with a decimal comma."""
    number = number_in(cell)
    return number_in(cell.replace(",", ".")) if number is None and cell.count(",") == 1 else number


def _with_header(rows: Iterator[Row]) -> Iterator[dict[str, str]]:
    header = _folded(next(rows, []))
    return (dict(zip(header, row, strict=False)) for row in rows)


def _folded(row: Row) -> list[str]:
    return [cell.strip().lstrip("#").casefold() for cell in row]


def add_box(
    book: Book,
    line: int,
    name: str,
    label: str,
    edges: Sequence[object] | None,
    *,
    score: str = "",
    size: Sequence[object] = (0, 0),
) -> None:
    """Add the box around the points `edges`, or only its picture if they are None: a picture without boxes."""
    where = tr("the line {number}", number=line)
    picture = book.picture(name, where, width=size[0], height=size[1])
    if picture is not None and edges is not None:
        picture.add(label, edges, where=where, score=number_of(score))


def _numbers(cells: Sequence[str]) -> list[float | None] | None:
    """The numbers in cells; None if all are empty."""
    return [number_of(cell) for cell in cells] if any(cell.strip() for cell in cells) else None


# RetinaNet, without names of columns


def _sniff_retinanet(row: Row) -> bool:
    if len(row) != 6 or not is_picture(row[0]):
        return False
    edges = row[1:5]
    return all(number_of(edge) is not None for edge in edges) or not any(cell.strip() for cell in row[1:])


def _retinanet(book: Book, rows: Iterator[Row]) -> Iterator[Row]:
    """The rows; the names of classes.csv beside, which has them with their numbers, come first."""
    try:
        listed = [
            row for row in rows_of(book.path.parent / _CLASSES_FILE) if len(row) == 2 and row[1].strip().isdecimal()
        ]
    except (OSError, ValueError):
        listed = []
    for name, _ in sorted(listed, key=lambda row: (len(row[1].strip()), row[1].strip())):
        category = category_of(name)
        if category is not None:
            book.parsed.categories.append(category)
    return rows


def _whole(book: Book, rows: Iterator[Row]) -> Iterator[Row]:
    del book
    return rows


def _add_retinanet(book: Book, number: int, row: Row) -> None:
    cells = [*row, *[""] * 6]
    add_box(book, number, cells[0], cells[5], _numbers(cells[1:5]))


# AutoML, in fractions and without names of columns


def _sniff_automl(row: Row) -> bool:
    at = int(row[0].strip().casefold() in _SETS)
    return len(row) in (10 + at, 2 + at) and is_picture(row[at]) and (at == 1 or row[0].startswith("gs:"))


def _add_automl(book: Book, number: int, row: Row) -> None:
    at = int(row[0].strip().casefold() in _SETS)
    cells = [*row[at:], *[""] * 10]
    xs, ys = ([cell for cell in cells[start:10:2] if cell.strip()] for start in (2, 3))
    edges = [xs[0], ys[0], xs[-1], ys[-1]] if xs and ys else [*xs, *ys]
    if len(xs) == 4 and len(ys) == 4:  # all four corners
        edges = [edge for pair in zip(xs, ys, strict=True) for edge in pair]
    add_box(book, number, cells[0], cells[1], _numbers(edges))


# Open Images, in fractions


def _sniff_open_images(row: Row) -> bool:
    return set(_folded(row)) >= {"imageid", "labelname", "xmin", "xmax", "ymin", "ymax"}


def _open_images(book: Book, rows: Iterator[Row]) -> Iterator[tuple[dict[str, str], Mapping[str, str]]]:
    """Each row with the names of classes. A vocabulary of thousands is no list of categories: those that are used."""
    names: dict[str, str] = {}
    for folder in (book.path.parent, book.path.parent.parent):
        for file in sorted(folder.glob(_DESCRIPTIONS)):
            try:
                names |= {row[0].strip(): row[1].strip() for row in rows_of(file) if len(row) > 1}
            except (OSError, ValueError):
                book.note(tr("{file} cannot be read: the categories keep their codes.", file=file))
        if names:
            break
    names.pop("LabelName", None)
    if len(names) <= _MOST_NAMES:
        book.parsed.categories += [name for name in map(category_of, names.values()) if name is not None]
        book.parsed.header = {"codes": {name: code for code, name in names.items()}} if names else {}
    return ((row, names) for row in _with_header(rows))


def _add_open_images(book: Book, number: int, pair: tuple[dict[str, str], Mapping[str, str]]) -> None:
    row, names = pair
    label = row.get("labelname", "").strip()
    where = tr("the line {number}", number=number + 1)
    picture = book.picture(row.get("imageid"), where)
    if picture is not None:
        edges = [number_of(row.get(edge, "")) for edge in ("xmin", "ymin", "xmax", "ymax")]
        entry: dict[str, object] = {mark: row[mark.casefold()] for mark in _KEPT if mark.casefold() in row}
        if row.get("isgroupof", "").strip() == "1":
            entry["iscrowd"] = 1
        score = number_of(row.get("confidence", ""))
        sure = None if score == 1 else score
        picture.add(names.get(label, label), edges, where=where, score=sure, entry=entry, format=OPEN_IMAGES)


FORMATS = (
    EntryFormat(OPEN_IMAGES, _sniff_open_images, _open_images, _add_open_images, is_relative=True),
    EntryFormat(AUTOML, _sniff_automl, _whole, _add_automl, is_relative=True),
    EntryFormat(RETINANET, _sniff_retinanet, _retinanet, _add_retinanet, may_be_fractions=True),
)
"""The formats of tables that differ in their first row, the most certain one first."""


def first_row(rows: Iterator[Row]) -> tuple[Row, Iterator[Row]]:
    """The first row, and all of them."""
    first = next(rows, [])
    return first, chain([first] if first else [], rows)
