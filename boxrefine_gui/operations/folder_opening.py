"""FolderOpening: the project of a folder is opened, or made of the pictures in the folder and all below it.

Listing 100,000 pictures takes a second, so a project that knows its pictures is opened first; FolderWatch finds the new
ones.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from boxrefine_gui.operations.box_verbs import Parts, choose_settings
from boxrefine_gui.operations.drawing import keep_in_hand
from boxrefine_gui.operations.folder_scan import FolderScan, show_first, show_notes
from boxrefine_gui.state.doing import Scan, ScanKind, SecondProject
from boxrefine_gui.state.project_view import OpenedProject
from boxrefine_gui.state.session import Session
from core.files import PROJECT_FILE_NAME
from core.progress import Job, Progress
from core.translation import tr

if TYPE_CHECKING:
    from core.picture_folders import FoundPictures
    from core.store.project_store import ProjectStore


@dataclass(frozen=True)
class _Known:
    """A folder that has a project, and the picture to show first."""

    folder: Path
    show: Path | None

    def check(self, opened: OpenedProject) -> None:
        """Store lane: raise _Unknown if the project has no picture in the folder, or not the one to show."""
        images, start = opened.view.images or (), os.path.join(self.folder, "")  # noqa: PTH118 - text compares quickly
        is_here = any(str(record.path).startswith(start) for record in images)
        if not is_here or not (self.show is None or any(record.path == self.show for record in images)):
            raise _Unknown


class _Unknown(Exception):
    """The folder has to be listed before its project is opened."""


@dataclass(frozen=True)
class _Listing:
    """The pictures of a folder, which one to show first, and projects that hold some of them already.

    `above` and `below` are project files in other folders; they are empty if the folder has its own.
    """

    found: FoundPictures
    show: Path | None
    above: tuple[Path, ...]
    below: tuple[Path, ...]


class FolderOpening:
    """Opens a folder, or that of a picture, with all folders below it. A later request to open something ends it."""

    def __init__(
        self, parts: Parts, path: Path, show: Path | None = None, *, open_project: Callable[[Path], None]
    ) -> None:
        """Prepare it; `show` is the picture to show first, if `path` is a folder.

        `open_project` opens the project of a folder whose pictures lie elsewhere, such as a share.
        """
        self._parts, self._path, self._show, self._open_project = parts, path, show, open_project
        self._is_given_up = self._is_cancelled = False

    def start(self) -> None:
        """Open the folder's project, or list the folder; what is open stays until the other's pictures are known."""
        give_up_opening(self._parts.session)
        self._run(partial(_look_at_folder, self._path, self._show))

    def _run(self, look: Callable[[], Job[_Listing | _Known | Path]]) -> None:
        self._ticket = self._parts.files.run_steps(
            look,
            on_done=self._seen,
            on_error=self._failed,
            on_progress=self._progressed,
            on_cancel=self._cancelled,
        )
        self._parts.session.opening = self._give_up
        self._progressed(Progress(0, 0))

    def _give_up(self) -> None:
        self._is_given_up = True
        self._ticket.cancel()

    def _cancel(self) -> None:
        self._is_cancelled = True
        self._ticket.cancel()

    def _progressed(self, progress: Progress) -> None:
        if not self._is_given_up:
            name, done, total = self._path.name, progress.done, progress.total
            self._parts.session.set_scan(Scan(ScanKind.OPENING, name, done, total, stop=self._cancel))

    def _cancelled(self) -> None:
        if not self._is_given_up:
            self._end()
            self._parts.session.tell(tr("The folder {folder} was not opened.", folder=self._path.name))

    def _failed(self, error: Exception) -> None:
        if not self._is_given_up:
            self._end()
            self._parts.session.report(error)

    def _end(self) -> None:
        self._parts.session.opening = None
        self._parts.session.set_scan(None)

    def _seen(self, listing: _Listing | _Known | Path) -> None:
        if self._is_cancelled or self._is_given_up:
            self._cancelled()
        elif isinstance(listing, _Known):
            self._open_known(listing)
        elif isinstance(listing, Path):
            self._end()
            self._open_project(listing)
        elif listing.above or listing.below:
            self._end()
            self._ask(listing)
        else:
            self._make(listing)

    def _ask(self, listing: _Listing) -> None:
        """Leave it to the user whether a second project is made of pictures that another one may have."""
        others = listing.above or listing.below
        other = FolderOpening(self._parts, others[0].parent, listing.show, open_project=self._open_project)
        question = SecondProject(
            listing.found.folder,
            others,
            is_above=bool(listing.above),
            open_other=other.start,
            make_new=partial(self._make, listing),
        )
        self._parts.session.second_project.emit(question)

    def _make(self, listing: _Listing) -> None:
        folder = listing.found.folder
        self._parts.session.opening = None
        self._parts.session.set_scan(Scan(ScanKind.OPENING, folder.name))
        keep_in_hand(self._parts)
        self._parts.store.open(
            partial(_open_or_create, folder, self._parts.session.settings.annotator),
            on_done=partial(self._opened, listing),
            on_error=partial(not_opened, self._parts),
        )

    def _open_known(self, known: _Known) -> None:
        keep_in_hand(self._parts)
        self._parts.store.open(
            partial(_open_or_create, known.folder, self._parts.session.settings.annotator),
            on_done=partial(self._opened_known, known),
            on_error=partial(self._known_failed, known),
            check=known.check,
        )

    def _opened_known(self, known: _Known, opened: OpenedProject) -> None:
        session = self._parts.session
        if not self._is_given_up:
            session.opening = None
        session.set_scan(None)
        session.open_project(opened, known.folder)
        remember(self._parts, known.folder)
        show_first(self._parts, known.show)

    def _known_failed(self, known: _Known, error: Exception) -> None:
        if self._is_cancelled or self._is_given_up:
            self._cancelled()
        elif isinstance(error, _Unknown):
            self._run(partial(_list_folder, known.folder, known.show))
        else:
            self._failed(error)

    def _opened(self, listing: _Listing, opened: OpenedProject) -> None:
        session, found = self._parts.session, listing.found
        session.open_project(opened, found.folder)
        remember(self._parts, found.folder)
        show_first(self._parts, listing.show)
        show_notes(session, found.notes)
        scan = FolderScan(self._parts, opened.path, listing.show)

        def unknown() -> list[Path]:
            from core.picture_folders import unknown_pictures

            return unknown_pictures(images, found.paths)

        images = session.images
        self._parts.files.run(unknown, on_done=scan.start, on_error=partial(not_opened, self._parts))


def _open_or_create(folder: Path, annotator: str) -> ProjectStore:
    """Store lane: open the project of a folder, or make it, for an annotator."""
    from core.store.project_store import ProjectStore, project_path_for

    project = ProjectStore.open_or_create(project_path_for(folder))
    project.use_annotator(annotator)
    return project


def give_up_opening(session: Session) -> None:
    """End the listing of a folder that is being opened, because something else is to be opened."""
    if session.opening is not None:
        session.opening()
        session.opening = None


def not_opened(parts: Parts, error: Exception) -> None:
    """Report why something was not opened."""
    parts.session.set_scan(None)
    parts.session.report(error)


def remember(parts: Parts, path: Path) -> None:
    """Put a folder or project first among the recent ones."""
    choose_settings(parts, parts.session.settings.opened(path))


def _look_at_folder(path: Path, show: Path | None) -> Job[_Listing | _Known | Path]:
    """Files lane: find the project of a folder, or of the folder of a picture; without one, list the folder."""
    from core.store.project_store import project_path_for

    folder, show = (path.parent, path) if path.is_file() else (path, show)
    if project_path_for(folder).exists():
        return _Known(folder, show)
    return (yield from _list_folder(folder, show))


def _list_folder(folder: Path, show: Path | None) -> Job[_Listing | _Known | Path]:
    """Files lane: list a folder; without pictures, return the project file in it.

    Raises BadFileError if it has neither.
    """
    from core.picture_folders import find_pictures, no_pictures, projects_above
    from core.store.project_store import project_path_for

    found = yield from find_pictures(folder)
    if not found.paths:
        if (own := folder / PROJECT_FILE_NAME).is_file():
            return own
        raise no_pictures(found)
    if project_path_for(folder).exists():
        return _Listing(found, show, (), ())
    return _Listing(found, show, tuple(projects_above(folder)), found.projects)
