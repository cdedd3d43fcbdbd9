"""Operations that open a folder of pictures or a project file, and that load the models."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from boxrefine_gui.operations.box_verbs import Parts, choose_settings, show_image
from boxrefine_gui.operations.drawing import keep_in_hand
from boxrefine_gui.state.doing import Activity, ActivityKind, ModelsState, Scan, ScanKind
from boxrefine_gui.state.loaded_models import Models
from boxrefine_gui.state.project_view import OpenedProject, StoreView
from boxrefine_gui.state.session import Session
from core.errors import BadFileError, KnownError, StorageError, reason
from core.records import ImageRecord, NewImage
from core.settings import Settings
from core.translation import tr

if TYPE_CHECKING:
    from core.store.project_store import ProjectStore

PROJECT_SUFFIX = ".sqlite"
_FIRST_CHUNK = 32
_LARGEST_CHUNK = 8192
OF_THE_MODELS = (
    "encoder", "device", "refine_by", "careful", "cache_folder", "cache_disk_budget", "cache_ram_budget", "cache_codec",
)  # fmt: skip
"""Settings that hold once the models are loaded with them."""


def open_path(parts: Parts, path: Path) -> None:
    """Open a folder, a project file, or the folder of a picture with that picture in view."""
    path = Path(os.path.abspath(path))  # noqa: PTH100 - as projects store paths: without `..`, symbolic links kept
    if path.suffix == PROJECT_SUFFIX:
        open_project(parts, path)
    else:
        parts.session.set_scan(Scan(ScanKind.OPENING, path.name))
        failed = partial(_not_opened, parts)
        parts.files.run(partial(_list_folder, path), on_done=partial(_open_folder, parts), on_error=failed)


def open_project(parts: Parts, path: Path) -> None:
    """Open a project file."""

    name = parts.session.settings.annotator

    def opener() -> ProjectStore:
        from core.store.project_store import ProjectStore

        project = ProjectStore.open(path)
        project.use_annotator(name)
        return project

    parts.session.set_scan(Scan(ScanKind.OPENING, path.name))
    keep_in_hand(parts)
    parts.store.open(opener, on_done=partial(_opened_project, parts), on_error=partial(_not_opened, parts))


def open_sample(parts: Parts) -> None:
    """Open the sample project, which is created at its first use."""

    def job() -> Path:
        from core.sample_project import sample_project

        return sample_project()

    parts.session.set_scan(Scan(ScanKind.OPENING_SAMPLE))
    parts.files.run(job, on_done=partial(open_project, parts), on_error=partial(_not_opened, parts))


def open_last(parts: Parts) -> None:
    """Open the last folder or project; the sample project if there is none, or it no longer exists."""
    settings = parts.session.settings
    if not settings.recent:
        open_sample(parts)
        return

    def found(path: Path | None) -> None:
        if path is not None:
            open_path(parts, path)
            return
        open_sample(parts)
        if not is_sample(settings.recent[0]):
            parts.session.tell(tr("{path} is not there now, so the sample project is open.", path=settings.recent[0]))

    parts.session.set_scan(Scan(ScanKind.LOOKING_FOR_LAST))
    parts.files.run(partial(_last, settings), on_done=found, on_error=partial(_not_opened, parts))


def _last(settings: Settings) -> Path | None:
    """Files lane: return the last folder or project; None if it no longer exists, or is the sample project.

    The sample project is opened by `open_sample`, because the paths of its pictures change with the installation.
    """
    last = Path(settings.recent[0])
    return None if is_sample(settings.recent[0]) or not os.path.exists(last) else last  # noqa: PTH110 - no name is too long


def is_sample(path: str) -> bool:
    """Whether a path is that of a sample project."""
    from core.store.project_file import SAMPLE_PREFIX

    return Path(path).parent.name == "projects" and Path(path).stem.startswith(SAMPLE_PREFIX)


def _not_opened(parts: Parts, error: Exception) -> None:
    parts.session.set_scan(None)
    parts.session.report(error)


def _opened_project(parts: Parts, opened: OpenedProject) -> None:
    parts.session.set_scan(None)
    parts.session.open_project(opened, folder=None)
    _remember(parts, opened.path)
    _show_first(parts, None)


class _Listing:
    """The pictures of a folder, and which one to show first."""

    def __init__(self, folder: Path, paths: list[Path], show: Path | None) -> None:
        self.folder, self.paths, self.show = folder, paths, show


def _list_folder(path: Path) -> _Listing:
    """Files lane: list a folder, or the folder of a picture. Raises BadFileError if it has no pictures."""
    from core.images import list_pictures

    folder, show = (path.parent, path) if path.is_file() else (path, None)
    paths = list_pictures(folder)
    if not paths:
        raise BadFileError(
            tr(
                "The folder {folder} holds no pictures (JPEG, PNG, BMP, TIFF, WebP): choose the folder they lie in.",
                folder=folder,
            )
        )
    return _Listing(folder, paths, show)


def _open_folder(parts: Parts, listing: _Listing) -> None:
    name = parts.session.settings.annotator

    def opener() -> ProjectStore:
        from core.store.project_store import ProjectStore, project_path_for

        project = ProjectStore.open_or_create(project_path_for(listing.folder))
        project.use_annotator(name)
        return project

    keep_in_hand(parts)
    parts.store.open(opener, on_done=partial(_opened_folder, parts, listing), on_error=partial(_not_opened, parts))


def _opened_folder(parts: Parts, listing: _Listing, opened: OpenedProject) -> None:
    parts.session.open_project(opened, listing.folder)
    _remember(parts, listing.folder)
    _show_first(parts, listing.show)
    scan = FolderScan(parts, opened.path, listing.show)
    unknown = partial(_unknown, parts.session.images, listing.paths)
    parts.files.run(unknown, on_done=scan.start, on_error=partial(_not_opened, parts))


def _remember(parts: Parts, path: Path) -> None:
    choose_settings(parts, parts.session.settings.opened(path))


def _show_first(parts: Parts, show: Path | None) -> None:
    """Show the picture at `show`, else the one that was open last in this project, else the first one."""
    session, images = parts.session, parts.session.images
    if session.image is None and images:
        at = show or _left_at(session)
        wanted = next((record for record in images if record.path == at), None)
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


def _unknown(known: tuple[ImageRecord, ...], paths: list[Path]) -> list[Path]:
    """Files lane: return the pictures that the project does not have yet."""
    seen = {record.path for record in known}
    return [path for path in paths if path not in seen]


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

    def start(self, paths: list[Path]) -> None:
        self._left, self._total = paths, len(paths)
        self._next()

    def _next(self) -> None:
        session = self._parts.session
        if session.project_path != self._project_path:
            return  # another project was opened meanwhile
        done = self._total - len(self._left)
        session.set_scan(Scan(ScanKind.READING, done=done, total=self._total) if self._left else None)
        if self._left:
            chunk, self._left = self._left[: self._chunk], self._left[self._chunk :]
            self._chunk = min(self._chunk * 4, _LARGEST_CHUNK)
            failed = partial(self._not_measured, chunk)
            self._parts.files.run(partial(_measure, chunk), on_done=self._measured, on_error=failed)
        elif session.image is None and session.images:
            wanted = (record for record in session.images if record.path == self._show)  # it may be unreadable
            show_image(self._parts, next(wanted, session.images[0]).id)

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
            lambda project: project.add_images(batch), on_done=self._added, on_error=partial(self._not_added, batch)
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
            _show_first(self._parts, self._show)
            self._store([])


def _measure(paths: list[Path]) -> tuple[list[NewImage], list[tuple[Path, str]]]:
    """Files lane: read the sizes from the headers; return them, and a sentence for each unreadable picture."""
    from core.images import read_size

    new, unreadable = [], []
    for path in paths:
        try:
            width, height = read_size(path)
            new.append(NewImage(path, width, height))
        except KnownError as error:
            unreadable.append((path, str(error)))
    return new, unreadable


def load_models(parts: Parts) -> None:
    """Load encoder and refiner on the encode lane; without them, boxes are stored as drawn."""
    session = parts.session

    def loaded(models: Models) -> None:
        if session.models is None:
            session.set_models(models)
        else:
            parts.encode.run(models.close)  # keep the other encoder that the user has chosen meanwhile

    session.set_models(None, ModelsState.LOADING)
    parts.encode.run(
        partial(parts.load_models, session.settings),
        on_done=loaded,
        on_error=partial(_no_models, parts),
        activity=Activity(ActivityKind.LOADING_MODELS),
    )


def choose_models(
    parts: Parts, choose: Callable[[Settings], Settings], on_error: Callable[[Exception], None] | None = None
) -> None:
    """Load models by other settings of OF_THE_MODELS; the present ones stay in use until then, and if that fails."""
    before = parts.session.models
    settings = choose(parts.session.settings)

    def loaded(models: Models) -> None:
        # Loading takes up to a minute, in which the user may have changed other settings.
        choice = {name: getattr(settings, name) for name in OF_THE_MODELS}
        chosen = replace(parts.session.settings, **choice)
        choose_settings(parts, chosen)
        parts.session.set_models(models)
        if before is not None:
            parts.encode.run(before.close)

    activity = Activity(ActivityKind.LOADING_ENCODER, settings.encoder)
    parts.encode.run(partial(parts.load_models, settings), on_done=loaded, on_error=on_error, activity=activity)


def go_on_with_cpu(parts: Parts) -> None:
    """Load the same models on the CPU, because the GPU failed; the next start tries the GPU again."""
    before, settings = parts.session.models, replace(parts.session.settings, device="cpu")
    if before is None or not before.device.is_gpu:
        return  # handled already: several requests may fail
    parts.session.set_models(None, ModelsState.LOADING_AGAIN)

    def loaded(models: Models) -> None:
        parts.session.set_models(replace(models, device=replace(models.device, gpu_failed=True)))
        parts.encode.run(before.close)

    parts.encode.run(
        partial(parts.load_models, settings),
        on_done=loaded,
        on_error=partial(_no_models, parts),
        activity=Activity(ActivityKind.LOADING_AGAIN),
    )


def _no_models(parts: Parts, error: Exception) -> None:
    parts.session.set_models(None, ModelsState.FAILED)
    parts.session.report(error)
