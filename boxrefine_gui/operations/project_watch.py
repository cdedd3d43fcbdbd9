"""ProjectWatch: shows what other windows write to the open project, and reports a missing project file at once.

The store lane polls twice a second; SQLite answers in microseconds whether another connection has written.
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
from core.errors import ProjectGoneError, ProjectUnwritableError
from core.listing import text_of
from core.records import Changes, Finding, OpenElsewhere
from core.translation import tr, tr_plural

if TYPE_CHECKING:
    from core.store.project_store import ProjectStore

LOOK_MS = 500
"""Poll interval."""

_REST_FACTOR = 20
"""Least poll interval as a multiple of the last read's duration: another window may write all the time."""

_MISSED = 2
"""Polls in a row without a file until the project counts as gone: a network drive may be away for a moment."""


@dataclass(frozen=True)
class _Seen:
    """Result of a poll."""

    has_changed: bool
    is_gone: bool
    findings: tuple[Finding, ...]


class ProjectWatch:
    """Polls the open project while the store lane is idle."""

    def __init__(self, parts: Parts, *, trainer: Callable[[], int]) -> None:
        """`trainer` returns the process id of this window's own trainer, 0 if none runs."""
        self._parts, self._trainer = parts, trainer
        self._missed = self._reported = 0
        self._copy: Path | None = None
        self._timer = timer(LOOK_MS, self.look, once=False)
        parts.store.on_moved = self._follow
        parts.session.project_changed.connect(self._restart)

    @property
    def only_copy(self) -> Path | None:
        """The rescue copy that the window works in after the project file was lost; None once it is saved elsewhere."""
        return self._copy if self._copy == self._parts.session.project_path else None

    def stop(self) -> None:
        """Stop polling."""
        self._timer.stop()

    def _restart(self) -> None:
        self._missed = self._reported = 0
        self._timer.setInterval(LOOK_MS)
        self._timer.start()
        self._parts.store.read(lambda project: project.opened_elsewhere, on_done=self._report_others)
        self._parts.store.read(_copies, on_done=self._report_copies)
        folder = self._parts.session.folder
        if folder is not None:
            self._parts.store.read(partial(_is_in_data_folder, folder), on_done=self._report_place)

    def _report_others(self, others: tuple[OpenElsewhere, ...]) -> None:
        strangers = tuple(other for other in others if other.pid != self._trainer())
        if strangers:
            self._parts.session.tell(words_on_others(strangers))

    def _report_copies(self, copies: tuple[Path, ...]) -> None:
        if copies:
            self._parts.session.tell(words_on_copies(copies), Level.WARNING)

    def _report_place(self, is_in_data_folder: bool) -> None:
        session = self._parts.session
        if is_in_data_folder and session.project_path is not None:
            session.tell(tr("The folder is read-only: its project is kept as {path}.", path=session.project_path))

    def look(self) -> None:
        """Check whether other windows have written, or the file is gone."""
        if self._parts.store.is_idle:  # else wait for the next poll
            self._parts.store.read(_look, on_done=self._handle)

    def _handle(self, seen: _Seen) -> None:
        self._missed = self._missed + 1 if seen.is_gone else 0
        if self._missed >= _MISSED:
            self._missed = 0
            self._parts.store.rescue()
        elif seen.has_changed:
            image = self._parts.session.image
            shown = image.id if image is not None and image.id > 0 else None
            known = sum(record.id > 0 for record in self._parts.session.images)
            read = partial(read_others_work, shown=shown, known=known)
            self._parts.store.read_steps(read, on_done=partial(self._show, time.monotonic()))
        if len(seen.findings) > self._reported:
            self._reported = len(seen.findings)
            self._parts.session.tell(words_on_damage(seen.findings), Level.WARNING)

    def _show(self, requested_at: float, view: StoreView) -> None:
        took_ms = 1000 * (time.monotonic() - requested_at)
        self._timer.setInterval(max(LOOK_MS, round(_REST_FACTOR * took_ms)))
        self._parts.session.apply(view)

    def _follow(self, moved: Moved) -> None:
        """Show the file that the store lane has moved the project to."""
        session = self._parts.session
        self._copy = moved.after if moved.is_gone or moved.is_read_only else None
        if session.project_path in session.left_at:
            session.left_at[moved.after] = session.left_at[session.project_path]
        session.lists_at[moved.after] = text_of(session.query)
        session.project_path = moved.after
        session.set_scan(None)
        session.project_changed.emit()
        session.changed.emit(Changes(images=True))
        choose_settings(self._parts, session.settings.opened(moved.after))
        if moved.is_gone:
            session.report(ProjectGoneError(words_on_rescue(moved)))  # this kind of error gets a button to save it
        elif moved.is_read_only:
            session.report(ProjectUnwritableError(words_on_read_only(moved)))
        else:
            session.tell(tr("The project is saved in {path}, and the work goes on there.", path=moved.after))
        drawing.keep_unwritten(self._parts)


def save_elsewhere(parts: Parts, path: Path) -> None:
    """Save the project to another file, and continue in that file."""
    parts.store.save_elsewhere(path, on_error=parts.session.report)


def _look(project: ProjectStore) -> _Seen:
    """Store lane: poll the project."""
    return _Seen(project.has_changed_elsewhere(), project.is_gone, tuple(project.findings()))


def _is_in_data_folder(folder: Path, project: ProjectStore) -> bool:
    """Store lane: whether the project of a folder is in the user's data folder, because the folder is read-only."""
    from core.store.project_file import project_path_for

    return project.path.parent != folder and project.path == project_path_for(folder)


def _copies(project: ProjectStore) -> tuple[Path, ...]:
    """Store lane: return the rescue copies of the project, the newest last."""
    from core.store.rescued import rescued_copies

    return tuple(rescued_copies(project.path))


def words_on_copies(copies: tuple[Path, ...]) -> str:
    """Describe rescue copies, which hold work that continued while the project file was missing."""
    if len(copies) == 1:
        return tr(
            "Earlier work on this project went on in {path}, because the file here was gone or read-only: File, Open a "
            "project opens it, and Save project elsewhere ends this notice.",
            path=copies[0],
        )
    return tr_plural(
        "Earlier work on this project went on in {path}, because the file here was gone or read-only, and {count} more "
        "copy is beside it: File, Open a project opens it, and Save project elsewhere ends this notice.",
        "Earlier work on this project went on in {path}, because the file here was gone or read-only, and {count} more "
        "copies are beside it: File, Open a project opens it, and Save project elsewhere ends this notice.",
        len(copies) - 1,
        path=copies[-1],
    )


def words_on_others(others: tuple[OpenElsewhere, ...]) -> str:
    """Describe the other processes that have the project open."""
    first, more = others[0], len(others) - 1
    if first.host == socket.gethostname():
        processes = tr("process {pid}", pid=first.pid)
    else:
        processes = tr("process {pid} on {host}", pid=first.pid, host=first.host)
    if more:
        processes = tr_plural("{process} and {count} more", "{process} and {count} more", more, process=processes)
    return tr(
        "This project is open elsewhere, too ({processes}): what is done there appears here, and each window undoes "
        "only its own work.",
        processes=processes,
    )


def words_on_damage(findings: tuple[Finding, ...]) -> str:
    """Describe damaged rows, which the window leaves out."""
    return tr_plural(
        "An entry of this project is damaged ({first}): it is left out, and boxrefine project repair fixes what can "
        "be.",
        "{count} entries of this project are damaged ({first}): they are left out, and boxrefine project repair "
        "fixes what can be.",
        len(findings),
        first=f"{findings[0].table} {findings[0].id}, {findings[0].what}",
    )


def words_on_read_only(moved: Moved) -> str:
    """Describe the copy in which the work on a read-only project continues."""
    return tr(
        "The project {path} is read-only: all of it, and what you do now, is kept as {copy} in your data folder; save "
        "it where you want it.",
        path=moved.before,
        copy=moved.after.name,
    )


def words_on_rescue(moved: Moved) -> str:
    """Describe a missing project file, and the copy in which the work continues."""
    return tr(
        "The project {path} is no longer at its place (deleted, moved, replaced or unmounted): all of it, and what you "
        "do now, is kept as {copy} in your data folder; save it where you want it.",
        path=moved.before,
        copy=moved.after.name,
    )
