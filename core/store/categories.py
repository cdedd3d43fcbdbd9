"""Rows of categories: their order, and moving or deleting the boxes of a category.

A category's place is its id until the user moves it. A move permutes the existing places. So places are unique, a new
category comes last, and the place of a deleted category stays free until undo restores it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlite_utils import Database

from core.errors import BadFileError, BadInputError
from core.store.row_checks import Row
from core.store.rows import is_whole, now
from core.store.suggested_boxes import move_rejected
from core.store.undo_log import Operation
from core.text import escaped, is_name
from core.translation import tr


def rows_in_order(db: Database) -> list[Row]:
    """All categories in the user's order."""
    return list(db.query("SELECT * FROM categories ORDER BY coalesce(place, id), id"))


def check_name(name: str) -> str:
    """Strip and return a name. Raises BadInputError if it is empty or cannot be shown."""
    if not name.strip():
        raise BadInputError(tr("A category needs a name: type one."))
    if not is_name(name):
        shown = escaped(name)[:100]
        raise BadInputError(tr("A category cannot be called “{name}”: leave out the hidden characters.", name=shown))
    return name.strip()


def move_row(operation: Operation, db: Database, category_id: int, *, row: int) -> None:
    """Move a category to the row `row`, counted from 0; a row beyond the end means the last one."""
    rows = [entry for entry in rows_in_order(db) if is_whole("categories", entry)]
    places = [_place(entry) for entry in rows]
    others = [entry for entry in rows if entry["id"] != category_id]
    moved = [entry for entry in rows if entry["id"] == category_id]
    row = max(row, 0)
    for entry, place in zip([*others[:row], *moved, *others[row:]], places, strict=True):
        if _place(entry) != place:
            operation.update("categories", entry, place=place)


def set_key(operation: Operation, db: Database, row: Row, key: str) -> None:
    """Give a category a key, and take it from the one that had it; empty: the automatic one."""
    holders = db.query("SELECT * FROM categories WHERE key = ? AND id != ?", [key, row["id"]])
    for holder in list(holders):
        operation.update("categories", holder, key=None)
    if (row["key"] or "") != key:
        operation.update("categories", row, key=key or None)


def move_boxes(operation: Operation, db: Database, category_id: int, *, into: int) -> None:
    """Give all boxes of a category to another one."""
    for id in _ids(db, category_id):
        if (row := _box(operation, id)) is not None:
            operation.update("corrections", row, category_id=into, changed=now())
    move_rejected(operation, db, category_id, into=into)


def delete_boxes(operation: Operation, db: Database, category_id: int) -> None:
    """Delete all boxes of a category."""
    for id in _ids(db, category_id):
        if (row := _box(operation, id)) is not None:
            operation.remove("corrections", row)
    move_rejected(operation, db, category_id, into=None)


def _box(operation: Operation, id: int) -> Row | None:
    """The row of a box that a change of its category writes. Raises BadFileError if it is damaged."""
    row = operation.row("corrections", id)
    if row is not None and not is_whole("corrections", row):
        raise BadFileError(
            tr(
                "The box {id} of this category is damaged: run boxrefine project repair on the project, which keeps a "
                "copy.",
                id=id,
            )
        )
    return row


def _place(row: Row) -> int:
    return int(row["id"] if row["place"] is None else row["place"])


def _ids(db: Database, category_id: int) -> Sequence[int]:
    """The ids of a category's boxes, read before any of them is changed, and without their large rows."""
    rows = db.execute("SELECT id FROM corrections WHERE category_id = ? ORDER BY id", [category_id])
    return [id for (id,) in rows.fetchall()]
