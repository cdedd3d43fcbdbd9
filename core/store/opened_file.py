"""An open project file: its connection, other processes that have it open, its place on disk, and copies of it."""

from __future__ import annotations

import logging
from pathlib import Path

from sqlite_utils import Database

from core.records import OpenElsewhere
from core.store.copying import copy_project, leave_open
from core.store.journal_guard import NOTE, note_files, remove_orphaned_journal, set_aside_foreign_journal
from core.store.openings import Opening, folder_of
from core.store.project_file import convert_sqlite_errors, open_file

logger = logging.getLogger(__name__)


class OpenedFile:
    """A connection to a project file, with the state of that file on the file system."""

    def __init__(self, path: Path) -> None:
        self.path = path
        note = folder_of(path) / NOTE
        set_aside_foreign_journal(path, note)
        self._db, self._place, self.read_only = open_file(path)
        self._opening = Opening(path, visible=not self.read_only)
        self._journal = None if self.read_only else note_files(path, note)
        self.opened_elsewhere: tuple[OpenElsewhere, ...] = tuple(self._opening.others())
        """Other processes that had the project open when this one opened it."""
        self._version = self._data_version()
        logger.info("project %s is opened%s", path, " to read only" if self.read_only else "")

    def close(self) -> None:
        """Close the file; it then holds all writes without a journal."""
        if self._place.is_gone():
            leave_open(self._db)
            remove_orphaned_journal(self.path, self._journal)
        else:
            self._db.close()
        self._opening.close()
        logger.info("project %s is closed", self.path)

    @property
    def token(self) -> str:
        """The identity of this opening."""
        return self._opening.token

    @property
    def is_gone(self) -> bool:
        """Whether the file that was opened is no longer the one at its path."""
        return not self.read_only and self._place.is_gone()

    def has_changed_elsewhere(self) -> bool:
        """Whether another connection has written since the last call; fast enough to poll."""
        with convert_sqlite_errors(self.path):
            before, self._version = self._version, self._data_version()
        return before != self._version

    def copy_to(self, path: Path) -> None:
        """Copy the whole project, undo history included, to a new file; the pictures stay where they are.

        This also works if the file of this project is gone from its path. Raises StorageError if `path` exists or
        cannot be written.
        """
        copy_project(self._db, path, folder=self._folder)

    @property
    def database(self) -> Database:
        """The connection, for other modules of core/store: no statement of SQL is written elsewhere."""
        return self._db

    @property
    def _folder(self) -> Path:
        return self.path.absolute().parent

    def _data_version(self) -> int:
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])
