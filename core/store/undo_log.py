"""The undo log: what each operation did to which row, kept in the file, played backwards and forwards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlite_utils import Database

from core.records import Changes
from core.store.project_file import transaction

UNDO_DEPTH = 1000
"""Steps that are kept; each holds only the rows that it changed."""

_NEWEST_DONE = "undo_steps WHERE undone = 0 ORDER BY id DESC LIMIT 1"
_OLDEST_UNDONE = "undo_steps WHERE undone = 1 ORDER BY id LIMIT 1"

Row = dict[str, Any]


class RowChange(NamedTuple):
    """One row before and after; None where it was not there."""

    table: str
    id: int
    before: Row | None
    after: Row | None


class Operation:
    """All writes that the user sees as one; what is not written through it cannot be undone."""

    def __init__(self, db: Database, title: str) -> None:
        self._db = db
        self._title = title
        self.row_changes: list[RowChange] = []

    @property
    def changes(self) -> Changes:
        """What the writes so far have touched."""
        return _changes(self._title, self.row_changes)

    def row(self, table: str, id: int) -> Row | None:
        """The row as it is now."""
        return next(self._db.query(f"SELECT * FROM {table} WHERE id = ?", [id]), None)

    def insert(self, table: str, row: Row) -> int:
        """Write a new row and give its id."""
        columns, places = ", ".join(row), ", ".join("?" * len(row))
        cursor = self._db.execute(f"INSERT INTO {table} ({columns}) VALUES ({places})", list(row.values()))
        id = int(cursor.lastrowid or 0)
        self.row_changes.append(RowChange(table, id, None, {"id": id, **row}))
        return id

    def update(self, table: str, before: Row, **columns: object) -> None:
        """Write some columns of the row that is now `before`."""
        self._db.table(table).update(before["id"], columns)
        self.row_changes.append(RowChange(table, before["id"], before, {**before, **columns}))

    def remove(self, table: str, before: Row) -> None:
        """Take away the row that is now `before`."""
        self._db.table(table).delete(before["id"])
        self.row_changes.append(RowChange(table, before["id"], before, None))


class UndoLog:
    """Undo and redo over one connection; each call is one transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @contextmanager
    def operation(self, title: str) -> Iterator[Operation]:
        """One change that the user sees: one transaction, one undo step; an error leaves neither."""
        with transaction(self._db):
            operation = Operation(self._db, title)
            yield operation
            if operation.row_changes:
                self._record(title, operation.row_changes)

    def undo(self) -> Changes:
        """Take back the newest step that stands; no step gives empty Changes."""
        with transaction(self._db):
            step = self._newest_done()
            return self._play(step, undo=True) if step else Changes()

    def redo(self) -> Changes:
        """Do again the step that was undone last; no step gives empty Changes."""
        with transaction(self._db):
            step = self._oldest_undone()
            return self._play(step, undo=False) if step else Changes()

    def titles(self) -> tuple[str | None, str | None]:
        """What undo and redo would do next, None where there is nothing."""
        # The titles alone: a step that imported 100,000 boxes is large.
        done = next(self._db.query(f"SELECT title FROM {_NEWEST_DONE}"), None)
        undone = next(self._db.query(f"SELECT title FROM {_OLDEST_UNDONE}"), None)
        return done["title"] if done else None, undone["title"] if undone else None

    def forget_undone(self) -> None:
        """Inside a transaction: nothing can be redone from here on."""
        self._db.execute("DELETE FROM undo_steps WHERE undone = 1")

    def _newest_done(self) -> Row | None:
        return next(self._db.query(f"SELECT * FROM {_NEWEST_DONE}"), None)

    def _oldest_undone(self) -> Row | None:
        return next(self._db.query(f"SELECT * FROM {_OLDEST_UNDONE}"), None)

    def _record(self, title: str, row_changes: list[RowChange]) -> None:
        self.forget_undone()
        # Row by row, because one call for an import of 100,000 boxes would keep all other threads waiting.
        text = "[" + ",".join(json.dumps(change) for change in row_changes) + "]"
        self._db.table("undo_steps").insert({"title": title, "row_changes": text})
        self._db.execute(
            "DELETE FROM undo_steps WHERE id <= (SELECT id FROM undo_steps ORDER BY id DESC LIMIT 1 OFFSET ?)",
            [UNDO_DEPTH],
        )

    def _play(self, step: Row, *, undo: bool) -> Changes:
        row_changes = list(_parsed(step["row_changes"]))
        for change in reversed(row_changes) if undo else row_changes:
            self._set(change, change.before if undo else change.after)
        self._db.table("undo_steps").update(step["id"], {"undone": int(undo)})
        return _changes(step["title"], row_changes)

    def _set(self, change: RowChange, row: Row | None) -> None:
        if row is None:
            self._db.table(change.table).delete(change.id)
        else:  # upsert, not replace: replacing deletes first, and other rows may point at this one
            self._db.table(change.table).upsert(row, pk="id")


def _parsed(text: str) -> Iterator[RowChange]:
    """The row changes of a step, read one by one as they are written."""
    decoder, at = json.JSONDecoder(), 1
    while text[at] != "]":
        entry, at = decoder.raw_decode(text, at)
        yield RowChange(*entry)
        while text[at] in ", ":
            at += 1


def _changes(title: str, row_changes: list[RowChange]) -> Changes:
    rows = [row for change in row_changes if change.table == "corrections" for row in (change.before, change.after)]
    return Changes(
        title=title,
        categories=any(change.table == "categories" for change in row_changes),
        image_ids=frozenset(row["image_id"] for row in rows if row),
    )
