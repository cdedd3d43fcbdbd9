"""Protect a project from the journal of another file, because SQLite finds a journal only by its name.

A program that synchronizes folders may rename an older copy onto a project that is open, or that has a journal from a
crash. SQLite would then apply that journal to the wrong file. So each opening notes the device and inode of both files.
If only the project file differs from the note, its journal is set aside. If both differ, the folder was copied as a
whole, and they belong together.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from core.store.file_place import identity_of

NOTE = "files.json"
SET_ASIDE = ".replaced"
_PARTS = ("-wal", "-shm")


def set_aside_foreign_journal(project: Path, note: Path) -> None:
    """Before a project is opened, rename a journal whose project file was replaced.

    A process that has the previous file open keeps its journal, because it has both files open.
    """
    known = _read(note)
    journal = identity_of(project.with_name(project.name + "-wal"))
    if known is None or journal is None:
        return
    if known["journal"] == list(journal) and known["file"] != list(identity_of(project) or ()):
        for part in _PARTS:
            path = project.with_name(project.name + part)
            with contextlib.suppress(FileNotFoundError):
                path.replace(path.with_name(path.name + SET_ASIDE))
        note.unlink(missing_ok=True)


def remove_orphaned_journal(project: Path, journal: tuple[int, int] | None) -> None:
    """Remove the journal of an open file that is gone from its path, so that no other file gets it."""
    if journal is not None and identity_of(project.with_name(project.name + "-wal")) == journal:
        for part in _PARTS:
            with contextlib.suppress(OSError):
                project.with_name(project.name + part).unlink(missing_ok=True)


def note_files(project: Path, note: Path) -> tuple[int, int] | None:
    """After a project is opened, note its file and its journal, if the note can be written; return the journal's."""
    file, journal = identity_of(project), identity_of(project.with_name(project.name + "-wal"))
    text = json.dumps({"file": file, "journal": journal})
    temporary = note.with_name(f"{note.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        temporary.write_text(text, "utf-8")
        temporary.replace(note)
    with contextlib.suppress(OSError):
        temporary.unlink(missing_ok=True)
    return journal


def _read(note: Path) -> dict[str, object] | None:
    try:
        known = json.loads(note.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return known if isinstance(known, dict) and known.keys() == {"file", "journal"} else None
