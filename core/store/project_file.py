"""The SQLite file of a project: created, opened, checked, and its faults told in a sentence."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs
from sqlite_utils import Database

from core.errors import BadFileError, KnownError, StorageError, reason
from core.store.migrations import APPLICATION_ID, MIGRATIONS, unknown_steps

PROJECT_FILE_NAME = "boxrefine.sqlite"
SAMPLE_PREFIX = "sample-"
"""What the file of the sample project begins with; the rest tells one installation's pictures from another's."""

_PATIENCE_S = 10.0

_MAY_NOT_WRITE = "may not be written here: check the permissions, or copy it to a folder of your own."
_DAMAGED = "is damaged or no BoxRefine project: put an intact copy in its place."
_FAULTS: tuple[tuple[str, type[KnownError], str], ...] = (
    ("SQLITE_FULL", StorageError, "could not be saved because the disk is full: make room and try again."),
    ("SQLITE_IOERR", StorageError, "could not be read or saved because the disk failed or is full: check the disk."),
    ("SQLITE_READONLY", StorageError, _MAY_NOT_WRITE),
    ("SQLITE_PERM", StorageError, _MAY_NOT_WRITE),
    ("SQLITE_CANTOPEN", StorageError, "cannot be opened: check that its folder is there and may be written."),
    ("SQLITE_BUSY", StorageError, "is in use by another program: close it there and try again."),
    ("SQLITE_LOCKED", StorageError, "is in use by another program: close it there and try again."),
    ("SQLITE_CORRUPT", BadFileError, _DAMAGED),
    ("SQLITE_NOTADB", BadFileError, _DAMAGED),
)


def project_path_for(folder: Path) -> Path:
    """The project file of a folder of pictures: inside it where that is possible, else in the user's data folder."""
    inside = folder / PROJECT_FILE_NAME
    if inside.exists() or os.access(folder, os.W_OK):
        return inside
    whole = os.path.realpath(folder)
    digest = hashlib.blake2b(os.fsencode(whole), digest_size=6).hexdigest()
    projects = Path(platformdirs.user_data_dir("boxrefine", appauthor=False)) / "projects"
    return projects / f"{Path(whole).name}-{digest}.sqlite"


def refiners_folder(project: Path) -> Path:
    """Where the refiners lie that a project's corrections taught: beside it."""
    return project.parent / f"{project.stem}-refiners"


def project_name(path: Path) -> str:
    """What people call a project: its folder's name where the file has everybody's."""
    if path.parent.name == "projects" and path.stem.startswith(SAMPLE_PREFIX):
        return "Sample project"
    return path.parent.name if path.name == PROJECT_FILE_NAME else path.stem


@contextmanager
def naming_faults(path: Path) -> Iterator[None]:
    """Turn what SQLite says about the world into a KnownError about `path`; our own mistakes pass through."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        for start, kind, cure in _FAULTS:
            if name.startswith(start):
                raise kind(f"The project {path} {cure}") from error
        raise


@contextmanager
def transaction(db: Database) -> Iterator[None]:
    """One write transaction: all of it or nothing, also when the power goes.

    IMMEDIATE takes the write lock before the first read, so that two windows on one project take turns
    instead of failing; sqlite-utils' own `atomic()` blocks become savepoints inside.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        db.rollback()
        raise


def create_file(path: Path) -> Database:
    """A new, empty project at `path`. Raises StorageError where a file is there already or none can be made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > 0:
            raise StorageError(f"{path} exists already: open it, or choose another name.")
    except OSError as error:
        raise StorageError(f"The project {path} cannot be created ({reason(error)}): choose another folder.") from error
    with naming_faults(path):
        db = _connect(path, "rwc")
        with _closing_on_failure(db):
            # First of all: a file that a crash leaves behind here is then known as ours, and is finished when opened.
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            _make_writable(db)
    return db


def open_file(path: Path) -> tuple[Database, bool]:
    """The project at `path`, and whether it can only be read.

    Raises BadFileError where it is missing, damaged or no project; StorageError where a newer version wrote it.
    """
    if not path.is_file():
        raise BadFileError(f"The project {path} does not exist: check the path.")
    if not os.access(path, os.R_OK):
        raise StorageError(f"The project {path} may not be read: check its permissions.")
    read_only = not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))
    if read_only:
        _refuse_unmerged(path)
    with naming_faults(path):
        # Without the right to write, SQLite cannot make the files that WAL needs; immutable does without them.
        db = _connect(path, "ro&immutable=1" if read_only else "rw")
        with _closing_on_failure(db):
            _check(db, path)
            if not read_only:
                _make_writable(db)
            elif MIGRATIONS.pending(db):
                raise StorageError(f"The project {path} is of an older version and {_MAY_NOT_WRITE}")
    return db, read_only


def _connect(path: Path, mode: str) -> Database:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=_PATIENCE_S)
    return Database(connection, execute_plugins=False)


@contextmanager
def _closing_on_failure(db: Database) -> Iterator[None]:
    try:
        yield
    except BaseException:
        db.close()
        raise


def _make_writable(db: Database) -> None:
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")  # an accepted box is on the disk before the window says so
    db.execute("PRAGMA foreign_keys = ON")
    with transaction(db):
        MIGRATIONS.apply(db)


def _check(db: Database, path: Path) -> None:
    """Nothing is written to a file before it is known to be ours, whole, and not from a newer version."""
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise BadFileError(f"{path} is no BoxRefine project: choose a project file, or open a folder of pictures.")
    if db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise BadFileError(f"The project {path} {_DAMAGED}")
    if unknown_steps(db):
        raise StorageError(f"The project {path} was written by a newer version: update BoxRefine to open it.")


def _refuse_unmerged(path: Path) -> None:
    journal = path.with_name(path.name + "-wal")
    if journal.exists() and journal.stat().st_size > 0:
        raise StorageError(f"The project {path} has changes still in {journal.name} and {_MAY_NOT_WRITE}")
