"""Notes next to rescue copies of projects: which project a copy belongs to, for when the user opens that one again."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from core.files import written_whole
from core.store.copying import rescue_folder

_NOTE = ".of"


def note_rescue(copy: Path, *, project: Path) -> None:
    """Note that `copy` continues `project`. If the note cannot be written, the copy has only its name."""
    with contextlib.suppress(OSError), written_whole(_note_of(copy)) as temporary:
        temporary.write_bytes(os.fsencode(project.absolute()))


def settle_rescue(copy: Path) -> None:
    """Remove the note of a copy, after its content was saved elsewhere."""
    with contextlib.suppress(OSError):
        _note_of(copy).unlink(missing_ok=True)


def is_rescue_copy(project: Path) -> bool:
    """Whether this project is a rescue copy of another one."""
    return project.parent == rescue_folder()


def rescued_copies(project: Path) -> list[Path]:
    """The existing rescue copies of `project` that were not saved elsewhere, the oldest first."""
    wanted, found = os.fsencode(project.absolute()), []
    with contextlib.suppress(OSError):
        for note in sorted(rescue_folder().glob(f"*{_NOTE}")):
            copy = note.with_name(note.name.removesuffix(_NOTE))
            if copy.is_file() and note.read_bytes() == wanted:
                found.append(copy)
    return found


def _note_of(copy: Path) -> Path:
    return copy.with_name(copy.name + _NOTE)
