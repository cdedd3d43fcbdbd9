"""SharedCache: features in an object store, or a folder of a network drive, that many machines fill without a server.

`features/ab/abcd….safetensors` is the file of the local cache, named by the identity of its features and with their
checksum: it is written once, and all writers would write the same. `manifest/HASH.jsonl` lists features and pictures;
each writer adds parts of its own, named by the hash of their bytes, and a reader unites those whose name is right. So a
killed writer leaves nothing that is read as whole, and features that no part lists are still found by their names.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from core.errors import KnownError
from core.features.cache.cache_folder import is_digest
from core.features.cache.feature_file import LARGEST_FILE, DamagedFileError, check_bytes
from core.features.cache.feature_key import FeatureKey
from core.features.cache.picture_memory import Fingerprint, KnownPicture
from core.object_store.address import Address
from core.object_store.folder import MissingObjectError, ObjectFolder
from core.object_store.remote_file import RemoteFile

_MANIFEST = "manifest"
_PART = re.compile(r"manifest/([0-9a-f]{32})\.jsonl")
_CONTENT = re.compile(r"[0-9a-f]{32}")
_PART_ROWS = 4096
_READ_AT_ONCE = 64
_REST_SECONDS = 60.0
"""After an error nothing is asked for so long: each try may take seconds, in which the window's encoder would wait."""

T = TypeVar("T")
Row = dict[str, Any]
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SharedStats:
    """Numbers of features read, written, and found damaged, since this object was made."""

    read: int = 0
    written: int = 0
    damaged: int = 0


@dataclass
class Manifest:
    """The union of the parts: digest -> its encoder, codec and bytes; address of a picture -> its stamp and content."""

    features: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    pictures: dict[str, tuple[str, KnownPicture]] = field(default_factory=dict)
    parts: set[str] = field(default_factory=set)
    damaged: int = 0


class SharedCache:
    """The features below one address, for any number of threads, processes and machines.

    No method raises errors of the store: features that cannot be read are missing, and `trouble` has the reason.
    """

    def __init__(
        self,
        address: Address,
        *,
        writes: bool = True,
        lists: bool = True,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Without `writes` it only reads. `now` is a clock in seconds. Nothing is connected yet.

        Without `lists` the manifest is neither read nor written: a worker of an engine hands its rows over, see
        `take_rows`.
        """
        self.address = address
        self.writes = writes
        self._lists = lists
        self._folder = ObjectFolder(address)
        self._now = now
        self._resting_until = float("-inf")
        self._trouble: str | None = None
        self._lock = threading.RLock()
        self._manifest: Manifest | None = None
        self._rows: list[Row] = []
        self._counts = dict.fromkeys(("read", "written", "damaged"), 0)

    def reopen(self) -> SharedCache:
        """The same cache for another process."""
        return SharedCache(self.address, writes=self.writes, lists=self._lists)

    def check_driver(self) -> None:
        """Raise BadInputError if the driver for the address is not installed; nothing is connected."""
        self._folder.check_driver()

    @property
    def trouble(self) -> str | None:
        """One sentence on why the store cannot be used, or None."""
        return self._trouble

    @property
    def stats(self) -> SharedStats:
        """The counts so far."""
        return SharedStats(**self._counts)

    def get(self, key: FeatureKey) -> bytes | None:
        """Read the checked file of `key`; None where it is missing, damaged, or cannot be read."""
        data = self._ask(lambda: self._folder.read(_name_of(key.digest), limit=LARGEST_FILE), missing=None)
        if data is None:
            return None
        try:
            check_bytes(data, digest=key.digest)
        except DamagedFileError:
            self._count("damaged")
            return None
        self._count("read")
        return data

    def holds(self, key: FeatureKey) -> bool:
        """Whether the manifest lists features, or their file is there."""
        digest = key.digest
        manifest = self.manifest()
        return digest in manifest.features or bool(
            self._ask(lambda: self._folder.holds(_name_of(digest)), missing=False)
        )

    def put(self, key: FeatureKey, data: bytes) -> None:
        """Write the file of `key`, and list it in the next part of the manifest."""
        if not self.writes:
            return

        def write() -> bool:
            self._folder.write(_name_of(key.digest), data)
            return True

        if self._ask(write, missing=False):
            self._count("written")
            row = {"digest": key.digest, "encoder": key.encoder, "codec": key.codec, "bytes": len(data)}
            with self._lock:
                self.manifest().features[key.digest] = (key.encoder, key.codec, len(data))
                self._add(row)

    def recall(self, picture: RemoteFile, fingerprint: Fingerprint) -> KnownPicture | None:
        """The content of a picture in an object store, as any writer has remembered it."""
        stamp, known = self.manifest().pictures.get(str(picture), ("", None))
        return known if known is not None and stamp == repr(fingerprint) else None

    def remember(self, picture: RemoteFile, fingerprint: Fingerprint, known: KnownPicture) -> None:
        """List the content of a picture in the next part of the manifest."""
        if not self.writes:
            return
        with self._lock:
            self.manifest().pictures[str(picture)] = (repr(fingerprint), known)
            size = {"width": known.width, "height": known.height}
            self._add({"picture": str(picture), "stamp": repr(fingerprint), "content": known.content} | size)

    def manifest(self) -> Manifest:
        """The manifest as it was when it was first needed, with the rows of this object; empty if it is unreadable."""
        with self._lock:
            if self._manifest is None:
                found = self._ask(lambda: read_manifest(self._folder), missing=None) if self._lists else None
                self._manifest = found or Manifest()
            return self._manifest

    def take_rows(self) -> list[Row]:
        """Take the rows that no part has yet; the caller gives them to `add_rows` of another object."""
        with self._lock:
            rows, self._rows = self._rows, []
        return rows

    def add_rows(self, rows: Sequence[Row]) -> None:
        """List rows that another object has taken."""
        with self._lock:
            for row in rows:
                self._add(row)

    def flush(self) -> None:
        """Write the rows that no part has yet."""
        rows = self.take_rows() if self._lists else []
        if rows:
            data = "".join(json.dumps(row, sort_keys=True) + "\n" for row in rows).encode()
            self._ask(lambda: self._folder.write(_part_name(data), data), missing=None)

    def _add(self, row: Row) -> None:
        self._rows.append(row)
        if self._lists and len(self._rows) >= _PART_ROWS:
            self.flush()

    def _ask(self, question: Callable[[], T], *, missing: T | None) -> T | None:
        """Ask the store; `missing` where there is no such object. After an error, None for a while."""
        if self._now() < self._resting_until:
            return None
        try:
            return question()
        except MissingObjectError:
            return missing
        except KnownError as error:
            if self._trouble is None:
                logger.info("the shared cache rests: %s", error)
            self._trouble = str(error)
            self._resting_until = self._now() + _REST_SECONDS
            return None

    def _count(self, name: str) -> None:
        with self._lock:
            self._counts[name] += 1


def shared_cache(place: Path | Address, *, writes: bool = True) -> SharedCache:
    """The shared cache at an address, or in a folder such as that of a network drive."""
    address = place if isinstance(place, Address) else Address(f"file://{place.absolute()}")
    return SharedCache(address, writes=writes)


def read_manifest(folder: ObjectFolder) -> Manifest:
    """Unite the parts of a manifest whose names are the hashes of their bytes. Raises StorageError."""
    manifest = Manifest()
    try:
        names = sorted(entry.name for entry in folder.entries(_MANIFEST) if _PART.fullmatch(entry.name))
    except MissingObjectError:
        return manifest
    for start in range(0, len(names), _READ_AT_ONCE):
        for name, data in folder.read_many(names[start : start + _READ_AT_ONCE]).items():
            if _part_name(data) != name:
                manifest.damaged += 1
                continue
            manifest.parts.add(name)
            for line in data.splitlines():
                _take_in(manifest, line)
    return manifest


def _take_in(manifest: Manifest, line: bytes) -> None:
    """Add one row; a row of another form is one of a later version."""
    try:
        row = json.loads(line)
        if "digest" in row and is_digest(row["digest"]):
            manifest.features[row["digest"]] = (str(row["encoder"]), str(row["codec"]), int(row["bytes"]))
        elif "picture" in row and _CONTENT.fullmatch(row["content"]):
            known = KnownPicture(row["content"], int(row["width"]), int(row["height"]))
            manifest.pictures[str(row["picture"])] = (str(row["stamp"]), known)
    except (ValueError, TypeError, KeyError):
        manifest.damaged += 1


def _name_of(digest: str) -> str:
    return f"features/{digest[:2]}/{digest}.safetensors"


def _part_name(data: bytes) -> str:
    return f"{_MANIFEST}/{hashlib.blake2b(data, digest_size=16).hexdigest()}.jsonl"
