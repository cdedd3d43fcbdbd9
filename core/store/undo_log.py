"""The undo log: what each operation did to which row, kept in the file, played backwards and forwards.

Rows are written by plain SQL: sqlite-utils looks a table up at each call, which took ten times as long as writing the
row, and undoing an import of 100,000 boxes kept everything else that was to be stored waiting.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
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
        self._texts: list[str] = []
        self._touched = _Touched()

    @property
    def changes(self) -> Changes:
        """What the writes so far have touched."""
        return self._touched.changes(self._title)

    @property
    def text(self) -> str:
        """The row changes as a JSON array, for the log; empty where nothing was written."""
        return f"[{','.join(self._texts)}]" if self._texts else ""

    def row(self, table: str, id: int) -> Row | None:
        """The row as it is now."""
        return next(self._db.query(f"SELECT * FROM {table} WHERE id = ?", [id]), None)

    def insert(self, table: str, row: Row) -> int:
        """Write a new row and give its id."""
        columns, places = ", ".join(row), ", ".join("?" * len(row))
        cursor = self._db.execute(f"INSERT INTO {table} ({columns}) VALUES ({places})", list(row.values()))
        id = int(cursor.lastrowid or 0)
        self._note(RowChange(table, id, None, {"id": id, **row}))
        return id

    def update(self, table: str, before: Row, **columns: object) -> None:
        """Write some columns of the row that is now `before`."""
        places = ", ".join(f"{name} = ?" for name in columns)
        self._db.execute(f"UPDATE {table} SET {places} WHERE id = ?", [*columns.values(), before["id"]])
        self._note(RowChange(table, before["id"], before, {**before, **columns}))

    def remove(self, table: str, before: Row) -> None:
        """Take away the row that is now `before`."""
        self._db.execute(f"DELETE FROM {table} WHERE id = ?", [before["id"]])
        self._note(RowChange(table, before["id"], before, None))

    def _note(self, change: RowChange) -> None:
        # As text at once: one call for an import of 100,000 boxes would keep all other threads waiting, and so would
        # the cycle collector, which passes strings over.
        self._texts.append(json.dumps(change))
        self._touched.note(change)


class UndoLog:
    """Undo and redo over one connection; each call is one transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @contextmanager
    def operation(self, title: str, *, run: str = "") -> Iterator[Operation]:
        """One change that the user sees: one transaction, one undo step; an error leaves neither.

        Changes in a row with the same `run` are one step; empty: it is a step of its own.
        """
        with transaction(self._db):
            operation = Operation(self._db, title)
            yield operation
            if text := operation.text:
                self._record(title, text, run=run)

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

    def _record(self, title: str, text: str, *, run: str) -> None:
        self.forget_undone()
        step = self._newest_done() if run else None
        if step is not None and step["run"] == run:
            self._db.execute(
                "UPDATE undo_steps SET row_changes = ? WHERE id = ?", [_joined(step["row_changes"], text), step["id"]]
            )
            return
        self._db.table("undo_steps").insert({"title": title, "row_changes": text, "run": run})
        self._db.execute(
            "DELETE FROM undo_steps WHERE id <= (SELECT id FROM undo_steps ORDER BY id DESC LIMIT 1 OFFSET ?)",
            [UNDO_DEPTH],
        )

    def _play(self, step: Row, *, undo: bool) -> Changes:
        touched = _Touched()

        def wanted() -> Iterator[tuple[str, int, Row | None]]:
            row_changes = _parsed(step["row_changes"])
            for change in _backwards(list(row_changes)) if undo else row_changes:
                touched.note(change)
                yield change.table, change.id, change.before if undo else change.after

        for (table, columns), rows in groupby(wanted(), key=lambda entry: (entry[0], tuple(entry[2] or ()))):
            values = (tuple(row.values()) if row else (id,) for _, id, row in rows)
            self._db.conn.executemany(_statement(table, columns), values)
        self._db.execute("UPDATE undo_steps SET undone = ? WHERE id = ?", [int(undo), step["id"]])
        return touched.changes(step["title"])


class _Touched:
    """What the panels must know of row changes."""

    def __init__(self) -> None:
        self._tables: set[str] = set()
        self._image_ids: set[int] = set()

    def note(self, change: RowChange) -> None:
        self._tables.add(change.table)
        if change.table == "corrections":
            self._image_ids.update(row["image_id"] for row in (change.before, change.after) if row)

    def changes(self, title: str) -> Changes:
        return Changes(title=title, categories="categories" in self._tables, image_ids=frozenset(self._image_ids))


def _backwards(row_changes: list[RowChange]) -> Iterator[RowChange]:
    """The last one first; each is let go of at once, since freeing all together would hold up the other threads."""
    while row_changes:
        yield row_changes.pop()


def _statement(table: str, columns: tuple[str, ...]) -> str:
    """What puts rows of these columns in their places, or, where there are none, takes the one of an id away."""
    if not columns:
        return f"DELETE FROM {table} WHERE id = ?"
    names, places = ", ".join(columns), ", ".join("?" * len(columns))
    # Not REPLACE, which deletes first: other rows may point at this one.
    there = ", ".join(f"{name} = excluded.{name}" for name in columns)
    return f"INSERT INTO {table} ({names}) VALUES ({places}) ON CONFLICT (id) DO UPDATE SET {there}"


def _joined(first: str, then: str) -> str:
    """The row changes of two steps as those of one: of a row that both changed, before the first and after the last."""
    whole: dict[tuple[str, int], RowChange] = {}
    for change in (*_parsed(first), *_parsed(then)):
        key = change.table, change.id
        whole[key] = change._replace(before=whole[key].before) if key in whole else change
    return json.dumps(list(whole.values()))


def _parsed(text: str) -> Iterator[RowChange]:
    """The row changes of a step, read one by one as they are written."""
    decoder, at = json.JSONDecoder(), 1
    while text[at] != "]":
        entry, at = decoder.raw_decode(text, at)
        yield RowChange(*entry)
        while text[at] in ", ":
            at += 1
