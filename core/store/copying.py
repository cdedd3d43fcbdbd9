"""Copies of a whole project: to another place, or away from a place that is gone."""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

import platformdirs
from sqlite_utils import Database

from core.errors import StorageError, reason
from core.files import sync_folder
from core.store.project_file import connect, make_writable, naming_faults, transaction
from core.store.row_checks import BadRow
from core.store.rows import picture_path, stored_path

_PATHS = (("images", "path"), ("refiners", "folder"))
"""Columns with paths that are relative to the project's folder."""

_PAGES = 4096
"""Pages in one step of a copy; a writer in between makes SQLite start anew, so a step is large."""


def rescue_folder() -> Path:
    """Where copies of projects whose files are gone lie, in the user's data folder."""
    return Path(platformdirs.user_data_dir("boxrefine", appauthor=False)) / "rescued"


def rescue_path(project: Path) -> Path:
    """Where the work goes on when a project's file is gone: a new name in `rescue_folder`."""
    folder = rescue_folder()
    name = project.parent.name if project.stem == "boxrefine" else project.stem
    path = folder / f"{name}-{datetime.now():%Y%m%d-%H%M%S}.sqlite"
    return path.with_stem(f"{path.stem}-{secrets.token_hex(2)}") if os.path.lexists(path) else path


def copy_project(db: Database, path: Path, *, folder: Path) -> None:
    """Copy an open project, whose paths are relative to `folder`, to the new file `path`, whole or not at all.

    Raises StorageError where `path` exists or cannot be written.
    """
    if os.path.lexists(path):
        raise StorageError(f"{path} exists already: choose another name.")
    beside = path.with_name(f".{path.name[:100]}-{secrets.token_hex(4)}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with naming_faults(path):
            copy_pages(db, beside)
            with closing(connect(beside, "rw")) as copy:
                make_writable(copy)
                with transaction(copy):
                    _carry_paths(copy, before=folder, after=path.absolute().parent)
        for name in ("-wal", "-shm"):  # of a project that was deleted
            path.with_name(path.name + name).unlink(missing_ok=True)
        beside.rename(path)
        sync_folder(path.parent)
    except OSError as error:
        raise StorageError(
            f"The project could not be saved to {path} ({reason(error)}): choose another place."
        ) from error
    finally:
        for name in ("", "-wal", "-shm", "-journal"):
            with contextlib.suppress(OSError):
                beside.with_name(beside.name + name).unlink(missing_ok=True)


def copy_pages(db: Database, path: Path) -> None:
    """Copy an open database page by page, as it is, to a new file."""
    with closing(connect(path, "rwc")) as copy:
        db.conn.backup(copy.conn, pages=_PAGES)


def leave_open(db: Database) -> None:
    """Let go of the connection to a file that is gone from its path, without closing it.

    SQLite removes its journal by name when the last connection closes, and the file that has the name now may be
    another one's. The system closes the connection with the process. Until then all that was written goes into the open
    file itself, which may have been moved.
    """
    with contextlib.suppress(sqlite3.Error):
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(db.conn))


def _carry_paths(db: Database, *, before: Path, after: Path) -> None:
    """Let stored paths mean the same files as before; what is damaged stays as it is."""
    if before == after:
        return
    for table, column in _PATHS:
        for id, stored in db.execute(f"SELECT id, {column} FROM {table}").fetchall():
            with contextlib.suppress(BadRow, sqlite3.IntegrityError):
                path = stored_path(picture_path(stored, folder=before), folder=after)
                db.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", [path, id])
