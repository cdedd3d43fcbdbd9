"""Repair a damaged project: copy the file first, then replace its content by a new project with all readable rows.

Rows are read from a copy of the damaged file, checked and repaired one by one, and written to a new project. Its pages
then replace those of the damaged file in one transaction.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlite_utils import Database

from core.errors import BadFileError, StorageError
from core.records import Finding
from core.store.copying import copy_pages
from core.store.migrations import APPLICATION_ID
from core.store.openings import Opening
from core.store.project_check import findings_in, open_for_check, row_readers
from core.store.project_file import connect, convert_sqlite_errors, make_writable, transaction
from core.store.row_checks import BadRow, Row, is_unicode
from core.store.row_repair import UNKNOWN_CATEGORY, RowRepairer
from core.store.schema_check import column_names, current_shape, patch_schema
from core.store.undo_play import BadStep
from core.translation import tr

_ROWID = "its_rowid"
_REPAIRED = ("images", "categories", "corrections", "marks", "reviews", "refiners", "refiner_choices", "undo_steps")


@dataclass(frozen=True)
class Repair:
    """The result of a repair: the damage found, the copy of the damaged file (None if the project was whole), and a
    line for each row changed.
    """

    findings: list[Finding]
    copy: Path | None
    notes: list[str]


def repair_project(path: Path) -> Repair:
    """Copy a damaged project next to itself and repair it in place; a whole project is left as it is.

    Raises BadFileError if the file is no project or nothing in it can be read, and StorageError if it is open
    elsewhere, a newer version wrote it, or it cannot be written.
    """
    with convert_sqlite_errors(path), closing(open_for_check(path)) as damaged:
        findings = findings_in(damaged, path)
        if not findings:
            return Repair([], None, [])
        opening = Opening(path, visible=True)
        try:
            if others := opening.others():
                raise StorageError(
                    tr(
                        "The project {path} is open in process {pid}: close it there first.",
                        path=path,
                        pid=others[0].pid,
                    )
                )
            copy = _copy_beside(damaged, path)
            new, salvage = opening.file_to_make(), opening.file_to_make().with_suffix(".old")
            new.parent.mkdir(exist_ok=True)
            copy_pages(damaged, salvage)
            notes = _rebuild(salvage, new, folder=path.absolute().parent, name=path)
        finally:
            opening.close_and_clean()
    return Repair(findings, copy, notes)


def _copy_beside(db: Database, path: Path) -> Path:
    copy = path.with_name(f"{path.stem}.damaged-{datetime.now():%Y%m%d-%H%M%S}{path.suffix}")
    if copy.exists():
        raise StorageError(tr("{path} exists already: move it away and try again.", path=copy))
    copy_pages(db, copy)
    return copy


def _rebuild(salvage: Path, new: Path, *, folder: Path, name: Path) -> list[str]:
    with closing(connect(salvage, "rw")) as old:
        patch_schema(old)
    repairer = RowRepairer(folder)
    with closing(connect(salvage, "ro")) as old, closing(connect(new, "rwc")) as target:
        # With this, SQLite skips a table that it cannot parse, instead of refusing to read all others.
        old.execute("PRAGMA writable_schema = ON")
        target.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        make_writable(target)
        target.execute("PRAGMA foreign_keys = OFF")
        with transaction(target):
            _fill(old, target, repairer)
        if left := findings_in(target, name):
            raise BadFileError(
                tr("The project {path} cannot be repaired ({why}): its copy is beside it.", path=name, why=left[0])
            )
        with closing(connect(name, "rw")) as place:
            target.conn.backup(place.conn)
            place.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return repairer.notes


def _fill(old: Database, new: Database, repairer: RowRepairer) -> None:
    extents = _extents(old)
    for row in _rows(old, "images"):
        _insert(new, "images", repairer.image(row, extent=extents.get(row["id"], (1, 1))))
    for row in _rows(old, "categories"):
        _insert(new, "categories", repairer.category(row))

    def unknown() -> int:
        new.execute("INSERT INTO categories (name) VALUES (?) ON CONFLICT (name) DO NOTHING", [UNKNOWN_CATEGORY])
        return int(new.execute("SELECT id FROM categories WHERE name = ?", [UNKNOWN_CATEGORY]).fetchone()[0])

    for row in _rows(old, "corrections"):
        _insert(new, "corrections", repairer.correction(row, unknown=unknown))
    for row in _rows(old, "marks"):
        _insert(new, "marks", repairer.mark(row))
    for row in _rows(old, "reviews"):
        _insert(new, "reviews", repairer.review(row))
    for row in _rows(old, "refiners"):
        _insert(new, "refiners", repairer.refiner(row))
    for row in _rows(old, "refiner_choices"):
        lost = row["refiner_id"] is not None and row["refiner_id"] not in repairer.refiners
        why = tr("its refiner is lost") if lost else _problem_in("refiner_choices", row, repairer.folder)
        _insert(new, "refiner_choices", repairer.drop_if("refiner_choices", row, why))
    for row in _rows(old, "undo_steps"):
        step = repairer.step(row)
        _insert(
            new, "undo_steps", repairer.drop_if("undo_steps", step, _problem_in("undo_steps", step, repairer.folder))
        )
    for table in current_shape().keys() - {*_REPAIRED, "_sqlite_migrations"}:
        is_checked = table in row_readers(repairer.folder)
        for row in _rows(old, table):
            why = _problem_in(table, row, repairer.folder) if is_checked else ""
            with contextlib.suppress(sqlite3.IntegrityError):
                _insert(new, table, repairer.drop_if(table, row, why))
    for table, rowid, *_ in new.execute("PRAGMA foreign_key_check").fetchall():
        why = tr("left out: the row that it refers to is lost")
        repairer.notes.append(f"{table} {rowid}: {why}")
        new.execute(f"DELETE FROM {table} WHERE rowid = ?", [rowid])


def _problem_in(table: str, row: Row, folder: Path) -> str:
    try:
        row_readers(folder)[table](row)
    except (BadRow, BadStep) as bad:
        return str(bad)
    return ""


def _insert(new: Database, table: str, row: Row | None) -> None:
    if row is None:
        return
    known = set(column_names(current_shape()[table]))
    kept = {name: _storable(value) for name, value in row.items() if name in known and value is not None}
    columns, places = ", ".join(kept), ", ".join("?" * len(kept))
    new.execute(f"INSERT INTO {table} ({columns}) VALUES ({places})", list(kept.values()))


def _storable(value: object) -> object:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) and not is_unicode(value) else value


def _rows(old: Database, table: str) -> Iterator[Row]:
    """All rows of a table that SQLite can read: forwards to the first error, then backwards to it."""
    seen = 0
    query = f"SELECT rowid AS {_ROWID}, * FROM {table} NOT INDEXED"
    with contextlib.suppress(sqlite3.DatabaseError):
        for row in old.query(f"{query} ORDER BY rowid"):  # untranslated: SQL
            seen = row.pop(_ROWID)
            yield row
        return
    with contextlib.suppress(sqlite3.DatabaseError):
        for row in old.query(f"{query} WHERE rowid > ? ORDER BY rowid DESC", [seen]):  # untranslated: SQL
            del row[_ROWID]
            yield row


def _extents(old: Database) -> dict[int, tuple[int, int]]:
    """Image id -> the largest x and y of its readable boxes."""
    found: dict[int, tuple[int, int]] = {}
    for row in _rows(old, "corrections"):
        with contextlib.suppress(ValueError, TypeError, OverflowError, RecursionError):
            _, _, right, bottom = json.loads(row["accepted"])
            width, height = found.get(row["image_id"], (1, 1))
            found[row["image_id"]] = max(width, int(right) + 1), max(height, int(bottom) + 1)
    return found
