"""The schema of a feature cache's index, and the checks of the file and of each value in it.

The file is not trusted: another program may have written it. A trigger, a view or a check constraint in it would run
when the index is used. A value of another type would cause a Python error elsewhere, or name a file outside the cache.
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
"""The new name of an index with another schema: it may be another program's, so it is moved, never deleted."""

_TABLES = frozenset({"features", "pictures", "care"})
_LONGEST_VALUE = 1 << 20
_CONTENT = re.compile(r"[0-9a-f]{32}")
_BROKEN = frozenset(
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

# Triggers keep the sum of bytes: adding up a million rows at each write would take longer than the write.
_TRIGGERS = (
    "CREATE TRIGGER taken_in AFTER INSERT ON features BEGIN INSERT INTO care VALUES ('held', NEW.bytes)"
    " ON CONFLICT (what) DO UPDATE SET at = at + NEW.bytes; END",
    "CREATE TRIGGER written_anew AFTER UPDATE OF bytes ON features BEGIN"
    " UPDATE care SET at = at + NEW.bytes - OLD.bytes WHERE what = 'held'; END",
    "CREATE TRIGGER let_go AFTER DELETE ON features BEGIN UPDATE care SET at = at - OLD.bytes WHERE what = 'held'; END",
)


class BrokenIndexError(sqlite3.Error):
    """The index must be opened again, or recreated."""


def is_broken(error: sqlite3.Error) -> bool:
    """Whether an error means a bad index: corrupt, no database, moved away, of another schema, or of invalid values."""
    if isinstance(error, BrokenIndexError):
        return True
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # raised by Python: a text that is no UTF-8
        return isinstance(error, sqlite3.OperationalError)
    return code & 0xFF in _BROKEN or code == sqlite3.SQLITE_READONLY_DBMOVED


def check_place(path: Path) -> None:
    """Raise BrokenIndexError where a folder, pipe or link has the index's name: a link may lead out of the cache."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        raise BrokenIndexError(f"{path} is no regular file")  # untranslated: never shown


def restrict(connection: sqlite3.Connection) -> None:
    """Limit the length of values in an untrusted file, and forbid unsafe functions in its schema."""
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
    connection.execute("PRAGMA trusted_schema = OFF")


def make_tables(db: Database) -> None:
    """Replace the tables of an older version by those of this one. Raises BrokenIndexError for foreign tables."""
    if not _TABLES.issuperset(db.table_names()):
        raise BrokenIndexError("the index has tables that no version of BoxRefine makes")  # untranslated: never shown
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
    """Raise BrokenIndexError where the file's schema differs from that of `make_tables`."""
    if _schema_of(db) != _expected():
        raise BrokenIndexError("the index has another schema than BoxRefine makes")  # untranslated: never shown


def _parse_digest(value: object) -> str:
    """Check the digest in a row. Raises BrokenIndexError for a value that names no features file."""
    if not isinstance(value, str) or not is_digest(value):
        raise BrokenIndexError(f"a row of the index names no features file: {value!r:.80}")  # untranslated: never shown
    return value


def parse_entry(row: Iterable[object]) -> FileEntry:
    """Check a row of `features`: digest, bytes, time of use. Raises BrokenIndexError."""
    digest, nbytes, used = row
    return FileEntry(_parse_digest(digest), parse_count(nbytes, most=LARGEST_FILE), parse_count(used))


def parse_count(value: object, *, most: int | None = None) -> int:
    """Check a whole number of 0 and above, at most `most`. Raises BrokenIndexError."""
    if not isinstance(value, int) or value < 0 or (most is not None and value > most):
        raise BrokenIndexError(f"a row of the index has an invalid number: {value!r:.80}")  # untranslated: never shown
    return value


def parse_picture(row: Iterable[object]) -> KnownPicture:
    """Check a row of `pictures`: content hash, width and height in pixels. Raises BrokenIndexError."""
    content, width, height = row
    if not isinstance(content, str) or not _CONTENT.fullmatch(content):
        raise BrokenIndexError(f"a row of the index has no content hash: {content!r:.80}")  # untranslated: never shown
    return KnownPicture(content, parse_count(width), parse_count(height))


@cache
def _expected() -> frozenset[tuple[object, ...]]:
    with closing(Database(memory=True, execute_plugins=False)) as db:
        make_tables(db)
        return _schema_of(db)


def _schema_of(db: Database) -> frozenset[tuple[object, ...]]:
    return frozenset(db.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall())
