"""CacheIndex: features files with their time of last use, and known picture files; in SQLite.

The files are authoritative and carry their keys, so the index can be rebuilt from them if it is lost.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from sqlite_utils import Database

from core.features.cache.cache_folder import FileEntry, entry_of, file_of, files_in, sweep
from core.features.cache.index_schema import (
    INDEX_NAME,
    SET_ASIDE_NAME,
    BrokenIndexError,
    check_place,
    check_schema,
    is_broken,
    make_tables,
    parse_count,
    parse_entry,
    parse_picture,
    restrict,
)
from core.features.cache.picture_memory import Fingerprint, KnownPicture, key_of
from core.object_store.remote_file import PictureFile, RemoteFile

_INDEX_VERSION = 3
_BUSY_SECONDS = 10.0
_REPAIR_EVERY_SECONDS = 24 * 3600

T = TypeVar("T")


class CacheIndex:
    """The index of one folder for all threads of a process: opened at the first query, recreated if broken."""

    def __init__(self, folder: Path) -> None:
        """Touch no file yet."""
        self._folder = folder
        self._lock = threading.RLock()
        self._tables: IndexTables | None = None
        self._closed = False
        self._recreated = 0

    @property
    def recreated(self) -> int:
        """How often a broken index was replaced."""
        return self._recreated

    def ask(self, question: Callable[[IndexTables], T]) -> T | None:
        """Call `question` with the open tables and return its result, None after `close`.

        A broken index is replaced, and `question` called again. Raises OSError and sqlite3.Error.
        """
        with self._lock:
            return None if self._closed else self._ask_and_recreate(question)

    def close(self) -> None:
        """Close the file for good."""
        with self._lock:
            self._closed = True
            self._close()

    def _ask_and_recreate(self, question: Callable[[IndexTables], T]) -> T:
        with suppress(BrokenIndexError):
            return self._ask_once(question)
        # Another process may have recreated the index in the meantime, so open it again before replacing it.
        with suppress(BrokenIndexError):
            return self._ask_once(question)
        _set_aside(self._folder)
        self._recreated += 1
        return self._ask_once(question)

    def _ask_once(self, question: Callable[[IndexTables], T]) -> T:
        try:
            return question(self._open())
        except sqlite3.Error as error:
            if not is_broken(error):
                raise
            self._close()
            raise BrokenIndexError(str(error)) from error

    def _open(self) -> IndexTables:
        if self._tables is None:
            self._tables = IndexTables(self._folder)
        return self._tables

    def _close(self) -> None:
        if self._tables is not None:
            self._tables.close()
            self._tables = None


class IndexTables:
    """The open index of one folder; every write is one immediate transaction, so that processes write in turn."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / INDEX_NAME
        check_place(path)
        connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            restrict(connection)
            self._db = Database(connection, recursive_triggers=False, execute_plugins=False)
            self._prepare()
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        self._db.close()

    def touch(self, digest: str) -> None:
        """Set the time of last use of a file to now; add its row if it has none."""
        if self._db.execute("UPDATE features SET used = ? WHERE digest = ?", [_now(), digest]).rowcount:
            return
        with self._transaction(), suppress(FileNotFoundError):  # another process may have evicted it
            self._put_row(digest, file_of(self._folder, digest).stat().st_size)

    def forget(self, digest: str) -> None:
        """Delete the row of a missing file. Most misses have no row, and a SELECT takes no write lock."""
        if self._db.execute("SELECT 1 FROM features WHERE digest = ?", [digest]).fetchone():
            self._db.execute("DELETE FROM features WHERE digest = ?", [digest])

    def entries(self) -> list[FileEntry]:
        """All rows, the least recently used first."""
        return [parse_entry(row) for row in self._db.execute("SELECT digest, bytes, used FROM features ORDER BY used")]

    def held(self) -> int:
        """The bytes of all files that have a row."""
        row = self._db.execute("SELECT at FROM care WHERE what = 'held'").fetchone()
        return parse_count(row[0]) if row else 0

    def discard(self, digest: str) -> None:
        """Remove a file and its row."""
        with self._transaction():
            file_of(self._folder, digest).unlink(missing_ok=True)
            self._db.execute("DELETE FROM features WHERE digest = ?", [digest])

    def store(self, incoming: Path, digest: str, size: int, *, budget: int) -> tuple[int, int]:
        """Move a finished file into place and add its row; return the bytes held and how many files were evicted."""
        if self._is_repair_due():
            self.repair()
        target = file_of(self._folder, digest)
        with self._transaction():
            if not target.parent.is_dir():
                target.parent.mkdir(exist_ok=True)
            # After a broken index this runs a second time, when the file is moved already. The move is inside the
            # transaction so that no other process evicts the file before it has a row.
            if incoming.exists():
                incoming.replace(target)
            self._put_row(digest, size)
            return self._evict(budget, keep=digest)

    def recall(self, path: PictureFile, fingerprint: Fingerprint) -> KnownPicture | None:
        """The remembered content of a picture file with this fingerprint, or None."""
        query = "SELECT fingerprint, content, width, height FROM pictures WHERE path = ?"
        row = self._db.execute(query, [_path_bytes(path)]).fetchone()
        return parse_picture(row[1:]) if row and row[0] == key_of(path, fingerprint) else None

    def remember(self, path: PictureFile, fingerprint: Fingerprint, known: KnownPicture) -> None:
        """Store the content of a picture file under its path and fingerprint."""
        row = [_path_bytes(path), key_of(path, fingerprint), known.content, known.width, known.height]
        self._db.execute("INSERT OR REPLACE INTO pictures VALUES (?, ?, ?, ?, ?)", row)

    def repair(self) -> int:
        """Reconcile index and files: add missing rows, delete stale ones, remove damaged files; return their number."""
        sweep(self._folder)
        files = files_in(self._folder)
        rows = {entry.digest for entry in self.entries()}
        strays = [path for digest, path in files.items() if digest not in rows]
        found = [entry for path in strays if (entry := entry_of(path)) is not None]
        with self._transaction():
            for entry in found:
                self._db.execute("INSERT OR IGNORE INTO features VALUES (?, ?, ?)", entry)
            lost = [digest for digest in rows - files.keys() if not file_of(self._folder, digest).exists()]
            for digest in lost:
                self._db.execute("DELETE FROM features WHERE digest = ?", [digest])
            self._count_held()
            self._db.execute("INSERT OR REPLACE INTO care VALUES ('healed', ?)", [_now()])
        return len(strays) + len(lost)

    def _put_row(self, digest: str, size: int) -> None:
        # No REPLACE: SQLite would run no delete trigger for the replaced row.
        added = "INSERT INTO features VALUES (?, ?, ?)"
        known = "ON CONFLICT (digest) DO UPDATE SET bytes = excluded.bytes, used = excluded.used"  # untranslated: SQL
        self._db.execute(f"{added} {known}", [digest, size, _now()])

    def _is_repair_due(self) -> bool:
        row = self._db.execute("SELECT at FROM care WHERE what = 'healed'").fetchone()
        return row is None or not 0 <= _now() - parse_count(row[0]) < _REPAIR_EVERY_SECONDS * 10**9

    def _evict(self, budget: int, *, keep: str) -> tuple[int, int]:
        """Remove the least recently used files until the rest fits the budget; inside a transaction."""
        held = self.held()
        victims: list[str] = []
        query = "SELECT digest, bytes, used FROM features WHERE digest != ? ORDER BY used"
        oldest = self._db.execute(query, [keep])
        while held > budget and (row := oldest.fetchone()):
            entry = parse_entry(row)
            victims.append(entry.digest)
            held -= entry.nbytes
        oldest.close()
        for digest in victims:
            self._db.execute("DELETE FROM features WHERE digest = ?", [digest])
            # A file that another program holds open (Windows) stays without a row until the next repair.
            with suppress(OSError):
                file_of(self._folder, digest).unlink(missing_ok=True)
        if held > budget:  # all others are evicted, so the stored sum was too large
            held = self._count_held()
        return held, len(victims)

    def _count_held(self) -> int:
        """Store the sum of the bytes of all rows, and return it; inside a transaction."""
        total = "SELECT 'held', COALESCE(SUM(bytes), 0) FROM features"
        self._db.execute(f"INSERT OR REPLACE INTO care {total}")
        return self.held()

    def _prepare(self) -> None:
        self._use_wal()
        self._db.execute("PRAGMA synchronous = NORMAL")
        if self._version() != _INDEX_VERSION:
            with self._transaction():
                if self._version() != _INDEX_VERSION:  # otherwise another process was faster
                    make_tables(self._db)
                    self._db.execute(f"PRAGMA user_version = {_INDEX_VERSION}")
        check_schema(self._db)

    def _use_wal(self) -> None:
        """Switch to the write-ahead log, in which readers do not wait; retry while another process does the same."""
        deadline = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                self._db.execute("PRAGMA journal_mode = WAL").fetchone()
                return
            except sqlite3.OperationalError as error:
                # SQLite's own timeout does not cover this statement.
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def _version(self) -> int:
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._db.conn.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def _set_aside(folder: Path) -> None:
    """Move an index out of the way, to where it replaces the one moved before."""
    aside = folder / SET_ASIDE_NAME
    for suffix in ("", "-wal", "-shm"):
        old = folder / f"{SET_ASIDE_NAME}{suffix}"
        if old.is_dir() and not old.is_symlink():
            aside = folder / f"{SET_ASIDE_NAME}-{time.time_ns()}"
        else:
            old.unlink(missing_ok=True)
    for suffix in ("", "-wal"):
        with suppress(FileNotFoundError):
            (folder / f"{INDEX_NAME}{suffix}").replace(f"{aside}{suffix}")
    (folder / f"{INDEX_NAME}-shm").unlink(missing_ok=True)


def _path_bytes(path: PictureFile) -> bytes:
    """Encode a path for SQLite as bytes, because names need not be UTF-8; an address without its secrets."""
    if isinstance(path, RemoteFile):
        return str(path).encode("utf-8", "surrogateescape")
    return os.fsencode(path.absolute())


def _now() -> int:
    return time.time_ns()
