"""The remembered content hash of a picture file: an unchanged file need not be decoded to compute it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from core.object_store.remote_file import PictureFile, RemoteFile
from core.pictures.kinds import suffix_of

_SCALING = 2
"""Raised when `core.pictures.deep` scales pictures of more than 8 bits in another way, which makes other pixels."""

_MAYBE_DEEP = frozenset({".png", ".tif", ".tiff"})
_UNSETTLED_NS = 2_000_000_000
"""The coarsest resolution of file dates (FAT): a file that is younger than this may change and keep its date."""


@dataclass(frozen=True)
class Fingerprint:
    """The file system's data of a file: size in bytes, times in nanoseconds, inode.

    Of an object in a store, the size and a hash of its stamp.
    """

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, path: PictureFile) -> Fingerprint:
        """Read the current fingerprint of a file; of an object, that of its listing. Raises OSError."""
        if isinstance(path, RemoteFile):
            stamp = hashlib.blake2b(path.stamp.encode(), digest_size=8).digest()
            return cls(path.nbytes, 0, 0, int.from_bytes(stamp, "little"))
        stat = path.stat()
        return cls(stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)

    def is_settled(self, *, at_ns: int) -> bool:
        """Whether any change after `at_ns` changes the fingerprint: the last change was well before."""
        # Of both times, because a copying program may set an old modification time.
        return max(self.mtime_ns, self.ctime_ns) <= at_ns - _UNSETTLED_NS


def key_of(path: PictureFile, fingerprint: Fingerprint) -> str:
    """The text under which a content is remembered: it changes with the file, and with how its pixels are scaled."""
    return f"{fingerprint!r} {_SCALING}" if suffix_of(path.name) in _MAYBE_DEEP else repr(fingerprint)


@dataclass(frozen=True)
class KnownPicture:
    """A decoded picture's content hash and its upright size in pixels."""

    content: str
    width: int
    height: int
