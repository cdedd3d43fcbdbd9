"""Read tables whose first row names their columns: TensorFlow's and Roboflow's CSV, and those of many others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from core.formats.importers.book import Book, EntryFormat, is_picture
from core.formats.importers.csv_reader import CSV, Row, add_box, number_of
from core.formats.importers.shapes import from_center, from_corner
from core.translation import tr

MAKE_SENSE = "makesense.ai"  # untranslated: the name of a program

_NAMES = (
    *("filename", "file_name", "image", "image_path", "image_name", "path", "img_path", "image_filename", "img_name"),
    *("filepath", "file_path", "img", "file", "image_id"),
)
_CLASSES = ("class", "label", "category", "class_name", "label_name", "category_name", "classname", "name", "object")
_SCORES = ("score", "confidence", "conf")
_WIDTHS = ("image_width", "img_width", "width")
_HEIGHTS = ("image_height", "img_height", "height")

_Numbers = Callable[[Sequence[object]], Sequence[object]]


class _Layout(NamedTuple):
    """How columns give a box: the names of each column, and what makes x1, y1, x2, y2 of their numbers."""

    columns: Sequence[Sequence[str]]
    corners: _Numbers


_LAYOUTS = (
    _Layout(
        (
            ("xmin", "x_min", "x1", "left", "bbox_xmin", "bbox_x1"),
            ("ymin", "y_min", "y1", "top", "bbox_ymin", "bbox_y1"),
            ("xmax", "x_max", "x2", "right", "bbox_xmax", "bbox_x2"),
            ("ymax", "y_max", "y2", "bottom", "bbox_ymax", "bbox_y2"),
        ),
        lambda numbers: numbers,
    ),
    _Layout(
        (
            ("x_center", "xcenter", "center_x", "cx", "bbox_x_center"),
            ("y_center", "ycenter", "center_y", "cy", "bbox_y_center"),
            ("width", "w", "bbox_width", "box_width"),
            ("height", "h", "bbox_height", "box_height"),
        ),
        from_center,
    ),
    _Layout(
        (
            ("bbox_x", "bbox_left", "box_x", "left", "xmin", "x_min", "x"),
            ("bbox_y", "bbox_top", "box_y", "top", "ymin", "y_min", "y"),
            ("bbox_width", "bbox_w", "box_width", "w", "width"),
            ("bbox_height", "bbox_h", "box_height", "h", "height"),
        ),
        from_corner,
    ),
    _Layout((("bbox", "bounding_box", "box"),), from_corner),
)
"""The first one that a table has all columns of is its own."""


class _Columns(NamedTuple):
    """The places of a table's columns, None for those that it lacks, and its layout."""

    name: int
    label: int | None
    score: int | None
    sides: Sequence[int | None]
    edges: Sequence[int]
    layout: _Layout


def _columns_of(row: Row) -> _Columns | None:
    header = [cell.strip().lstrip("#").casefold().replace(" ", "_") for cell in row]
    name = _place(header, _NAMES)
    for layout in _LAYOUTS:
        places = [_place(header, names) for names in layout.columns]
        edges = [place for place in places if place is not None]
        if name is None or len(edges) < len(places):
            continue
        label, score, wide, high = (_place(header, names) for names in (_CLASSES, _SCORES, _WIDTHS, _HEIGHTS))
        sides = [None if place in edges else place for place in (wide, high)]
        return _Columns(name, label, score, sides, edges, layout)
    return None


def _place(header: Sequence[str], names: Sequence[str]) -> int | None:
    """The place of the first of the names that is a column."""
    return next((header.index(name) for name in names if name in header), None)


def _sniff(row: Row) -> bool:
    return _columns_of(row) is not None


def _entries(book: Book, rows: Iterator[Row]) -> Iterator[tuple[Row, _Columns]]:
    """Each row with the columns; what is assumed about them is noted."""
    header = next(rows, [])
    columns = _columns_of(header)
    if columns is None:
        return iter(())
    if columns.label is None:
        book.note(
            tr("{file} has no column called class or label, so its boxes are of the category object.", file=book.path)
        )
    if columns.layout.corners is from_corner:
        names = ", ".join(header[place].strip() for place in columns.edges)
        book.note(
            tr("The columns {names} of {file} are read as left, top, width and height.", names=names, file=book.path)
        )
    return ((row, columns) for row in rows)


def _add(book: Book, number: int, pair: tuple[Row, _Columns]) -> None:
    row, columns = pair
    cells = [_cell(row, place) for place in columns.edges]
    if len(cells) == 1:
        cells = cells[0].strip().strip("[]()").replace(";", ",").replace(",", " ").split()
        cells = [*cells, *[""] * (4 - len(cells))] if cells else []
    label, score = _cell(row, columns.label), _cell(row, columns.score)
    size = [number_of(_cell(row, place)) for place in columns.sides]
    edges = columns.layout.corners([number_of(cell) for cell in cells]) if any(map(str.strip, cells)) else None
    add_box(book, number + 1, _cell(row, columns.name), label, edges, score=score, size=size)


def _cell(row: Row, place: int | None) -> str:
    return "" if place is None or place >= len(row) else row[place]


# makesense.ai, without names of columns


def _sniff_make_sense(row: Row) -> bool:
    numbers = [number_of(cell) for cell in (*row[1:5], *row[6:])]
    return len(row) == 8 and is_picture(row[5]) and None not in numbers


def _rows(book: Book, rows: Iterator[Row]) -> Iterator[Row]:
    del book
    return rows


def _add_make_sense(book: Book, number: int, row: Row) -> None:
    cells = [*row, *[""] * 8]
    edges = from_corner([number_of(cell) for cell in cells[1:5]])
    add_box(book, number, cells[5], cells[0], edges, size=[number_of(cell) for cell in cells[6:8]])


FORMATS = (
    EntryFormat(CSV, _sniff, _entries, _add, may_be_fractions=True),
    EntryFormat(MAKE_SENSE, _sniff_make_sense, _rows, _add_make_sense),
)
