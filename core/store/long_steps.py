"""Long operations, such as an import: one undo step that is written in many transactions.

So other writes, such as accepting a box, wait for one part only. Until the last part is stored, the step is pending: it
can be neither undone nor redone. If the operation fails or is cancelled, its parts are undone; after a crash, the next
opening does that.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlite_utils import Database

from core.records import Changes, Step
from core.store.file_place import FilePlace
from core.store.pending_steps import PENDING
from core.store.project_file import transaction
from core.store.steps import step_columns
from core.store.undo_log import Operation
from core.store.undo_parts import span_of, text_of

_SMALL = 500
"""A single part of so many boxes is stored as a text, as the changes of other steps are."""


class LongStep:
    """One undo step that is written in parts."""

    def __init__(self, db: Database, place: FilePlace, step: Step, operation: Operation) -> None:
        """`operation` collects the changes of all parts."""
        self._db, self._place, self._step, self._operation = db, place, step, operation
        self._id = 0

    @property
    def changes(self) -> Changes:
        """What all parts have changed."""
        return self._operation.changes

    @property
    def id(self) -> int:
        """The id of the step; 0 while nothing is written."""
        return self._id

    @contextmanager
    def part(self) -> Iterator[Operation]:
        """Run the block as one transaction; an error discards only this part.

        The part is on the disk when the step is complete, not earlier.
        """
        self._db.execute("PRAGMA synchronous = NORMAL")  # a sync for each part would take as long as the writes
        try:
            with transaction(self._db, self._place):
                yield self._operation
                text, boxes = self._operation.take_text(), self._operation.take_boxes()
                if text or boxes:
                    if not self._id:
                        self._id = self._begin()
                    statement = "INSERT INTO undo_parts (step, row_changes, first_box, last_box) VALUES (?, ?, ?, ?)"
                    self._db.execute(statement, [self._id, text or "[]", *(boxes or (None, None))])
        finally:
            self._db.execute("PRAGMA synchronous = FULL")

    def complete(self) -> None:
        """Make the step one that can be undone; belongs inside a transaction. A small part becomes the step's own."""
        query = "SELECT id, row_changes, first_box, last_box FROM undo_parts WHERE step = ? LIMIT 2"
        parts = list(self._db.query(query, [self._id]))
        if len(parts) == 1 and span_of(parts[0]) <= _SMALL:
            text = text_of(self._db, parts[0])
            self._db.execute("UPDATE undo_steps SET row_changes = ? WHERE id = ?", [text, self._id])
            self._db.execute("DELETE FROM undo_parts WHERE step = ?", [self._id])
        self._db.execute("UPDATE undo_steps SET undone = 0 WHERE id = ?", [self._id])

    def _begin(self) -> int:
        row = {**step_columns(self._step), "undone": PENDING, "row_changes": "[]", "opening": self._operation.opening}
        places = ", ".join("?" * len(row))
        cursor = self._db.execute(f"INSERT INTO undo_steps ({', '.join(row)}) VALUES ({places})", list(row.values()))
        return int(cursor.lastrowid or 0)
