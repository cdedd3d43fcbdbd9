"""RemoteFile: a picture in an object store, read whole when it is decoded; a listing has its size and stamp."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from core.errors import BadFileError
from core.object_store.address import Address
from core.object_store.folder import ObjectFolder
from core.translation import tr

_MOST_BYTES = 4 * 1024**3


@dataclass(frozen=True)
class RemoteFile:
    """An object `place` below the folder `folder`; `stamp` changes with its content. It may go to another process."""

    folder: Address
    place: str
    nbytes: int
    stamp: str

    def __str__(self) -> str:
        return str(self.folder / self.place)

    @property
    def name(self) -> str:
        """The file name, without folders."""
        return self.place.rpartition("/")[2]

    def read(self) -> bytes:
        """Read the object. Raises KnownError with one sentence."""
        if self.nbytes > _MOST_BYTES:
            raise BadFileError(tr("{file} is larger than a file of its kind: replace it.", file=self))
        return _opened(self.folder, os.getpid()).read(self.place, limit=_MOST_BYTES)


@dataclass(frozen=True)
class Member(RemoteFile):
    """A file in the object `place`, which holds many; `member` is its name."""

    member: str = ""

    def __str__(self) -> str:
        return f"{self.folder / self.place}#{self.member}"

    @property
    def name(self) -> str:
        """The file name, without folders."""
        return self.member.rpartition("/")[2]


@dataclass(frozen=True)
class PackedFile(Member):
    """A file in an archive, from the byte `start` of the archive on: `nbytes` of them."""

    start: int = 0

    def read(self) -> bytes:
        """Read the part of the archive. Raises KnownError with one sentence."""
        found = _opened(self.folder, os.getpid()).read_part(self.place, start=self.start, nbytes=self.nbytes)
        if len(found) != self.nbytes:
            raise BadFileError(tr("{file} is cut off: replace it.", file=self.folder / self.place))
        return found


PictureFile = Path | RemoteFile
"""A picture on a disk or in an object store."""


@lru_cache(maxsize=16)
def _opened(folder: Address, process: int) -> ObjectFolder:
    """Connections are kept, but a forked process may not use those of its parent."""
    return ObjectFolder(folder)
