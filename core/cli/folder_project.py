"""The project of a folder of pictures: verbs make it and add new pictures to it, as the window does."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.terminal import complain, watch
from core.errors import BadInputError
from core.translation import tr, tr_plural

if TYPE_CHECKING:
    from core.store.project_store import ProjectStore

_NAMED = 10
"""Unreadable pictures that are named one by one; of more, the first is."""


def open_folder(folder: Path, *, beside_others: bool) -> tuple[ProjectStore, int, int]:
    """Open the project of a folder, made if there is none, and add the pictures below that it does not have.

    Return it with the number of pictures added and of those that cannot be read. Without `beside_others`, raises
    BadInputError where a folder above or below has a project already. Raises BadFileError if a new project would have
    no pictures.
    """
    from core.picture_folders import find_pictures, measure, no_pictures, unknown_pictures
    from core.store.project_store import ProjectStore, project_path_for

    folder = Path(os.path.abspath(folder))  # noqa: PTH100 - as projects store paths: without `..`, links kept
    path = project_path_for(folder)
    found = watch(find_pictures(folder), unit=tr("image"))
    for note in found.notes:
        complain(note)
    if not path.exists():
        if not found.paths:
            raise no_pictures(found)
        if not beside_others:
            refuse_second(folder, found.projects)
    store = ProjectStore.open_or_create(path)
    try:
        new, unreadable = watch(measure(unknown_pictures(store.images(), found.paths)), unit=tr("image"))
        if new:
            store.add_images(new)
    except BaseException:
        store.close()
        raise
    _complain_of([sentence for _, sentence in unreadable], folder)
    return store, len(new), len(unreadable)


def refuse_second(folder: Path, below: Sequence[Path]) -> None:
    """Raise BadInputError where a folder above has a project, or one of those `below` has."""
    from core.picture_folders import projects_above

    for project in projects_above(folder):
        raise BadInputError(
            tr(
                "The folder {folder} is part of another, which has the project {project}: name that project, or add "
                "--new-project to make a second one.",
                folder=folder,
                project=project,
            )
        )
    for project in below:
        raise BadInputError(
            tr(
                "A folder in {folder} has a project already, {project}: name that project, or add --new-project to "
                "make one of all folders.",
                folder=folder,
                project=project,
            )
        )


def _complain_of(sentences: Sequence[str], folder: Path) -> None:
    for sentence in sentences[:_NAMED]:
        complain(sentence)
    if len(sentences) > _NAMED:
        more = len(sentences) - _NAMED
        complain(
            tr_plural(
                "{count} more picture in {folder} cannot be read.",
                "{count} more pictures in {folder} cannot be read.",
                more,
                folder=folder,
            )
        )
