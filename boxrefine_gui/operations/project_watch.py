"""The open project followed: what other windows write is shown, and a file that is gone is told of at once.

SQLite answers in microseconds whether another connection has written, so it is asked twice a second, on the store lane.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from boxrefine_gui.lanes.timers import timer
from boxrefine_gui.operations import drawing
from boxrefine_gui.operations.box_verbs import Parts, choose_settings
from boxrefine_gui.state.level import Level
from boxrefine_gui.state.project_view import Moved, StoreView, read_others_work
from core.errors import ProjectGoneError
from core.records import Changes, Finding, OpenElsewhere

if TYPE_CHECKING:
    from core.store.project_store import ProjectStore

LOOK_MS = 500
_REST_FACTOR = 20
"""After reading again, so many times as long as it took is rest: another window may write all the time."""

_MISSED = 2
"""Looks in a row that find no file until the project is taken for gone: a network drive may be away for a moment."""


@dataclass(frozen=True)
class _Seen:
    """What a look at the project found."""

    has_changed: bool
    is_gone: bool
    findings: tuple[Finding, ...]


class ProjectWatch:
    """Looks at the open project while nothing is on its way to it."""

    def __init__(self, parts: Parts, *, trainer: Callable[[], int]) -> None:
        """`trainer` gives the number of the process that this window itself has teach, 0 for none."""
        self._parts, self._trainer = parts, trainer
        self._missed = self._named = 0
        self._copy: Path | None = None
        self._timer = timer(LOOK_MS, self.look, once=False)
        parts.store.on_moved = self._moved
        parts.session.project_changed.connect(self._start_afresh)

    @property
    def only_copy(self) -> Path | None:
        """Where the work goes on that belongs to a file that is gone, until it is saved somewhere."""
        return self._copy if self._copy == self._parts.session.project_path else None

    def stop(self) -> None:
        """Look no more."""
        self._timer.stop()

    def _start_afresh(self) -> None:
        self._missed = self._named = 0
        self._timer.setInterval(LOOK_MS)
        self._timer.start()
        self._parts.store.read(lambda project: project.opened_elsewhere, on_done=self._tell_of_others)
        self._parts.store.read(_copies, on_done=self._tell_of_copies)

    def _tell_of_others(self, others: tuple[OpenElsewhere, ...]) -> None:
        strangers = tuple(other for other in others if other.pid != self._trainer())
        if strangers:
            self._parts.session.tell(words_on_others(strangers))

    def _tell_of_copies(self, copies: tuple[Path, ...]) -> None:
        if copies:
            self._parts.session.tell(words_on_copies(copies), Level.WARNING)

    def look(self) -> None:
        """See whether others have written, or the file is gone."""
        if self._parts.store.is_idle:  # else the next look is soon enough
            self._parts.store.read(_look, on_done=self._seen)

    def _seen(self, seen: _Seen) -> None:
        self._missed = self._missed + 1 if seen.is_gone else 0
        if self._missed >= _MISSED:
            self._missed = 0
            self._parts.store.rescue()
        elif seen.has_changed:
            image = self._parts.session.image
            shown = image.id if image is not None and image.id > 0 else None
            known = sum(record.id > 0 for record in self._parts.session.images)
            read = partial(read_others_work, shown=shown, known=known)
            self._parts.store.read(read, on_done=partial(self._read, time.monotonic()))
        if len(seen.findings) > self._named:
            self._named = len(seen.findings)
            self._parts.session.tell(words_on_damage(seen.findings), Level.WARNING)

    def _read(self, asked_at: float, view: StoreView) -> None:
        took_ms = 1000 * (time.monotonic() - asked_at)
        self._timer.setInterval(max(LOOK_MS, round(_REST_FACTOR * took_ms)))
        self._parts.session.apply(view)

    def _moved(self, moved: Moved) -> None:
        session = self._parts.session
        self._copy = moved.after if moved.is_gone else None
        if session.project_path in session.left_at:
            session.left_at[moved.after] = session.left_at[session.project_path]
        session.project_path = moved.after
        session.set_scan(None)
        session.project_changed.emit()
        session.changed.emit(Changes(images=True))
        choose_settings(self._parts, session.settings.opened(moved.after))
        if moved.is_gone:
            session.report(ProjectGoneError(words_on_rescue(moved)))  # with its kind comes a button to save it
        else:
            session.tell(f"The project is saved in {moved.after}, and the work goes on there.")
        drawing.keep_unwritten(self._parts)


def save_elsewhere(parts: Parts, path: Path) -> None:
    """Write the whole project to another file and go on there."""
    parts.store.save_elsewhere(path, on_error=parts.session.report)


def _look(project: ProjectStore) -> _Seen:
    """Store lane."""
    return _Seen(project.has_changed_elsewhere(), project.is_gone, tuple(project.findings()))


def _copies(project: ProjectStore) -> tuple[Path, ...]:
    """Store lane."""
    from core.store.rescued import rescued_copies

    return tuple(rescued_copies(project.path))


def words_on_copies(copies: tuple[Path, ...]) -> str:
    """One sentence on work that went on elsewhere when the file at this place was gone."""
    more = f", and {len(copies) - 1} more copies are beside it" if len(copies) > 1 else ""
    return (
        f"Earlier work on this project went on in {copies[-1]}, because the file here was gone{more}: File, Open a "
        "project opens it, and Save project elsewhere ends this notice."
    )


def words_on_others(others: tuple[OpenElsewhere, ...]) -> str:
    """One sentence on who has the project open as well."""
    first, more = others[0], len(others) - 1
    where = "" if first.host == socket.gethostname() else f" on {first.host}"
    also = f" and {more} more" if more else ""
    return (
        f"This project is open elsewhere, too (process {first.pid}{where}{also}): what is done there appears here, "
        "and each window undoes only its own work."
    )


def words_on_damage(findings: tuple[Finding, ...]) -> str:
    """One sentence on rows that were left out."""
    count = "An entry of this project is" if len(findings) == 1 else f"{len(findings)} entries of this project are"
    them = "it is" if len(findings) == 1 else "they are"
    first = f"{findings[0].table} {findings[0].id}, {findings[0].what}"
    return f"{count} damaged ({first}): {them} left out, and boxrefine project repair mends what can be."


def words_on_rescue(moved: Moved) -> str:
    """One sentence on a file that is gone and where the work goes on."""
    return (
        f"The project {moved.before} is no longer at its place (deleted, moved, replaced or unmounted): "
        f"all of it, and what you do now, is kept as {moved.after.name} in your data folder; save it where you want it."
    )
