"""The SQLite file of a project: create it, open it, check it, and convert SQLite's errors to sentences."""

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
from core.files import PROJECT_FILE_NAME, sync_folder
from core.store.file_place import GONE, FilePlace
from core.store.migrations import APPLICATION_ID, MIGRATIONS, unknown_steps
from core.store.openings import Opening
from core.store.schema_check import log_findings, schema_findings
from core.translation import tr

SAMPLE_PREFIX = "sample-"
"""Start of the sample project's file name; the rest identifies the installation of the pictures."""

_PATIENCE_S = 10.0

_MAY_NOT_WRITE = tr(
    "The project {path} may not be written here: check the permissions, or copy it to a folder of your own."
)
_IN_USE = tr("The project {path} is in use by another program: close it there and try again.")
_DAMAGED = tr(
    "The project {path} is damaged or no BoxRefine project: put an intact copy in its place, or run boxrefine project "
    "repair on it, which keeps a copy."
)
_ERRORS: tuple[tuple[str, type[KnownError], str], ...] = (
    (
        "SQLITE_FULL",
        ProjectUnwritableError,
        tr(
            "The project {path} could not be saved because the disk is full: make room and try again, or save the "
            "project elsewhere."
        ),
    ),
    (
        "SQLITE_IOERR",
        ProjectUnwritableError,
        tr(
            "The project {path} could not be read or saved because the disk failed or is full: check it, or save the "
            "project elsewhere."
        ),
    ),
    ("SQLITE_READONLY_DBMOVED", ProjectGoneError, GONE),
    ("SQLITE_READONLY", ProjectUnwritableError, _MAY_NOT_WRITE),
    ("SQLITE_PERM", StorageError, _MAY_NOT_WRITE),
    (
        "SQLITE_CANTOPEN",
        StorageError,
        tr("The project {path} cannot be opened: check that its folder is there and may be written."),
    ),
    ("SQLITE_BUSY", StorageError, _IN_USE),
    ("SQLITE_LOCKED", StorageError, _IN_USE),
    ("SQLITE_CORRUPT", BadFileError, _DAMAGED),
    ("SQLITE_NOTADB", BadFileError, _DAMAGED),
)
"""Start of SQLite's error name, the KnownError for it, and its sentence with {path} to fill in."""

_UNREADABLE_FORMAT = "unsupported file format"  # untranslated: SQLite's words
"""SQLite's message for a damaged schema version; its error name is also that of wrong SQL."""


def project_path_for(folder: Path) -> Path:
    """The project file of a folder of pictures: inside it if that can be written, else in the user's data folder."""
    inside = folder / PROJECT_FILE_NAME
    if inside.exists() or os.access(folder, os.W_OK):
        return inside
    whole = os.path.realpath(folder)
    digest = hashlib.blake2b(os.fsencode(whole), digest_size=6).hexdigest()
    projects = Path(platformdirs.user_data_dir("boxrefine", appauthor=False)) / "projects"
    return projects / f"{Path(whole).name}-{digest}.sqlite"


def refiners_folder(project: Path) -> Path:
    """The folder, next to a project's file, for refiners that the project's corrections taught."""
    return project.parent / f"{project.stem}-refiners"


def project_name(path: Path) -> str:
    """The project's name for the user: its file's, or its folder's if the file has the default name."""
    if path.parent.name == "projects" and path.stem.startswith(SAMPLE_PREFIX):
        return tr("Sample project")
    return path.parent.name if path.name == PROJECT_FILE_NAME else path.stem


@contextmanager
def convert_sqlite_errors(path: Path) -> Iterator[None]:
    """Convert SQLite's errors about the file or the disk to a KnownError about `path`; bugs pass through."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        for start, kind, sentence in _ERRORS:
            if name.startswith(start):
                raise kind(sentence.format(path=path)) from error
        if _UNREADABLE_FORMAT in str(error):
            raise BadFileError(_DAMAGED.format(path=path)) from error
        raise
    except UnicodeDecodeError as error:  # SQLite quotes a damaged table in its message, which Python cannot decode
        raise BadFileError(_DAMAGED.format(path=path)) from error


@contextmanager
def transaction(db: Database, place: FilePlace | None = None) -> Iterator[None]:
    """Run the block as one write transaction, which is atomic and durable.

    IMMEDIATE takes the write lock before the first read, so that two windows on one project take turns instead of
    failing; `atomic()` blocks of sqlite-utils become savepoints inside. `place` is checked before the first write and
    again before the commit: raises ProjectGoneError if the file is no longer the one at its path. The caller checks
    again afterwards, see `OpenedFile.is_gone`, because the file may have gone during the commit.
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
    """Create an empty project at `path`, atomically, also if the process is killed.

    Raises StorageError if a file exists there or none can be created.
    """
    temporary = opening.file_to_make()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > 0:
            raise _exists(path)
        temporary.parent.mkdir(exist_ok=True)
        with convert_sqlite_errors(path):
            _make_file(temporary)
        making = opening.claim_of_making()
        try:
            _give_name(temporary, path, opening.note)
        finally:
            if making is not None:
                making.release()
    except OSError as error:
        raise StorageError(
            tr("The project {path} cannot be created ({why}): choose another folder.", path=path, why=reason(error))
        ) from error
    finally:
        for name in ("", "-wal", "-shm", "-journal"):
            with contextlib.suppress(OSError):
                temporary.with_name(temporary.name + name).unlink(missing_ok=True)


def _make_file(path: Path) -> None:
    db = connect(path, "rwc")
    with _closing_on_failure(db):
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        make_writable(db)
    db.close()  # merges the journal into the file


def _give_name(temporary: Path, path: Path, note: Path) -> None:
    """Rename a new file to `path` without ever replacing a project; remove the journal of a deleted project first.

    Only one process at a time may do this. Otherwise it could remove the journal of a project that another process has
    just created.
    """
    if path.exists():
        if path.stat().st_size > 0:
            raise _exists(path)
        path.unlink()
    for orphan in (*(path.with_name(path.name + part) for part in ("-wal", "-shm", "-journal")), note):
        orphan.unlink(missing_ok=True)
    try:
        os.link(temporary, path)
    except FileExistsError as error:
        raise _exists(path) from error
    except OSError:  # a file system without links
        temporary.rename(path)
    sync_folder(path.parent)


def _exists(path: Path) -> StorageError:
    return StorageError(tr("{path} exists already: open it, or choose another name.", path=path))


def open_file(path: Path) -> tuple[Database, FilePlace, bool]:
    """Open the project at `path`; return its connection, its place on disk, and whether it is read-only.

    An empty database, which a crash of an older version may have left, becomes a new project. Raises BadFileError if
    the file is missing, damaged or no project, and StorageError if a newer version wrote it.
    """
    if not path.is_file():
        raise BadFileError(tr("The project {path} does not exist: check the path.", path=path))
    if not os.access(path, os.R_OK):
        raise StorageError(tr("The project {path} may not be read: check its permissions.", path=path))
    read_only = not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))
    if read_only:
        _refuse_unmerged(path)
    place = FilePlace.of(path)
    with convert_sqlite_errors(path):
        # Without write permission, SQLite cannot create the files that WAL needs; immutable needs none.
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
            raise StorageError(
                tr(
                    "The project {path} is of an older version and may not be written here: check the permissions, or "
                    "copy it to a folder of your own.",
                    path=path,
                )
            )
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname != "SQLITE_ERROR":
            raise
        # A migration can fail this way only if the tables are damaged.
        raise damaged(path, why=reason(error)) from error
    if findings := schema_findings(db):
        raise damaged(path, why=findings[0])


def damaged(path: Path, *, why: object) -> BadFileError:
    """The error for a project that is damaged: one sentence with the reason and the remedy."""
    return BadFileError(
        tr(
            "The project {path} is damaged ({why}): run boxrefine project repair on it, which keeps a copy.",
            path=path,
            why=why,
        )
    )


def connect(path: Path, mode: str) -> Database:
    """Open a connection that runs no code of the file and decodes every text, invalid UTF-8 by `surrogateescape`."""
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
    """Set up durable writes and foreign keys, and migrate to the tables of this version."""
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")  # an accepted box is on the disk before the window shows it as stored
    db.execute("PRAGMA foreign_keys = ON")
    with transaction(db):
        MIGRATIONS.apply(db)


def check_kind(db: Database, path: Path) -> None:
    """Check before any write that a file is an undamaged project and not from a newer version."""
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise BadFileError(
            tr("{path} is no BoxRefine project: choose a project file, or open a folder of pictures.", path=path)
        )
    if db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise BadFileError(_DAMAGED.format(path=path))
    if findings := log_findings(db):
        raise damaged(path, why=findings[0])
    if unknown_steps(db):
        raise StorageError(
            tr("The project {path} was written by a newer version: update BoxRefine to open it.", path=path)
        )


def _is_unmade(db: Database) -> bool:
    tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    return not tables and db.execute("PRAGMA application_id").fetchone()[0] == 0


def _refuse_unmerged(path: Path) -> None:
    journal = path.with_name(path.name + "-wal")
    if journal.exists() and journal.stat().st_size > 0:
        raise StorageError(
            tr(
                "The project {path} has changes still in {journal} and may not be written here: check the permissions, "
                "or copy it to a folder of your own.",
                path=path,
                journal=journal.name,
            )
        )
