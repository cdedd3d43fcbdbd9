"""Detect whether an open project file was deleted, moved, replaced or unmounted."""

from __future__ import annotations

import os
from pathlib import Path

from core.errors import ProjectGoneError
from core.translation import tr

GONE = tr(
    "The project {path} is no longer at its place (deleted, moved, replaced or unmounted): save the project elsewhere."
)
"""Sentence of a ProjectGoneError, with {path} to fill in."""


class FilePlace:
    """The path of a project and the device and inode of its file when it was opened.

    The system does not reuse the inode of an open file, so equal numbers mean the same file.
    """

    def __init__(self, path: Path, identity: tuple[int, int] | None) -> None:
        self._path = path.absolute()
        self._identity = identity
        self._was_replaced = False

    @classmethod
    def of(cls, path: Path) -> FilePlace:
        """The place of a file that is about to be opened."""
        return cls(path, identity_of(path))

    def is_gone(self) -> bool:
        """Whether the file is not at its path now. A replaced file stays gone; an unmounted drive may come back."""
        now = identity_of(self._path)
        self._was_replaced = self._was_replaced or (now is not None and now != self._identity)
        return self._was_replaced or now is None

    def check(self) -> None:
        """Raise ProjectGoneError if the file is gone."""
        if self.is_gone():
            raise ProjectGoneError(GONE.format(path=self._path))


def identity_of(path: Path) -> tuple[int, int] | None:
    """Device and inode of a file; None if it does not exist."""
    try:
        found = os.stat(path)  # noqa: PTH116 - fast, because every write calls this twice
    except OSError:
        return None
    return found.st_dev, found.st_ino
