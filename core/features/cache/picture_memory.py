"""What is remembered of a picture file, so that an unchanged one need not be decoded to know its content hash."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_UNSETTLED_NS = 2_000_000_000
"""File systems date files as coarsely as this (FAT); a younger file may change and keep its date."""


@dataclass(frozen=True)
class Fingerprint:
    """What a file system tells of a file: size in bytes, times in nanoseconds, inode."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> Fingerprint:
        """The fingerprint of a file now. Raises OSError."""
        stat = path.stat()
        return cls(stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)

    def settled(self, *, at_ns: int) -> bool:
        """Whether any change after `at_ns` must show: the file was last touched well before."""
        # The change time too: a copy may be given an old date of modification.
        return max(self.mtime_ns, self.ctime_ns) <= at_ns - _UNSETTLED_NS


@dataclass(frozen=True)
class KnownPicture:
    """A decoded picture's content hash and its upright size in pixels."""

    content: str
    width: int
    height: int
