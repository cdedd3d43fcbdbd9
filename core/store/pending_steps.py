"""Steps that are written in parts and not complete, see `core.store.long_steps`: find them, and undo what is stored."""

from __future__ import annotations

import json

from sqlite_utils import Database

from core.store.file_place import FilePlace
from core.store.project_file import transaction
from core.store.row_checks import Row
from core.store.undo_play import BadStep, Others, play

PENDING = 2
"""`undone` of a step that is not complete."""

ONLY_READ = 3
"""`undone` of a step of another project that was merged into this one: the history of a box shows it, and it is never
played, because its boxes have come as they were after it."""


def abandon(db: Database, place: FilePlace | None, step: Row, *, others: Others, mine: int) -> None:
    """Undo what is stored of a pending step, the last part first, and delete the step.

    Each part is a transaction, so a crash in between leaves fewer parts. A damaged part is left out.
    """
    while True:
        with transaction(db, place):
            query = "SELECT id, row_changes FROM undo_parts WHERE step = ? ORDER BY id DESC LIMIT 1"
            part = next(db.query(query, [step["id"]]), None)
            if part is None:
                db.execute("DELETE FROM undo_steps WHERE id = ?", [step["id"]])
                return
            try:
                held = {**step, "row_changes": part["row_changes"]}
                play(db, held, undo=True, others=others, mine=mine, is_careful=False)
            except BadStep:
                pass
            db.execute("DELETE FROM undo_parts WHERE id = ?", [part["id"]])


def pending_steps(db: Database, *, but: frozenset[int]) -> list[Row]:
    """The pending steps of openings that have ended: all but those of `but`."""
    others = "opening NOT IN (SELECT value FROM json_each(?))"  # untranslated: SQL
    query = f"SELECT * FROM undo_steps WHERE undone = ? AND {others} ORDER BY id DESC"
    return list(db.query(query, [PENDING, json.dumps(sorted(but))]))
