"""What is wrong with a project file, down to each row: what `boxrefine project check` lists."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from sqlite_utils import Database

from core.errors import BadFileError, StorageError
from core.records import Finding
from core.store.drawn_boxes import drawn_box_of
from core.store.migrations import APPLICATION_ID, MIGRATIONS, unknown_steps
from core.store.project_file import connect, naming_faults
from core.store.refiner_log import refiner_of
from core.store.row_checks import BadRow, Row, flag_in, id_in, is_unicode, text_in
from core.store.rows import category_of, correction_of, image_of
from core.store.schema_check import log_findings, schema_findings, shape_after
from core.store.steps import step_of
from core.store.undo_play import BadStep, checked_changes

_FILE = "file"
_REFERENCES = (
    ("corrections", "image_id", "images", "image"),
    ("corrections", "category_id", "categories", "category"),
    ("drawn_boxes", "image_id", "images", "image"),
    ("refiner_choices", "refiner_id", "refiners", "refiner"),
)


def check_project(path: Path) -> list[Finding]:
    """All damage of a project, nothing written; an empty list means that it is whole.

    Raises BadFileError where the file is missing or no project, StorageError where a newer version wrote it.
    """
    with closing(open_to_check(path)) as db:
        return findings_in(db, path)


def open_to_check(path: Path) -> Database:
    """A connection to a project that may be damaged. Raises BadFileError and StorageError as `check_project`."""
    if not path.is_file():
        raise BadFileError(f"The project {path} does not exist: check the path.")
    with naming_faults(path):
        # A connection that may write merges and removes the journal when it ends; one that may not would leave one.
        may_write = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
        db = connect(path, "rw" if may_write else "ro&immutable=1")
        try:
            db.execute("PRAGMA query_only = ON")
            if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
                raise BadFileError(f"{path} is no BoxRefine project: choose a project file.")
        except BaseException:
            db.close()
            raise
    return db


def findings_in(db: Database, path: Path) -> list[Finding]:
    """The findings of an open file; `path` is only its name. Raises StorageError where a newer version wrote it."""
    try:
        pages = [str(row[0]) for row in db.execute("PRAGMA integrity_check(20)").fetchall()]
        found = [Finding(_FILE, 0, _one_line(text)) for text in pages if text != "ok"]
        found += log_findings(db)
        if found:
            return found
        if unknown_steps(db):
            raise StorageError(f"The project {path} was written by a newer version: update BoxRefine to check it.")
        pending = [step.name for step in MIGRATIONS.pending(db)]
        found += schema_findings(db, expected=shape_after(without=frozenset(pending)))
        return found or list(_row_findings(db, path))
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        return [Finding(_FILE, 0, _one_line(str(error)))]


def checks(folder: Path) -> dict[str, Callable[[Row], object]]:
    """Table -> what reads one of its rows, and raises BadRow or BadStep where it is damaged."""
    return {
        "images": partial(image_of, folder=folder),
        "categories": lambda row: category_of({"place": None, **row}),
        "corrections": lambda row: correction_of({"outline": None, "origin": None, "confirmed": 1, **row}),
        "drawn_boxes": drawn_box_of,
        "refiners": partial(refiner_of, folder=folder),
        "refiner_choices": _check_choice,
        "undo_steps": check_step,
        "openings": lambda row: (text_in(row, "token"), text_in(row, "created")),
    }


def check_step(row: Row) -> None:
    """Raise BadRow or BadStep where an undo step is damaged."""
    step_of(row)
    flag_in(row, "undone")
    checked_changes(row)


def _check_choice(row: Row) -> None:
    text_in(row, "encoder")
    text_in(row, "created")
    if row["refiner_id"] is not None:
        id_in(row, "refiner_id")


def _row_findings(db: Database, path: Path) -> Iterator[Finding]:
    tables = {str(name) for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()}
    whole: dict[str, set[int]] = {}
    for table, check in checks(path.absolute().parent).items():
        if table not in tables:
            continue
        whole[table] = set()
        for row in db.query(f"SELECT * FROM {table} ORDER BY id"):
            try:
                check(row)
            except (BadRow, BadStep) as bad:
                yield Finding(table, row["id"], _one_line(str(bad)))
            else:
                whole[table].add(row["id"])
    for table, column, other, noun in _REFERENCES:
        if table in tables:
            for id, to in db.execute(f"SELECT id, {column} FROM {table} WHERE {column} IS NOT NULL").fetchall():
                if id in whole[table] and to not in whole[other]:
                    yield Finding(table, id, f"its {noun} {to} is damaged or missing")


def _one_line(text: str) -> str:
    plain = text if is_unicode(text) else text.encode("utf-8", "replace").decode()
    return " ".join(plain.split())[:300]
