"""Repairs a damaged project: a copy is made first, then the file gets the content of a new one with all that is whole.

The damaged file is only read. Its rows go, checked and mended one by one, into a new project, which takes its place
in one transaction.
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
from core.store.mending import UNKNOWN_CATEGORY, Mender
from core.store.migrations import APPLICATION_ID
from core.store.openings import Opening
from core.store.project_check import checks, findings_in, open_to_check
from core.store.project_file import connect, make_writable, naming_faults, transaction
from core.store.row_checks import BadRow, Row, is_unicode
from core.store.schema_check import column_names, current_shape, patch_schema
from core.store.undo_play import BadStep

_ROWID = "its_rowid"
_MENDED = ("images", "categories", "corrections", "refiners", "refiner_choices", "undo_steps")


@dataclass(frozen=True)
class Repair:
    """What a repair did: what was wrong, where the copy of the damaged file is, and a line for each row changed."""

    findings: list[Finding]
    copy: Path | None
    notes: list[str]


def repair_project(path: Path) -> Repair:
    """Mend a project in place after copying it beside; a whole one is left as it is.

    Raises BadFileError where the file is no project or nothing of it can be read, and StorageError where it is open
    elsewhere, a newer version wrote it, or it cannot be written.
    """
    with naming_faults(path), closing(open_to_check(path)) as damaged:
        findings = findings_in(damaged, path)
        if not findings:
            return Repair([], None, [])
        opening = Opening(path, visible=True)
        try:
            if others := opening.others():
                raise StorageError(f"The project {path} is open in process {others[0].pid}: close it there first.")
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
        raise StorageError(f"{copy} exists already: move it away and try again.")
    copy_pages(db, copy)
    return copy


def _rebuild(salvage: Path, new: Path, *, folder: Path, name: Path) -> list[str]:
    with closing(connect(salvage, "rw")) as old:
        patch_schema(old)
    mender = Mender(folder)
    with closing(connect(salvage, "ro")) as old, closing(connect(new, "rwc")) as target:
        # A table that cannot be understood is then missing, instead of making all others unreadable.
        old.execute("PRAGMA writable_schema = ON")
        target.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        make_writable(target)
        target.execute("PRAGMA foreign_keys = OFF")
        with transaction(target):
            _fill(old, target, mender)
        if left := findings_in(target, name):
            raise BadFileError(f"The project {name} cannot be repaired ({left[0]}): its copy is beside it.")
        with closing(connect(name, "rw")) as place:
            target.conn.backup(place.conn)
            place.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return mender.notes


def _fill(old: Database, new: Database, mender: Mender) -> None:
    extents = _extents(old)
    for row in _rows(old, "images"):
        _insert(new, "images", mender.image(row, extent=extents.get(row["id"], (1, 1))))
    for row in _rows(old, "categories"):
        _insert(new, "categories", mender.category(row))

    def unknown() -> int:
        new.execute("INSERT INTO categories (name) VALUES (?) ON CONFLICT (name) DO NOTHING", [UNKNOWN_CATEGORY])
        return int(new.execute("SELECT id FROM categories WHERE name = ?", [UNKNOWN_CATEGORY]).fetchone()[0])

    for row in _rows(old, "corrections"):
        _insert(new, "corrections", mender.correction(row, unknown=unknown))
    for row in _rows(old, "refiners"):
        _insert(new, "refiners", mender.refiner(row))
    for row in _rows(old, "refiner_choices"):
        lost = row["refiner_id"] is not None and row["refiner_id"] not in mender.refiners
        why = "its refiner is lost" if lost else _fault_of("refiner_choices", row, mender.folder)
        _insert(new, "refiner_choices", mender.drop_if("refiner_choices", row, why))
    for row in _rows(old, "undo_steps"):
        step = mender.step(row)
        _insert(new, "undo_steps", mender.drop_if("undo_steps", step, _fault_of("undo_steps", step, mender.folder)))
    for table in current_shape().keys() - {*_MENDED, "_sqlite_migrations"}:
        is_checked = table in checks(mender.folder)
        for row in _rows(old, table):
            why = _fault_of(table, row, mender.folder) if is_checked else ""
            with contextlib.suppress(sqlite3.IntegrityError):
                _insert(new, table, mender.drop_if(table, row, why))
    for table, rowid, *_ in new.execute("PRAGMA foreign_key_check").fetchall():
        mender.notes.append(f"{table} {rowid}: left out, because what it points at is lost")
        new.execute(f"DELETE FROM {table} WHERE rowid = ?", [rowid])


def _fault_of(table: str, row: Row, folder: Path) -> str:
    try:
        checks(folder)[table](row)
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
    """All rows of a table that SQLite can reach: from the front to where it cannot, and from the end to there."""
    seen = 0
    query = f"SELECT rowid AS {_ROWID}, * FROM {table} NOT INDEXED"
    with contextlib.suppress(sqlite3.DatabaseError):
        for row in old.query(f"{query} ORDER BY rowid"):
            seen = row.pop(_ROWID)
            yield row
        return
    with contextlib.suppress(sqlite3.DatabaseError):
        for row in old.query(f"{query} WHERE rowid > ? ORDER BY rowid DESC", [seen]):
            del row[_ROWID]
            yield row


def _extents(old: Database) -> dict[int, tuple[int, int]]:
    """Image id -> how far its boxes reach, of those that can be read."""
    found: dict[int, tuple[int, int]] = {}
    for row in _rows(old, "corrections"):
        with contextlib.suppress(ValueError, TypeError, OverflowError, RecursionError):
            _, _, right, bottom = json.loads(row["accepted"])
            width, height = found.get(row["image_id"], (1, 1))
            found[row["image_id"]] = max(width, int(right) + 1), max(height, int(bottom) + 1)
    return found
