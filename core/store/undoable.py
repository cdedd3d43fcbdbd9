"""Writes of a project as undo steps, and playing them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.progress import Job, run
from core.records import Changes, Step
from core.store.drawn_boxes import DrawnBoxes
from core.store.long_steps import LongStep
from core.store.project_file import convert_sqlite_errors
from core.store.row_checks import Row
from core.store.row_errors import damaged_row, missing_row
from core.store.rows import is_whole
from core.store.undo_log import Operation, UndoLog


class Undoable(DrawnBoxes):
    """The undo log of one project; the operations are in the subclasses."""

    def __init__(self, path: Path) -> None:
        """Open the file at `path`; see `ProjectStore.open`."""
        super().__init__(path)
        try:
            with convert_sqlite_errors(path):
                self._undo_log = UndoLog(self._db, self._place, self._opening)
                if not self.read_only:
                    self._undo_log.clean_up()
        except BaseException:
            self.close()
            raise

    def undo(self) -> Changes:
        """Undo the last operation, also one of an earlier session; return empty Changes if there is none."""
        return run(self.travel(undo=True))

    def redo(self) -> Changes:
        """Redo the operation that was undone last; return empty Changes if there is none, as after a new operation."""
        return run(self.travel(undo=False))

    def travel(self, *, undo: bool) -> Job[Changes]:
        """`undo` or `redo` as a job: between its steps, of which only a large import has any, other writes may run.

        Closing it leaves the project as it was.
        """
        self.refuse_read_only()
        with convert_sqlite_errors(self.path):
            return (yield from self._undo_log.travel(undo=undo))

    def undo_steps(self) -> tuple[Step | None, Step | None]:
        """The next operations of undo and redo, None if there is none; `core.wording` has their titles."""
        with convert_sqlite_errors(self.path):
            return self._undo_log.steps()

    def long_step(self, step: Step) -> LongStep:
        """Begin an operation that is stored in parts, for other modules of core/store."""
        self.refuse_read_only()
        return LongStep(self._db, self._place, step, self._undo_log.new_operation(step))

    def complete(self, long: LongStep) -> None:
        """Make a long operation one that can be undone; belongs inside a transaction."""
        if long.id:
            self._undo_log.forget_undone()
            long.complete()
            self._undo_log.trim()

    def abandon(self, long: LongStep) -> None:
        """Undo what is stored of a long operation."""
        if long.id:
            self._undo_log.abandon(long.id)

    @contextmanager
    def _operation(self, step: Step, *, run: str = "") -> Iterator[Operation]:
        self.refuse_read_only()
        with convert_sqlite_errors(self.path), self._undo_log.operation(step, run=run) as operation:
            yield operation

    def _row(self, operation: Operation, table: str, id: int) -> Row:
        row = operation.row(table, id)
        if row is None:
            raise missing_row(table, id, path=self.path)
        if not is_whole(table, row):
            raise damaged_row(table, id, path=self.path)
        return row
