"""FolderOpening: a folder is listed with all below it, and its project is opened or made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from boxrefine_gui.operations.box_verbs import Parts, choose_settings
from boxrefine_gui.operations.drawing import keep_in_hand
from boxrefine_gui.operations.folder_scan import FolderScan, show_first
from boxrefine_gui.state.doing import Scan, ScanKind, SecondProject
from boxrefine_gui.state.level import Level
from boxrefine_gui.state.project_view import OpenedProject
from boxrefine_gui.state.session import Session
from core.files import PROJECT_FILE_NAME
from core.progress import Job, Progress
from core.translation import tr

if TYPE_CHECKING:
    from core.picture_folders import FoundPictures
    from core.store.project_store import ProjectStore


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
        """List the folder; the open project stays until its pictures are known."""
        give_up_opening(self._parts.session)
        self._ticket = self._parts.files.run_steps(
            partial(_list_folder, self._path, self._show),
            on_done=self._listed,
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

    def _listed(self, listing: _Listing | Path) -> None:
        if self._is_cancelled or self._is_given_up:
            self._cancelled()
        elif isinstance(listing, Path):
            self._end()
            self._open_project(listing)
        elif listing.above or listing.below:
            self._end()
            self._ask(listing)
        else:
            self._open(listing)

    def _ask(self, listing: _Listing) -> None:
        """Leave it to the user whether a second project is made of pictures that another one may have."""
        others = listing.above or listing.below
        other = FolderOpening(self._parts, others[0].parent, listing.show, open_project=self._open_project)
        question = SecondProject(
            listing.found.folder,
            others,
            is_above=bool(listing.above),
            open_other=other.start,
            make_new=partial(self._open, listing),
        )
        self._parts.session.second_project.emit(question)

    def _open(self, listing: _Listing) -> None:
        session, folder = self._parts.session, listing.found.folder
        name = session.settings.annotator
        session.opening = None

        def opener() -> ProjectStore:
            from core.store.project_store import ProjectStore, project_path_for

            project = ProjectStore.open_or_create(project_path_for(folder))
            project.use_annotator(name)
            return project

        session.set_scan(Scan(ScanKind.OPENING, folder.name))
        keep_in_hand(self._parts)
        self._parts.store.open(
            opener, on_done=partial(self._opened, listing), on_error=partial(not_opened, self._parts)
        )

    def _opened(self, listing: _Listing, opened: OpenedProject) -> None:
        session, found = self._parts.session, listing.found
        session.open_project(opened, found.folder)
        remember(self._parts, found.folder)
        show_first(self._parts, listing.show)
        for note in found.notes:
            session.tell(note, Level.WARNING)
        scan = FolderScan(self._parts, opened.path, listing.show)

        def unknown() -> list[Path]:
            from core.picture_folders import unknown_pictures

            return unknown_pictures(images, found.paths)

        images = session.images
        self._parts.files.run(unknown, on_done=scan.start, on_error=partial(not_opened, self._parts))


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


def _list_folder(path: Path, show: Path | None) -> Job[_Listing | Path]:
    """Files lane: list a folder, or the folder of a picture; without pictures, return the project file in it.

    Raises BadFileError if it has neither.
    """
    from core.picture_folders import find_pictures, no_pictures, projects_above
    from core.store.project_store import project_path_for

    folder, show = (path.parent, path) if path.is_file() else (path, show)
    found = yield from find_pictures(folder)
    if not found.paths:
        if (own := folder / PROJECT_FILE_NAME).is_file():
            return own
        raise no_pictures(found)
    if project_path_for(folder).exists():
        return _Listing(found, show, (), ())
    return _Listing(found, show, tuple(projects_above(folder)), found.projects)
