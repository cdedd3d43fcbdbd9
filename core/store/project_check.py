"""Find the damage in a project file, down to each row, for `boxrefine project check`."""

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
from core.store.correction_columns import OF_OLD_ROWS
from core.store.drawn_boxes import drawn_box_of
from core.store.head_log import head_of
from core.store.migrations import APPLICATION_ID, MIGRATIONS, unknown_steps
from core.store.pending_steps import ONLY_READ
from core.store.project_file import connect, convert_sqlite_errors
from core.store.refiner_log import refiner_of
from core.store.row_checks import BadRow, Row, id_in, is_unicode, text_in, whole_number_in
from core.store.rows import category_of, check_rejected, check_twin, correction_of, image_of, mark_of, review_of
from core.store.schema_check import log_findings, schema_findings, shape_after
from core.store.source_log import source_of
from core.store.steps import step_of
from core.store.undo_parts import check_part
from core.store.undo_play import BadStep, read_changes
from core.translation import tr

_FILE = "file"
_REFERENCES = (
    ("corrections", "image_id", "images", tr("its image {id} is damaged or missing")),
    ("corrections", "category_id", "categories", tr("its category {id} is damaged or missing")),
    ("drawn_boxes", "image_id", "images", tr("its image {id} is damaged or missing")),
    ("marks", "id", "images", tr("its image {id} is damaged or missing")),
    ("reviews", "id", "corrections", tr("its box {id} is damaged or missing")),
    ("reviews", "image_id", "images", tr("its image {id} is damaged or missing")),
    ("rejected_boxes", "image_id", "images", tr("its image {id} is damaged or missing")),
    ("twins", "image_id", "images", tr("its image {id} is damaged or missing")),
    ("rejected_boxes", "category_id", "categories", tr("its category {id} is damaged or missing")),
    ("refiner_choices", "refiner_id", "refiners", tr("its refiner {id} is damaged or missing")),
)
"""Table, column, the table that it refers to, and the finding if the row there is damaged or missing."""


def check_project(path: Path) -> list[Finding]:
    """List all damage of a project without writing to it; an empty list means that it is whole.

    Raises BadFileError if the file is missing or no project, StorageError if a newer version wrote it.
    """
    with closing(open_for_check(path)) as db:
        return findings_in(db, path)


def open_for_check(path: Path) -> Database:
    """Open a project that may be damaged. Raises BadFileError and StorageError as `check_project`."""
    if not path.is_file():
        raise BadFileError(tr("The project {path} does not exist: check the path.", path=path))
    with convert_sqlite_errors(path):
        # A writable connection merges and removes the journal when it is closed; a read-only one would leave it.
        may_write = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
        db = connect(path, "rw" if may_write else "ro&immutable=1")
        try:
            db.execute("PRAGMA query_only = ON")
            if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
                raise BadFileError(tr("{path} is no BoxRefine project: choose a project file.", path=path))
        except BaseException:
            db.close()
            raise
    return db


def findings_in(db: Database, path: Path) -> list[Finding]:
    """The damage of an open file; `path` is its name in errors. Raises StorageError if a newer version wrote it."""
    try:
        pages = [str(row[0]) for row in db.execute("PRAGMA integrity_check(20)").fetchall()]
        found = [Finding(_FILE, 0, _one_line(text)) for text in pages if text != "ok"]
        found += log_findings(db)
        if found:
            return found
        if unknown_steps(db):
            raise StorageError(
                tr("The project {path} was written by a newer version: update BoxRefine to check it.", path=path)
            )
        pending = [step.name for step in MIGRATIONS.pending(db)]
        found += schema_findings(db, expected=shape_after(without=frozenset(pending)))
        return found or list(_row_findings(db, path))
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        return [Finding(_FILE, 0, _one_line(str(error)))]


def row_readers(folder: Path) -> dict[str, Callable[[Row], object]]:
    """Table -> the function that reads one of its rows, and raises BadRow or BadStep if it is damaged."""
    return {
        "images": partial(image_of, folder=folder),
        "categories": lambda row: category_of({"place": None, **row}),
        "corrections": lambda row: correction_of({**OF_OLD_ROWS, **row}),
        "drawn_boxes": drawn_box_of,
        "marks": mark_of,
        "reviews": review_of,
        "refiners": partial(refiner_of, folder=folder),
        "refiner_choices": _check_choice,
        "rejected_boxes": check_rejected,
        "twins": check_twin,
        "heads": head_of,
        "undo_steps": check_step,
        "undo_parts": lambda row: check_part({"first_box": None, "last_box": None, "undone": 0, **row}),
        "sources": source_of,
        "openings": lambda row: [text_in({"annotator": "", **row}, n) for n in ("token", "created", "annotator")],
    }


def check_step(row: Row) -> None:
    """Raise BadRow or BadStep if an undo step is damaged."""
    step_of(row)
    whole_number_in(row, "undone", least=0, most=ONLY_READ)
    read_changes(row)


def _check_choice(row: Row) -> None:
    text_in(row, "encoder")
    text_in(row, "created")
    if row["refiner_id"] is not None:
        id_in(row, "refiner_id")


def _row_findings(db: Database, path: Path) -> Iterator[Finding]:
    tables = {str(name) for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()}
    whole: dict[str, set[int]] = {}
    for table, check in row_readers(path.absolute().parent).items():
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
    for table, column, other, sentence in _REFERENCES:
        if table in tables:
            for id, to in db.execute(f"SELECT id, {column} FROM {table} WHERE {column} IS NOT NULL").fetchall():
                if id in whole[table] and to not in whole[other]:
                    yield Finding(table, id, sentence.format(id=to))


def _one_line(text: str) -> str:
    plain = text if is_unicode(text) else text.encode("utf-8", "replace").decode()
    return " ".join(plain.split())[:300]
