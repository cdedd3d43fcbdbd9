"""Which project a rescue copy belongs to: a note beside the copy, so that whoever opens the place again hears of it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from core.files import written_whole
from core.store.copying import rescue_folder

_NOTE = ".of"


def note_rescue(copy: Path, *, project: Path) -> None:
    """Note that the work on `project` goes on in `copy`; without the note the copy is found by its name alone."""
    with contextlib.suppress(OSError), written_whole(_note_of(copy)) as beside:
        beside.write_bytes(os.fsencode(project.absolute()))


def settle_rescue(copy: Path) -> None:
    """The work of a copy was saved elsewhere: nobody has to hear of it any more."""
    with contextlib.suppress(OSError):
        _note_of(copy).unlink(missing_ok=True)


def is_rescue_copy(project: Path) -> bool:
    """Whether this project is a copy in which the work on another one went on."""
    return project.parent == rescue_folder()


def rescued_copies(project: Path) -> list[Path]:
    """The copies in which work on `project` went on, the oldest first, as far as they are there and not saved since."""
    wanted, found = os.fsencode(project.absolute()), []
    with contextlib.suppress(OSError):
        for note in sorted(rescue_folder().glob(f"*{_NOTE}")):
            copy = note.with_name(note.name.removesuffix(_NOTE))
            if copy.is_file() and note.read_bytes() == wanted:
                found.append(copy)
    return found


def _note_of(copy: Path) -> Path:
    return copy.with_name(copy.name + _NOTE)
