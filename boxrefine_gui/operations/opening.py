"""Operations that open a folder of pictures or a project file, and that load the models."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from boxrefine_gui.operations.box_verbs import Parts, choose_settings
from boxrefine_gui.operations.drawing import keep_in_hand
from boxrefine_gui.operations.folder_opening import FolderOpening, give_up_opening, not_opened, remember
from boxrefine_gui.operations.folder_scan import show_first
from boxrefine_gui.state.doing import Activity, ActivityKind, ModelsState, Scan, ScanKind
from boxrefine_gui.state.loaded_models import Models
from boxrefine_gui.state.project_view import OpenedProject
from core.files import PROJECT_SUFFIX
from core.settings import Settings
from core.translation import tr

if TYPE_CHECKING:
    from core.store.project_store import ProjectStore

OF_THE_MODELS = (
    "encoder", "device", "refine_by", "careful", "cache_folder", "cache_disk_budget", "cache_ram_budget", "cache_codec",
    "shared_cache",
)  # fmt: skip
"""Settings that hold once the models are loaded with them."""


def open_path(parts: Parts, path: Path) -> None:
    """Open a folder, a project file, or the folder of a picture with that picture in view."""
    path = Path(os.path.abspath(path))  # noqa: PTH100 - as projects store paths: without `..`, symbolic links kept
    if path.suffix == PROJECT_SUFFIX:
        open_project(parts, path)
    else:
        FolderOpening(parts, path, open_project=partial(open_project, parts)).start()


def open_project(parts: Parts, path: Path) -> None:
    """Open a project file."""

    name = parts.session.settings.annotator

    def opener() -> ProjectStore:
        from core.store.project_store import ProjectStore

        project = ProjectStore.open(path)
        project.use_annotator(name)
        return project

    give_up_opening(parts.session)
    parts.session.set_scan(Scan(ScanKind.OPENING, path.name))
    keep_in_hand(parts)
    parts.store.open(opener, on_done=partial(_opened_project, parts), on_error=partial(not_opened, parts))


def open_sample(parts: Parts) -> None:
    """Open the sample project, which is created at its first use."""

    def job() -> Path:
        from core.sample_project import sample_project

        return sample_project()

    give_up_opening(parts.session)
    parts.session.set_scan(Scan(ScanKind.OPENING_SAMPLE))
    parts.files.run(job, on_done=partial(open_project, parts), on_error=partial(not_opened, parts))


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
    parts.files.run(partial(_last, settings), on_done=found, on_error=partial(not_opened, parts))


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


def _opened_project(parts: Parts, opened: OpenedProject) -> None:
    parts.session.set_scan(None)
    parts.session.open_project(opened, folder=None)
    remember(parts, opened.path)
    show_first(parts, None)


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
