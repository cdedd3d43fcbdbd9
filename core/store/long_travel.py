"""Undo and redo of a long step part by part, each in a transaction of its own, so that no other write waits for all.

The step is TRAVELLING meanwhile: it can be neither undone nor redone. If a part is damaged, or the job is closed, the
parts go back; after a crash, the next opening undoes the rest.
"""

from __future__ import annotations

import contextlib

from sqlite_utils import Database

from core.errors import KnownError
from core.progress import Job, Progress
from core.store.file_place import FilePlace
from core.store.pending_steps import TRAVELLING
from core.store.project_file import transaction
from core.store.row_checks import Row
from core.store.rows import now
from core.store.undo_parts import redo_part, undo_part
from core.store.undo_play import BadStep, Others, Played


class LongTravel:
    """One undo or redo of a step with parts."""

    def __init__(
        self, db: Database, place: FilePlace, step: Row, *, undo: bool, others: Others, mine: int, is_careful: bool
    ) -> None:
        self._db, self._place, self._step, self._undo = db, place, step, undo
        self._others, self._mine, self._is_careful = others, mine, is_careful
        self._begun = now()
        self._whole = Played()

    def steps(self, title: str) -> Job[Played]:
        """Play all parts; the step is TRAVELLING afterwards, too. Raises BadStep, after the parts have gone back."""
        order = "DESC" if self._undo else ""
        query = f"SELECT id FROM undo_parts WHERE step = ? AND undone = ? ORDER BY id {order}"  # untranslated: SQL
        ids = [id for (id,) in self._db.execute(query, [self._step["id"], int(not self._undo)]).fetchall()]
        done: list[int] = []
        is_complete = False
        try:
            for id in ids:
                self._whole.add(self._play(id, undo=self._undo))
                done.append(id)
                yield Progress(len(done), len(ids), title)
            is_complete = True
        finally:
            if not is_complete:
                # What cannot go back now, as on a full disk, is undone when the project is opened again.
                with contextlib.suppress(KnownError, BadStep):
                    self._go_back(done)
        return self._whole

    def _play(self, id: int, *, undo: bool) -> Played:
        self._db.execute("PRAGMA synchronous = NORMAL")  # as the parts of the step were written
        try:
            with transaction(self._db, self._place):
                part = next(self._db.query("SELECT * FROM undo_parts WHERE id = ?", [id]))
                if undo:
                    return undo_part(
                        self._db,
                        part,
                        others=self._others,
                        mine=self._mine,
                        is_careful=self._is_careful,
                        until=self._begun,
                    )
                return redo_part(
                    self._db, part, others=self._others, mine=self._mine, is_careful=self._is_careful
                )  # fmt: skip
        finally:
            self._db.execute("PRAGMA synchronous = FULL")

    def _go_back(self, done: list[int]) -> None:
        for id in reversed(done):
            self._play(id, undo=not self._undo)
        self._db.execute(
            "UPDATE undo_steps SET undone = ? WHERE id = ? AND undone = ?",
            [int(not self._undo), self._step["id"], TRAVELLING],
        )
