"""What the index of a feature cache has to look like: its tables to the letter, and each value that is read from it.

Anybody may have written the file. A trigger, a view or a check that it brings along would run when it is used. A row of
another type would end far from here in a Python error, or name a file outside the cache.
"""

from __future__ import annotations

import re
import sqlite3
import stat
from collections.abc import Iterable
from contextlib import closing
from functools import cache
from pathlib import Path

from sqlite_utils import Database

from core.features.cache.cache_folder import FileEntry, is_digest
from core.features.cache.feature_file import LARGEST_FILE
from core.features.cache.picture_memory import KnownPicture

INDEX_NAME = "index.sqlite"
SET_ASIDE_NAME = "index-set-aside.sqlite"
"""Where an index goes that is not ours to the letter: it may be another program's, so it is never deleted."""

_TABLES = frozenset({"features", "pictures", "care"})
_LONGEST_VALUE = 1 << 20
_CONTENT = re.compile(r"[0-9a-f]{32}")
_FAULTS = frozenset(
    {
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_ERROR,
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_MISMATCH,
        sqlite3.SQLITE_TOOBIG,
        sqlite3.SQLITE_FORMAT,
    }
)

# The bytes held, kept by SQLite itself: adding up a million rows at each write would take longer than the write.
_TRIGGERS = (
    "CREATE TRIGGER taken_in AFTER INSERT ON features BEGIN INSERT INTO care VALUES ('held', NEW.bytes)"
    " ON CONFLICT (what) DO UPDATE SET at = at + NEW.bytes; END",
    "CREATE TRIGGER written_anew AFTER UPDATE OF bytes ON features BEGIN"
    " UPDATE care SET at = at + NEW.bytes - OLD.bytes WHERE what = 'held'; END",
    "CREATE TRIGGER let_go AFTER DELETE ON features BEGIN UPDATE care SET at = at - OLD.bytes WHERE what = 'held'; END",
)


class BrokenIndexError(sqlite3.Error):
    """The index has to be opened again or made anew."""


def is_broken(error: sqlite3.Error) -> bool:
    """Whether the index itself is at fault: corrupt, no database, moved away, without our tables, or of odd values."""
    if isinstance(error, BrokenIndexError):
        return True
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # Python's own: a text that is no UTF-8
        return isinstance(error, sqlite3.OperationalError)
    return code & 0xFF in _FAULTS or code == sqlite3.SQLITE_READONLY_DBMOVED


def check_place(path: Path) -> None:
    """Raise BrokenIndexError where a folder, pipe or link has the index's name: a link's target is not ours."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        raise BrokenIndexError(f"{path} is no regular file")


def distrust(connection: sqlite3.Connection) -> None:
    """Let nothing that the file says take more memory than a row of ours, or call more than plain functions."""
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
    connection.execute("PRAGMA trusted_schema = OFF")


def make_tables(db: Database) -> None:
    """Replace the tables of an older version by those of this one. Raises BrokenIndexError for another's tables."""
    if not _TABLES.issuperset(db.table_names()):
        raise BrokenIndexError("the index has tables that no version of BoxRefine makes")
    for name in db.table_names():
        db.table(name).drop()
    features = db.table("features").create({"digest": str, "bytes": int, "used": int}, pk="digest")
    features.create_index(["used", "bytes"])
    columns = {"path": bytes, "fingerprint": str, "content": str, "width": int, "height": int}
    db.table("pictures").create(columns, pk="path")
    db.table("care").create({"what": str, "at": int}, pk="what")
    for trigger in _TRIGGERS:
        db.execute(trigger)


def check_schema(db: Database) -> None:
    """Raise BrokenIndexError where anything in the file is defined otherwise than `make_tables` does."""
    if _schema_of(db) != _expected():
        raise BrokenIndexError("the index has other tables, triggers or views than BoxRefine makes")


def _checked_digest(value: object) -> str:
    """A digest as it stands in a row. Raises BrokenIndexError for what names no features file."""
    if not isinstance(value, str) or not is_digest(value):
        raise BrokenIndexError(f"a row of the index names no features file: {value!r:.80}")
    return value


def checked_entry(row: Iterable[object]) -> FileEntry:
    """A row of `features`: digest, bytes, time of use. Raises BrokenIndexError."""
    digest, nbytes, used = row
    return FileEntry(_checked_digest(digest), checked_count(nbytes, most=LARGEST_FILE), checked_count(used))


def checked_count(value: object, *, most: int | None = None) -> int:
    """A whole number of 0 and above, at most `most`. Raises BrokenIndexError."""
    if not isinstance(value, int) or value < 0 or (most is not None and value > most):
        raise BrokenIndexError(f"a row of the index has a number that cannot be: {value!r:.80}")
    return value


def checked_picture(row: Iterable[object]) -> KnownPicture:
    """A row of `pictures`: content hash, width and height in pixels. Raises BrokenIndexError."""
    content, width, height = row
    if not isinstance(content, str) or not _CONTENT.fullmatch(content):
        raise BrokenIndexError(f"a row of the index has no content hash: {content!r:.80}")
    return KnownPicture(content, checked_count(width), checked_count(height))


@cache
def _expected() -> frozenset[tuple[object, ...]]:
    with closing(Database(memory=True, execute_plugins=False)) as db:
        make_tables(db)
        return _schema_of(db)


def _schema_of(db: Database) -> frozenset[tuple[object, ...]]:
    return frozenset(db.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall())
