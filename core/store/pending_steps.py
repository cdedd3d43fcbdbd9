"""Steps in parts that are not complete, see `core.store.long_steps` and `core.store.long_travel`, and forgotten ones.

They are found when a project is opened, and what is stored of them is undone.
"""

from __future__ import annotations

import json

from sqlite_utils import Database

from core.store.file_place import FilePlace
from core.store.project_file import transaction
from core.store.row_checks import BadRow, Row
from core.store.undo_parts import EVER, drop_part, undo_part
from core.store.undo_play import BadStep, Others

PENDING, TRAVELLING, FORGOTTEN = 2, 3, 4
"""`undone` of a step of which some parts are not stored yet, of one of which some parts are undone, and of one that
cannot be redone any more: its parts are deleted a few at a time, because those of a million boxes take seconds."""

ONLY_READ = 5
"""`undone` of a step of another project that was merged into this one: the history of a box shows it, and it is never
played, because its boxes have come as they were after it."""

_AT_A_TIME = 2


def abandon(db: Database, place: FilePlace | None, step: Row, *, others: Others, mine: int) -> None:
    """Undo what is stored of a pending step, the last part first, and delete the step.

    Each part is a transaction, so a crash in between leaves fewer parts. A damaged part is left out.
    """
    while True:
        with transaction(db, place):
            part = next(
                db.query("SELECT * FROM undo_parts WHERE step = ? ORDER BY id DESC LIMIT 1", [step["id"]]), None
            )
            if part is None:
                db.execute("DELETE FROM undo_steps WHERE id = ?", [step["id"]])
                return
            try:
                drop_part(db, part, others=others, mine=mine)
            except (BadStep, BadRow):
                db.execute("DELETE FROM undo_parts WHERE id = ?", [part["id"]])


def arrive(db: Database, place: FilePlace | None, step: Row, *, others: Others, mine: int) -> None:
    """Undo the parts of a travelling step that are not undone, the last one first, so that it can be redone."""
    while True:
        with transaction(db, place):
            query = "SELECT * FROM undo_parts WHERE step = ? AND undone = 0 ORDER BY id DESC LIMIT 1"
            part = next(db.query(query, [step["id"]]), None)
            if part is None:
                db.execute("UPDATE undo_steps SET undone = 1 WHERE id = ?", [step["id"]])
                return
            try:
                undo_part(db, part, others=others, mine=mine, is_careful=False, until=EVER)
            except (BadStep, BadRow):
                db.execute("DELETE FROM undo_parts WHERE id = ?", [part["id"]])


def clean_up(db: Database, place: FilePlace, *, others: Others) -> None:
    """Undo what is stored of the incomplete steps of openings that have ended."""
    for row in steps_of(db, PENDING, but=others.openings):
        abandon(db, place, row, others=others, mine=0)
    for row in steps_of(db, TRAVELLING, but=others.openings):
        arrive(db, place, row, others=others, mine=0)


def steps_of(db: Database, state: int, *, but: frozenset[int]) -> list[Row]:
    """The steps in a state, the last one first, but for those of some openings."""
    others = "opening NOT IN (SELECT value FROM json_each(?))"  # untranslated: SQL
    query = f"SELECT * FROM undo_steps WHERE undone = ? AND {others} ORDER BY id DESC"
    return list(db.query(query, [state, json.dumps(sorted(but))]))


def forget(db: Database, condition: str) -> None:
    """Delete the steps for which an SQL condition holds, inside a transaction; those with parts follow by `reclaim`."""
    parts = "EXISTS (SELECT 1 FROM undo_parts WHERE step = undo_steps.id)"  # untranslated: SQL
    db.execute(f"UPDATE undo_steps SET undone = {FORGOTTEN} WHERE ({condition}) AND {parts}")
    db.execute(f"DELETE FROM undo_steps WHERE {condition}")


def reclaim(db: Database) -> None:
    """Delete a few parts of forgotten steps, inside a transaction."""
    for (id,) in db.execute(f"SELECT id FROM undo_steps WHERE undone = {FORGOTTEN} LIMIT 1").fetchall():
        parts = db.execute("SELECT id FROM undo_parts WHERE step = ? LIMIT ?", [id, _AT_A_TIME]).fetchall()
        for part in parts:
            db.execute("DELETE FROM undo_parts WHERE id = ?", part)
        if len(parts) < _AT_A_TIME:
            db.execute("DELETE FROM undo_steps WHERE id = ?", [id])
