"""Whether an open project file is still the one at its path: it may be deleted, moved, replaced or unmounted."""

from __future__ import annotations

import os
from pathlib import Path

from core.errors import ProjectGoneError

GONE = "is no longer at its place (deleted, moved, replaced or unmounted): save the project elsewhere."


class FilePlace:
    """A path and the device and inode that it had when the project was opened.

    The open file keeps its inode from being given to another one, so equal numbers mean the same file.
    """

    def __init__(self, path: Path, identity: tuple[int, int] | None) -> None:
        self._path = path.absolute()
        self._identity = identity
        self._was_replaced = False

    @classmethod
    def of(cls, path: Path) -> FilePlace:
        """The place of a file that is about to be opened."""
        return cls(path, identity_of(path))

    def look(self) -> bool:
        """Whether the file is not at its place; one that was replaced stays gone, a drive may come back."""
        now = identity_of(self._path)
        self._was_replaced = self._was_replaced or (now is not None and now != self._identity)
        return self._was_replaced or now is None

    def check(self) -> None:
        """Raise ProjectGoneError where the file is gone."""
        if self.look():
            raise ProjectGoneError(f"The project {self._path} {GONE}")


def identity_of(path: Path) -> tuple[int, int] | None:
    """Device and inode of a file, None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - the one call that every write makes twice
    except OSError:
        return None
    return found.st_dev, found.st_ino
