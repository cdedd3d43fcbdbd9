"""FeatureCache: features in memory, then in safetensors files with an SQLite index; errors cost time, never work.

A damaged file is a miss, a broken index is recreated, and an error of the disk leaves the tier in memory.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from core.encoders.image_features import ImageFeatures
from core.errors import BadInputError, reason
from core.features.cache.cache_folder import FileEntry, file_of, incoming_file
from core.features.cache.cache_index import CacheIndex, IndexTables
from core.features.cache.feature_file import (
    DamagedFileError,
    feature_bytes,
    features_of,
    read_features,
    write_features,
    write_new,
)
from core.features.cache.feature_key import CODECS, FP16, FeatureKey
from core.features.cache.picture_memory import Fingerprint, KnownPicture
from core.features.cache.ram_tier import RamTier
from core.features.cache.shared_cache import SharedCache
from core.object_store.remote_file import PictureFile, RemoteFile
from core.translation import tr

__all__ = ["CacheStats", "FeatureCache", "FeatureKey"]

GIB = 1024**3
T = TypeVar("T")


@dataclass(frozen=True)
class CacheStats:
    """Counts since this cache object was made. `disk_bytes` is as of its last write.

    shared_hits: features that were read from the shared cache, because the disk did not have them
    """

    ram_hits: int = 0
    disk_hits: int = 0
    shared_hits: int = 0
    misses: int = 0
    stored: int = 0
    evicted: int = 0
    repaired: int = 0
    ram_bytes: int = 0
    disk_bytes: int = 0

    @property
    def hits(self) -> int:
        return self.ram_hits + self.disk_hits + self.shared_hits


class FeatureCache:
    """Features by key, for any number of threads and processes on one folder.

    `get` and `put` raise no errors of the disk: with a full disk, a read-only folder or a broken index the cache
    keeps less, and `trouble` describes the reason.
    """

    def __init__(
        self,
        folder: Path,
        *,
        disk_budget: int = 10 * GIB,
        ram_budget: int = GIB // 2,
        codec: str = FP16,
        shared: SharedCache | None = None,
    ) -> None:
        """Budgets are in bytes; with a `disk_budget` of 0 everything stays in memory. No file is touched before use.

        `codec`, one of CODECS, is that of the files; memory holds features unchanged. What the disk does not have is
        read from `shared`, and kept. Raises BadInputError for another codec.
        """
        if codec not in CODECS:
            raise BadInputError(
                tr(
                    "There is no cache_codec called {codec}: use one of {codecs} in the settings.",
                    codec=codec,
                    codecs=", ".join(CODECS),
                )
            )
        self.folder = folder
        self.disk_budget = disk_budget
        self._codec = codec
        self.shared = shared
        self._ram = RamTier(ram_budget)
        self._index = CacheIndex(folder)
        self._closed = False
        self._trouble: str | None = None
        self._count_lock = threading.Lock()  # separate from the index, so that a hit in memory never waits for the disk
        self._counts = dict.fromkeys(
            ("ram_hits", "disk_hits", "shared_hits", "misses", "stored", "evicted", "repaired"), 0
        )
        self._disk_bytes = 0
        self._serial = itertools.count()

    def reopen(self) -> FeatureCache:
        """Open the same folder for another process: without sharing the connection, and without a tier in memory."""
        shared = self.shared and self.shared.reopen()
        return FeatureCache(self.folder, disk_budget=self.disk_budget, ram_budget=0, codec=self._codec, shared=shared)

    def __enter__(self) -> FeatureCache:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def codec(self) -> str:
        """The codec of the files, one of CODECS."""
        return self._codec

    @property
    def trouble(self) -> str | None:
        """One sentence on why features are not stored on the disk, or None; the next successful write clears it."""
        return self._trouble

    @property
    def stats(self) -> CacheStats:
        """The counts so far, without reading the disk."""
        counts = self._counts | {"repaired": self._counts["repaired"] + self._index.recreated}
        return CacheStats(**counts, ram_bytes=self._ram.nbytes, disk_bytes=self._disk_bytes)

    def peek(self, key: FeatureKey) -> ImageFeatures | None:
        """The features if they are in memory: at once, not counted, without reading the disk."""
        return self._ram.get(key)

    def holds(self, key: FeatureKey) -> bool:
        """Whether features are in memory or in a file, which is not read, or in a shared cache that is written to."""
        if self._ram.get(key) is not None or self._has_file(key):
            return True
        if self.shared is None or not self.shared.writes or self._closed:
            return False  # one that is only read is asked for features, which then lie on the disk
        return self.shared.holds(replace(key, codec=self._codec))

    def share(self, key: FeatureKey) -> None:
        """Bring the file of `key` into the shared cache, if the disk has it and that one does not."""
        key = replace(key, codec=self._codec)
        if self.shared is None or not self.shared.writes or not self._has_file(key) or self.shared.holds(key):
            return
        with suppress(OSError):  # another process may just have evicted it
            self.shared.put(key, file_of(self.folder, key.digest).read_bytes())

    def look(self) -> None:
        """Read from the index how many bytes are on the disk, for `stats`."""
        if self.disk_budget > 0 and self.folder.exists():
            self._disk_bytes = sum(entry.nbytes for entry in self.entries())

    def get(self, key: FeatureKey) -> ImageFeatures | None:
        """The features of `key`, from memory, or else from the disk, or else None."""
        features = self._ram.get(key)
        if features is not None:
            self._count("ram_hits")
            return features
        features, tier = self._read(key) if self.disk_budget > 0 and not self._closed else None, "disk_hits"
        if features is None:
            features, tier = self._fetch(key), "shared_hits"
        if features is None:
            self._count("misses")
            return None
        self._count(tier)
        self._ram.put(key, features)
        return features

    def put(self, key: FeatureKey, features: ImageFeatures) -> None:
        """Store features in memory and on the disk, within both budgets."""
        if self._closed:
            return
        self._ram.put(key, features)
        key = replace(key, codec=self._codec)
        if self.shared is not None and self.shared.writes:
            data = feature_bytes(key, features)
            self._keep(key, data)
            self.shared.put(key, data)
        elif features.nbytes <= self.disk_budget:
            self.adopt(key.digest, lambda path: write_features(path, key, features))

    def recall(self, path: PictureFile, fingerprint: Fingerprint) -> KnownPicture | None:
        """The remembered content of a picture file, if the file still has this fingerprint."""
        known = self._ask(lambda index: index.recall(path, fingerprint)) if self.disk_budget > 0 else None
        if known is None and self.shared is not None and isinstance(path, RemoteFile):
            return self.shared.recall(path, fingerprint)
        return known

    def remember(self, path: PictureFile, fingerprint: Fingerprint, known: KnownPicture) -> None:
        """Remember a picture file; only for fingerprints that are settled."""
        if self.disk_budget > 0:
            self._ask(lambda index: index.remember(path, fingerprint, known))
        if self.shared is not None and isinstance(path, RemoteFile):
            self.shared.remember(path, fingerprint, known)

    def adopt(self, digest: str, write: Callable[[Path], int]) -> bool:
        """Add a features file; `write` creates it at the given path and returns its bytes.

        Return False where the disk refused it; `trouble` then has the reason. Other errors of `write` are raised, and
        no file is left.
        """
        incoming, stored = None, None
        try:
            incoming = incoming_file(self.folder, f"{digest}-{os.getpid()}-{next(self._serial)}")
            size = write(incoming)
            stored = self._store(incoming, digest, size)
        except OSError as error:
            self._note(error)
            return False
        finally:
            if stored is None:
                _remove(incoming)
        if stored is None:
            return False
        self._trouble = None
        self._disk_bytes, evicted = stored
        self._count("stored")
        self._count("evicted", evicted)
        return True

    def entries(self) -> list[FileEntry]:
        """The files in the index, the least recently used first; empty, and sets `trouble`, where it cannot be read."""
        return self._ask(lambda index: index.entries()) or []

    def remove(self, digest: str) -> bool:
        """Remove a file and its row; return False, and set `trouble`, where the disk refused."""

        def question(index: IndexTables) -> bool:
            index.discard(digest)
            return True

        return bool(self._ask(question))

    def repair(self) -> int:
        """Reconcile index and files; return the number of repairs. Writing does this once a day."""
        repaired = self._ask(lambda index: index.repair()) or 0
        self._count("repaired", repaired)
        return repaired

    def close(self) -> None:
        """Close the index and free the memory; later calls find and store nothing."""
        if self.shared is not None:
            self.shared.flush()
        self._closed = True
        self._index.close()
        self._ram.clear()

    def _read(self, key: FeatureKey) -> ImageFeatures | None:
        key = replace(key, codec=self._codec)
        digest, path = key.digest, file_of(self.folder, key.digest)
        try:
            features = read_features(path, key)
        except FileNotFoundError:
            self._ask(lambda index: index.forget(digest))
            return None
        except DamagedFileError:
            self._count("repaired")
            self._ask(lambda index: index.discard(digest))
            return None
        except OSError as error:
            self._note(error)
            return None
        self._ask(lambda index: index.touch(digest))
        return features

    def _has_file(self, key: FeatureKey) -> bool:
        digest = replace(key, codec=self._codec).digest
        return self.disk_budget > 0 and not self._closed and file_of(self.folder, digest).is_file()

    def _fetch(self, key: FeatureKey) -> ImageFeatures | None:
        """Read features from the shared cache, and keep them on the disk."""
        key = replace(key, codec=self._codec)
        data = self.shared.get(key) if self.shared is not None and not self._closed else None
        if data is None:
            return None
        self._keep(key, data)
        return features_of(data, key)

    def _keep(self, key: FeatureKey, data: bytes) -> None:
        def write(path: Path) -> int:
            write_new(path, data)
            return len(data)

        if len(data) <= self.disk_budget:
            self.adopt(key.digest, write)

    def _store(self, incoming: Path, digest: str, size: int) -> tuple[int, int] | None:
        return self._ask(lambda index: index.store(incoming, digest, size, budget=self.disk_budget))

    def _ask(self, question: Callable[[IndexTables], T]) -> T | None:
        """Query the index, which is opened or recreated as needed; return None and set `trouble` where that fails."""
        try:
            return self._index.ask(question)
        except (OSError, sqlite3.Error) as error:
            self._note(error)
            return None

    def _count(self, name: str, by: int = 1) -> None:
        with self._count_lock:
            self._counts[name] += by

    def _note(self, error: Exception) -> None:
        self._trouble = tr(
            "Features are not kept in {folder} ({why}): free some space there, check its permissions or choose another "
            "cache folder.",
            folder=self.folder,
            why=reason(error),
        )


def _remove(path: Path | None) -> None:
    """Remove an unfinished file; a missing drive has set `trouble` before."""
    if path is not None:
        with suppress(OSError):
            path.unlink(missing_ok=True)
