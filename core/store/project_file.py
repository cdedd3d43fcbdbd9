"""The SQLite file of a project: created, opened, checked, and its faults told in a sentence."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import platformdirs
from sqlite_utils import Database

from core.errors import BadFileError, KnownError, ProjectGoneError, ProjectUnwritableError, StorageError, reason
from core.files import sync_folder
from core.store.file_place import GONE, FilePlace
from core.store.migrations import APPLICATION_ID, MIGRATIONS, unknown_steps
from core.store.openings import Opening
from core.store.schema_check import log_findings, schema_findings

PROJECT_FILE_NAME = "boxrefine.sqlite"
SAMPLE_PREFIX = "sample-"
"""What the file of the sample project begins with; the rest tells one installation's pictures from another's."""

_PATIENCE_S = 10.0

_MAY_NOT_WRITE = "may not be written here: check the permissions, or copy it to a folder of your own."
REPAIR = "run boxrefine project repair on it, which keeps a copy."
_DAMAGED = f"is damaged or no BoxRefine project: put an intact copy in its place, or {REPAIR}"
_DISK_FAILED = "could not be read or saved because the disk failed or is full: check it, or save the project elsewhere."
_FULL = "make room and try again, or save the project elsewhere."
_FAULTS: tuple[tuple[str, type[KnownError], str], ...] = (
    ("SQLITE_FULL", ProjectUnwritableError, f"could not be saved because the disk is full: {_FULL}"),
    (
        "SQLITE_IOERR",
        ProjectUnwritableError,
        _DISK_FAILED,
    ),
    ("SQLITE_READONLY_DBMOVED", ProjectGoneError, GONE),
    ("SQLITE_READONLY", ProjectUnwritableError, _MAY_NOT_WRITE),
    ("SQLITE_PERM", StorageError, _MAY_NOT_WRITE),
    ("SQLITE_CANTOPEN", StorageError, "cannot be opened: check that its folder is there and may be written."),
    ("SQLITE_BUSY", StorageError, "is in use by another program: close it there and try again."),
    ("SQLITE_LOCKED", StorageError, "is in use by another program: close it there and try again."),
    ("SQLITE_CORRUPT", BadFileError, _DAMAGED),
    ("SQLITE_NOTADB", BadFileError, _DAMAGED),
)


_UNREADABLE_FORMAT = "unsupported file format"
"""What SQLite says of a damaged schema version, by the code that it uses for wrong SQL, too."""


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
        if _UNREADABLE_FORMAT in str(error):
            raise BadFileError(f"The project {path} {_DAMAGED}") from error
        raise
    except UnicodeDecodeError as error:  # SQLite quotes a damaged table in its message, which Python cannot read
        raise BadFileError(f"The project {path} {_DAMAGED}") from error


@contextmanager
def transaction(db: Database, place: FilePlace | None = None) -> Iterator[None]:
    """One write transaction: all of it or nothing, also when the power goes.

    IMMEDIATE takes the write lock before the first read, so that two windows on one project take turns
    instead of failing; sqlite-utils' own `atomic()` blocks become savepoints inside. `place` is looked at before
    anything is written and again before the commit. Raises ProjectGoneError where the file is no longer the one at its
    path. Who writes looks again afterwards, see `OpenedFile.is_gone`: a file that went during the commit has it.
    """
    if place is not None:
        place.check()
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        if place is not None:
            place.check()
        db.execute("COMMIT")
    except BaseException:
        db.rollback()
        raise


def create_file(path: Path, opening: Opening) -> None:
    """Make an empty project at `path`; it is there whole or not at all, whenever the process ends.

    Raises StorageError where a file is there already or none can be made.
    """
    beside = opening.file_to_make()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > 0:
            raise StorageError(f"{path} exists already: open it, or choose another name.")
        beside.parent.mkdir(exist_ok=True)
        with naming_faults(path):
            _make_file(beside)
        making = opening.claim_of_making()
        try:
            _give_name(beside, path, opening.note)
        finally:
            if making is not None:
                making.release()
    except OSError as error:
        raise StorageError(f"The project {path} cannot be created ({reason(error)}): choose another folder.") from error
    finally:
        for name in ("", "-wal", "-shm", "-journal"):
            with contextlib.suppress(OSError):
                beside.with_name(beside.name + name).unlink(missing_ok=True)


def _make_file(path: Path) -> None:
    db = connect(path, "rwc")
    with _closing_on_failure(db):
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        make_writable(db)
    db.close()  # merges the journal, so that the file is all there is


def _give_name(beside: Path, path: Path, note: Path) -> None:
    """Rename without ever replacing a project; a journal that a deleted project left behind is not the new one's.

    One process at a time does this: else the journal of a project that was just made would be taken for such a one.
    """
    if path.exists():
        if path.stat().st_size > 0:
            raise StorageError(f"{path} exists already: open it, or choose another name.")
        path.unlink()
    for orphan in (*(path.with_name(path.name + part) for part in ("-wal", "-shm", "-journal")), note):
        orphan.unlink(missing_ok=True)
    try:
        os.link(beside, path)
    except FileExistsError as error:
        raise StorageError(f"{path} exists already: open it, or choose another name.") from error
    except OSError:  # a file system without links
        beside.rename(path)
    sync_folder(path.parent)


def open_file(path: Path) -> tuple[Database, FilePlace, bool]:
    """The project at `path`, what tells that it is still there, and whether it can only be read.

    An empty database, as a crash of an older version leaves it, becomes a new project. Raises BadFileError where the
    file is missing, damaged or no project; StorageError where a newer version wrote it.
    """
    if not path.is_file():
        raise BadFileError(f"The project {path} does not exist: check the path.")
    if not os.access(path, os.R_OK):
        raise StorageError(f"The project {path} may not be read: check its permissions.")
    read_only = not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))
    if read_only:
        _refuse_unmerged(path)
    place = FilePlace.of(path)
    with naming_faults(path):
        # Without the right to write, SQLite cannot make the files that WAL needs; immutable does without them.
        db = connect(path, "ro&immutable=1" if read_only else "rw")
        with _closing_on_failure(db):
            if not read_only and _is_unmade(db):
                db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            check_kind(db, path)
            place.check()
            _bring_up_to_date(db, path, read_only=read_only)
            place.check()
    return db, place, read_only


def _bring_up_to_date(db: Database, path: Path, *, read_only: bool) -> None:
    try:
        if not read_only:
            make_writable(db)
        elif MIGRATIONS.pending(db):
            raise StorageError(f"The project {path} is of an older version and {_MAY_NOT_WRITE}")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname != "SQLITE_ERROR":
            raise
        # A step that cannot be applied to tables that are as they should be would be our mistake; these are not.
        raise BadFileError(f"The project {path} is damaged ({reason(error)}): {REPAIR}") from error
    if findings := schema_findings(db):
        raise BadFileError(f"The project {path} is damaged ({findings[0]}): {REPAIR}")


def connect(path: Path, mode: str) -> Database:
    """A connection that decodes every text (`surrogateescape` marks what is no UTF-8) and runs no code of the file."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=_PATIENCE_S)
    connection.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    return Database(connection, execute_plugins=False)


@contextmanager
def _closing_on_failure(db: Database) -> Iterator[None]:
    try:
        yield
    except BaseException:
        db.close()
        raise


def make_writable(db: Database) -> None:
    """Durable writes, keys that are enforced, and the tables of this version."""
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")  # an accepted box is on the disk before the window says so
    db.execute("PRAGMA foreign_keys = ON")
    with transaction(db):
        MIGRATIONS.apply(db)


def check_kind(db: Database, path: Path) -> None:
    """Nothing is written to a file before it is known to be ours, whole, and not from a newer version."""
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise BadFileError(f"{path} is no BoxRefine project: choose a project file, or open a folder of pictures.")
    if db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise BadFileError(f"The project {path} {_DAMAGED}")
    if findings := log_findings(db):
        raise BadFileError(f"The project {path} is damaged ({findings[0]}): {REPAIR}")
    if unknown_steps(db):
        raise StorageError(f"The project {path} was written by a newer version: update BoxRefine to open it.")


def _is_unmade(db: Database) -> bool:
    tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    return not tables and db.execute("PRAGMA application_id").fetchone()[0] == 0


def _refuse_unmerged(path: Path) -> None:
    journal = path.with_name(path.name + "-wal")
    if journal.exists() and journal.stat().st_size > 0:
        raise StorageError(f"The project {path} has changes still in {journal.name} and {_MAY_NOT_WRITE}")
