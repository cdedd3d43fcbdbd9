"""FolderScan: new pictures of the open folder are measured and added to its project, part by part."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from boxrefine_gui.operations.box_verbs import Parts, show_image
from boxrefine_gui.state.doing import Scan, ScanKind
from boxrefine_gui.state.level import Level
from boxrefine_gui.state.project_view import StoreView
from boxrefine_gui.state.session import Session
from core.errors import BadFileError, StorageError, reason
from core.records import NewImage
from core.translation import tr, tr_plural

_FIRST_CHUNK = 32
_LARGEST_CHUNK = 8192


class FolderScan:
    """Adds a folder's new pictures to the project, in growing chunks so that the first ones appear at once."""

    def __init__(self, parts: Parts, project_path: Path, show: Path | None) -> None:
        self._parts = parts
        self._project_path = project_path
        self._show = show
        self._left: list[Path] = []
        self._to_store: list[list[NewImage]] = []
        self._chunk = _FIRST_CHUNK
        self._total = 0
        self._is_stopped = False

    def start(self, paths: list[Path]) -> None:
        self._left, self._total = paths, len(paths)
        self._next()

    def _next(self) -> None:
        session = self._parts.session
        if session.project_path != self._project_path:
            return  # another project was opened meanwhile
        if self._left and self._is_stopped:
            self._leave_rest()
            return
        done = self._total - len(self._left)
        scan = Scan(ScanKind.READING, done=done, total=self._total, stop=self._stop)
        session.set_scan(scan if self._left else None)
        if self._left:
            chunk, self._left = self._left[: self._chunk], self._left[self._chunk :]
            self._chunk = min(self._chunk * 4, _LARGEST_CHUNK)
            failed = partial(self._not_measured, chunk)
            self._parts.files.run(partial(_measure, chunk), on_done=self._measured, on_error=failed)
        elif session.image is None and session.images:
            wanted = (record for record in session.images if record.path == self._show)  # it may be unreadable
            show_image(self._parts, next(wanted, session.images[0]).id)

    def _stop(self) -> None:
        self._is_stopped = True

    def _leave_rest(self) -> None:
        """End for the user; the watch of the folder must not go on by itself."""
        session = self._parts.session
        session.leaves_rest = True
        session.set_scan(None)
        session.tell(
            tr_plural(
                "{count} picture was not added. {key} reads the folder on.",
                "{count} pictures were not added. {key} reads the folder on.",
                len(self._left),
                key=session.keys.get("rescan", "F5"),
            )
        )

    def _measured(self, found: tuple[list[NewImage], list[tuple[Path, str]]]) -> None:
        new, unreadable = found
        session = self._parts.session
        if session.project_path != self._project_path:
            return
        if unreadable:
            session.add_unreadable(dict(unreadable))
        self._store(new)

    def _not_measured(self, chunk: list[Path], error: Exception) -> None:
        """Report the bug that made a chunk fail, and continue with the rest of the folder."""
        session = self._parts.session
        if session.project_path == self._project_path:
            session.report(error)
            session.add_unreadable(
                {path: tr("The picture {path} cannot be read: look at it again (F5).", path=path) for path in chunk}
            )
            self._next()

    def _store(self, new: list[NewImage]) -> None:
        """Add pictures to the project, batches that are queued already first."""
        if new:
            self._to_store.append(new)
        if not self._to_store:
            self._next()
            return
        batch = self._to_store.pop()
        self._parts.store.write(
            lambda project: project.add_images(batch),
            on_done=self._added,
            on_error=partial(self._not_added, batch),
            goes_on=False,
        )

    def _not_added(self, batch: list[NewImage], error: Exception) -> None:
        session = self._parts.session
        if session.project_path != self._project_path:
            return
        if isinstance(error, StorageError | BadFileError):  # other batches would fail as well
            session.set_scan(None)
            session.report(error)
            return
        if len(batch) > 1:  # find the picture that causes the error by halving the batch
            middle = len(batch) // 2
            self._to_store += [batch[middle:], batch[:middle]]
        else:
            text = tr("The picture cannot be added to the project ({why}).", why=reason(error))
            session.add_unreadable({batch[0].path: text})
        self._store([])

    def _added(self, view: StoreView) -> None:
        if self._parts.session.project_path == self._project_path:
            self._parts.session.apply(view)
            show_first(self._parts, self._show)
            self._store([])


def _measure(paths: list[Path]) -> tuple[list[NewImage], list[tuple[Path, str]]]:
    """Files lane: read the sizes from the headers; return them, and a sentence for each unreadable picture."""
    from core.picture_folders import measured

    return measured(paths)


def show_notes(session: Session, notes: Sequence[str]) -> None:
    """Show what a listing leaves out of the open folder, each sentence once."""
    for note in notes:
        if note not in session.notes_told:
            session.tell(note, Level.WARNING)
    session.notes_told = tuple(notes)


def show_first(parts: Parts, show: Path | None) -> None:
    """Show the picture at `show`, else the one that was open last in this project, else the first one."""
    session, images = parts.session, parts.session.images
    if session.image is None and images:
        at = show or _left_at(session)
        name = at.name if at is not None else ""
        # Comparing 100,000 whole paths would block the GUI thread noticeably.
        alike = (record for record in images if record.path.name == name)
        wanted = next((record for record in alike if record.path == at), None)
        if wanted is None and show is None:
            wanted = images[0]
        if wanted is not None:
            show_image(parts, wanted.id)


def _left_at(session: Session) -> Path | None:
    """Return the picture that was open last in this project, in this window or an earlier one."""
    project = session.project_path
    if project is None:
        return None
    place = session.settings.places.get(str(project))
    return session.left_at.get(project, Path(place) if place else None)
