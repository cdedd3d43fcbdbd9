"""Copy a whole project to another file, also after the original file was deleted or replaced."""

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
from core.store.project_file import connect, convert_sqlite_errors, make_writable, transaction
from core.store.row_checks import BadRow
from core.store.rows import picture_path, stored_path
from core.translation import tr

_PATHS = (("images", "path"), ("refiners", "folder"))
"""Columns with paths relative to the project's folder."""

_PAGES = 4096
"""Pages per step of a copy. SQLite restarts the copy if another process writes between steps, so steps are large."""


def rescue_folder() -> Path:
    """The folder in the user's data folder for copies of projects whose files are gone."""
    return Path(platformdirs.user_data_dir("boxrefine", appauthor=False)) / "rescued"


def rescue_path(project: Path) -> Path:
    """A new path in `rescue_folder` for a project whose file is gone."""
    folder = rescue_folder()
    name = project.parent.name if project.stem == "boxrefine" else project.stem
    path = folder / f"{name}-{datetime.now():%Y%m%d-%H%M%S}.sqlite"
    return path.with_stem(f"{path.stem}-{secrets.token_hex(2)}") if os.path.lexists(path) else path


def copy_project(db: Database, path: Path, *, folder: Path) -> None:
    """Copy an open project, whose paths are relative to `folder`, atomically to the new file `path`.

    Raises StorageError if `path` exists or cannot be written.
    """
    if os.path.lexists(path):
        raise StorageError(tr("{path} exists already: choose another name.", path=path))
    temporary = path.with_name(f".{path.name[:100]}-{secrets.token_hex(4)}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with convert_sqlite_errors(path):
            copy_pages(db, temporary)
            with closing(connect(temporary, "rw")) as copy:
                make_writable(copy)
                with transaction(copy):
                    rebase_paths(copy, before=folder, after=path.absolute().parent)
        for name in ("-wal", "-shm"):  # left by a deleted project
            path.with_name(path.name + name).unlink(missing_ok=True)
        temporary.rename(path)
        sync_folder(path.parent)
    except OSError as error:
        raise StorageError(
            tr("The project could not be saved to {path} ({why}): choose another place.", path=path, why=reason(error))
        ) from error
    finally:
        for name in ("", "-wal", "-shm", "-journal"):
            with contextlib.suppress(OSError):
                temporary.with_name(temporary.name + name).unlink(missing_ok=True)


def copy_pages(db: Database, path: Path) -> None:
    """Copy an open database page by page, also a damaged one, to a new file."""
    with closing(connect(path, "rwc")) as copy:
        db.conn.backup(copy.conn, pages=_PAGES)


def leave_open(db: Database) -> None:
    """Leak the connection to a file that is gone from its path, instead of closing it.

    When the last connection closes, SQLite removes the journal by name, but a file of that name may belong to another
    project now. The system closes the connection when the process ends. The checkpoint first moves the journal into the
    open file, which may still exist at another path.
    """
    with contextlib.suppress(sqlite3.Error):
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(db.conn))


def rebase_paths(db: Database, *, before: Path, after: Path) -> None:
    """Rewrite stored paths relative to another folder, so that they name the same files; damaged ones stay."""
    if before == after:
        return
    for table, column in _PATHS:
        for id, stored in db.execute(f"SELECT id, {column} FROM {table}").fetchall():
            with contextlib.suppress(BadRow, sqlite3.IntegrityError):
                path = stored_path(picture_path(stored, folder=before), folder=after)
                db.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", [path, id])
