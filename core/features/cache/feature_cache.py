"""FeatureCache: features in memory, then in safetensors files with an SQLite index; faults cost time, never work.

Anything wrong with a file is a miss, anything wrong with the index makes it anew, anything wrong with the disk leaves
memory alone.
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
from core.features.cache.feature_file import DamagedFileError, read_features, write_features
from core.features.cache.feature_key import CODECS, FP16, FeatureKey
from core.features.cache.picture_memory import Fingerprint, KnownPicture
from core.features.cache.ram_tier import RamTier

__all__ = ["CacheStats", "FeatureCache", "FeatureKey"]

GIB = 1024**3
T = TypeVar("T")


@dataclass(frozen=True)
class CacheStats:
    """What this cache object did since it was made. `disk_bytes` is as of its last write."""

    ram_hits: int = 0
    disk_hits: int = 0
    misses: int = 0
    stored: int = 0
    evicted: int = 0
    healed: int = 0
    ram_bytes: int = 0
    disk_bytes: int = 0

    @property
    def hits(self) -> int:
        return self.ram_hits + self.disk_hits


class FeatureCache:
    """Features by key, for any number of threads and processes on one folder.

    `get` and `put` never raise for what the world does: a full disk, a read-only folder or a broken index only make
    it keep less, and `trouble` says so.
    """

    def __init__(
        self, folder: Path, *, disk_budget: int = 10 * GIB, ram_budget: int = GIB // 2, codec: str = FP16
    ) -> None:
        """Budgets are bytes; a `disk_budget` of 0 keeps everything in memory. Nothing is touched before first use.

        `codec` of CODECS is how files are written; memory holds what was put. Raises BadInputError for another one.
        """
        if codec not in CODECS:
            raise BadInputError(
                f"There is no cache_codec called {codec}: use one of {', '.join(CODECS)} in the settings."
            )
        self.folder = folder
        self.disk_budget = disk_budget
        self._codec = codec
        self._ram = RamTier(ram_budget)
        self._index = CacheIndex(folder)
        self._closed = False
        self._trouble: str | None = None
        self._count_lock = threading.Lock()  # one that is never held for long: a hit in memory must not wait
        self._counts = dict.fromkeys(("ram_hits", "disk_hits", "misses", "stored", "evicted", "healed"), 0)
        self._disk_bytes = 0
        self._serial = itertools.count()

    def again(self) -> FeatureCache:
        """Another object on the same folder, for another process: no connection is shared, nothing held in memory."""
        return FeatureCache(self.folder, disk_budget=self.disk_budget, ram_budget=0, codec=self._codec)

    def __enter__(self) -> FeatureCache:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def trouble(self) -> str | None:
        """One sentence on why features are not kept on the disk, or None; a write that works again clears it."""
        return self._trouble

    @property
    def stats(self) -> CacheStats:
        """Figures so far; no disk is asked."""
        counts = self._counts | {"healed": self._counts["healed"] + self._index.made_anew}
        return CacheStats(**counts, ram_bytes=self._ram.nbytes, disk_bytes=self._disk_bytes)

    def peek(self, key: FeatureKey) -> ImageFeatures | None:
        """The features if they are in memory: at once, uncounted, without asking the disk."""
        return self._ram.get(key)

    def holds(self, key: FeatureKey) -> bool:
        """Whether features are at hand, in memory or (unread) on the disk; uncounted."""
        if self._ram.get(key) is not None:
            return True
        digest = replace(key, codec=self._codec).digest
        return self.disk_budget > 0 and not self._closed and file_of(self.folder, digest).is_file()

    def look(self) -> None:
        """Ask the index how much is on the disk, for `stats`."""
        if self.disk_budget > 0 and self.folder.exists():
            self._disk_bytes = sum(entry.nbytes for entry in self.entries())

    def get(self, key: FeatureKey) -> ImageFeatures | None:
        """The features of `key`, from memory or else from the disk, or None."""
        features = self._ram.get(key)
        if features is not None:
            self._count("ram_hits")
            return features
        features = self._read(key) if self.disk_budget > 0 and not self._closed else None
        if features is None:
            self._count("misses")
            return None
        self._count("disk_hits")
        self._ram.put(key, features)
        return features

    def put(self, key: FeatureKey, features: ImageFeatures) -> None:
        """Keep features in memory and on the disk, within both budgets."""
        if self._closed:
            return
        self._ram.put(key, features)
        if features.nbytes <= self.disk_budget:
            key = replace(key, codec=self._codec)
            self.adopt(key.digest, lambda path: write_features(path, key, features))

    def recall(self, path: Path, fingerprint: Fingerprint) -> KnownPicture | None:
        """What was remembered of a picture file, if the file still has this fingerprint."""
        return self._ask(lambda index: index.recall(path, fingerprint)) if self.disk_budget > 0 else None

    def remember(self, path: Path, fingerprint: Fingerprint, known: KnownPicture) -> None:
        """Remember a picture file; only for fingerprints that are settled."""
        if self.disk_budget > 0:
            self._ask(lambda index: index.remember(path, fingerprint, known))

    def adopt(self, digest: str, write: Callable[[Path], int]) -> bool:
        """Take in a features file that `write` makes at the path it is given; it tells the bytes.

        False where the disk refused it: `trouble` says why. What else `write` raises goes on, and nothing is left.
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
        """What the index says is on the disk, used longest ago first; nothing, and `trouble`, where it cannot."""
        return self._ask(lambda index: index.entries()) or []

    def remove(self, digest: str) -> bool:
        """Remove a file and its row; False, and `trouble`, where the disk refused."""

        def question(index: IndexTables) -> bool:
            index.discard(digest)
            return True

        return bool(self._ask(question))

    def heal(self) -> int:
        """Bring index and files together: how many rows or files were amended. Done by itself once a day."""
        amended = self._ask(lambda index: index.heal()) or 0
        self._count("healed", amended)
        return amended

    def close(self) -> None:
        """Let go of the index and the memory; later calls find and keep nothing."""
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
            self._count("healed")
            self._ask(lambda index: index.discard(digest))
            return None
        except OSError as error:
            self._note(error)
            return None
        self._ask(lambda index: index.touch(digest))
        return features

    def _store(self, incoming: Path, digest: str, size: int) -> tuple[int, int] | None:
        return self._ask(lambda index: index.store(incoming, digest, size, budget=self.disk_budget))

    def _ask(self, question: Callable[[IndexTables], T]) -> T | None:
        """An answer of the index, which is opened or made anew as needed; None and `trouble` where that fails."""
        try:
            return self._index.ask(question)
        except (OSError, sqlite3.Error) as error:
            self._note(error)
            return None

    def _count(self, name: str, by: int = 1) -> None:
        with self._count_lock:
            self._counts[name] += by

    def _note(self, error: Exception) -> None:
        cure = "free some space there, check its permissions or choose another cache folder"
        self._trouble = f"Features are not kept in {self.folder} ({reason(error)}): {cure}."


def _remove(path: Path | None) -> None:
    """What is left of a file that was not moved to its place; a drive that is gone has told of itself already."""
    if path is not None:
        with suppress(OSError):
            path.unlink(missing_ok=True)
