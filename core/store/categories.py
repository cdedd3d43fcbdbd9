"""The categories' rows: in which order they stand, and what becomes of a category's boxes when it goes.

A category's place is its id until it is moved. Moving hands the places that there are round among the categories, so no
two ever have the same, a new one comes last, and one that undo brings back finds its place free.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlite_utils import Database

from core.errors import BadFileError, BadInputError
from core.store.project_file import REPAIR
from core.store.row_checks import Row
from core.store.rows import is_whole, now
from core.store.undo_log import Operation
from core.text import escaped, is_name


def rows_in_order(db: Database) -> list[Row]:
    """All categories as the user has arranged them."""
    return list(db.query("SELECT * FROM categories ORDER BY coalesce(place, id), id"))


def checked_name(name: str) -> str:
    """The name without spaces around it. Raises BadInputError for an empty one, or one that cannot be shown."""
    if not name.strip():
        raise BadInputError("A category needs a name: type one.")
    if not is_name(name):
        raise BadInputError(f"A category cannot be called “{escaped(name)[:100]}”: leave out the hidden characters.")
    return name.strip()


def move_row(operation: Operation, db: Database, category_id: int, *, row: int) -> None:
    """Put a category into the place `row`, counted from 0; beyond the end is the last one."""
    rows = [entry for entry in rows_in_order(db) if is_whole("categories", entry)]
    places = [_place(entry) for entry in rows]
    others = [entry for entry in rows if entry["id"] != category_id]
    moved = [entry for entry in rows if entry["id"] == category_id]
    row = max(row, 0)
    for entry, place in zip([*others[:row], *moved, *others[row:]], places, strict=True):
        if _place(entry) != place:
            operation.update("categories", entry, place=place)


def move_boxes(operation: Operation, db: Database, category_id: int, *, into: int) -> None:
    """Give all boxes of a category to another one."""
    for id in _ids(db, category_id):
        if (row := _box(operation, id)) is not None:
            operation.update("corrections", row, category_id=into, changed=now())


def delete_boxes(operation: Operation, db: Database, category_id: int) -> None:
    """Delete all boxes of a category."""
    for id in _ids(db, category_id):
        if (row := _box(operation, id)) is not None:
            operation.remove("corrections", row)


def _box(operation: Operation, id: int) -> Row | None:
    """A box that a category's change would touch; BadFileError where it is damaged, for those are never written."""
    row = operation.row("corrections", id)
    if row is not None and not is_whole("corrections", row):
        raise BadFileError(f"The box {id} of this category is damaged: {REPAIR}")
    return row


def _place(row: Row) -> int:
    return int(row["id"] if row["place"] is None else row["place"])


def _ids(db: Database, category_id: int) -> Sequence[int]:
    """Read before any is changed, and without the rows, which may be very many."""
    rows = db.execute("SELECT id FROM corrections WHERE category_id = ? ORDER BY id", [category_id])
    return [id for (id,) in rows.fetchall()]
