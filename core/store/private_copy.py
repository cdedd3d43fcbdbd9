"""A private copy of a project that a merge reads or divides, so that the project itself never changes.

A project that is opened is migrated, and what a crash has left of a long operation is undone. So a copy is opened
instead, in a folder of its own, with its journal.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from core.errors import BadFileError, KnownError, StorageError, reason
from core.store.copying import rebase_paths
from core.store.openings import Opening
from core.store.project_check import findings_in
from core.store.project_file import convert_sqlite_errors, damaged, project_path_for, transaction
from core.store.project_store import ProjectStore
from core.translation import tr

_PARTS = ("", "-wal")


@contextmanager
def private_copy(project: Path, *, beside: Path | None = None) -> Iterator[ProjectStore]:
    """Open a copy as `make_private_copy` does, and remove it at the end; it lies in the folder `beside`, if given."""
    with (
        tempfile.TemporaryDirectory(prefix=".boxrefine-", dir=beside) as name,
        closing(ProjectStore.open(make_private_copy(project, Path(name)))) as store,
    ):
        yield store


def make_private_copy(project: Path, folder: Path) -> Path:
    """Copy the project at `project`, or the one in that folder, into the empty `folder`; return the path of the copy.

    The copy is of this version, and its paths of pictures are absolute. Raises BadFileError if the file is missing,
    damaged or no project, and StorageError if it is open in a window, a newer version wrote it, or it cannot be read.
    """
    path = project_path_for(project) if project.is_dir() else project
    if not path.is_file():
        raise BadFileError(tr("The project {path} does not exist: check the path.", path=path))
    _refuse_open(path)
    copy = folder / path.name
    try:
        for part in _PARTS:
            if (source := path.with_name(path.name + part)).exists():
                shutil.copyfile(source, copy.with_name(copy.name + part))
    except OSError as error:
        raise StorageError(
            tr("The project {path} cannot be copied ({why}): check it and the disk.", path=path, why=reason(error))
        ) from error
    _refuse_open(path)  # a window that was opened meanwhile may have written into the copied pages
    with _telling(path, copy), closing(ProjectStore.open(copy)) as store:
        _make_whole(store, path)
    return copy


def _make_whole(store: ProjectStore, path: Path) -> None:
    """Check all rows, and make stored paths absolute. Raises BadFileError if a row is damaged."""
    if findings := findings_in(store.database, path):
        raise damaged(path, why=findings[0])
    with convert_sqlite_errors(path), transaction(store.database):
        rebase_paths(store.database, before=path.absolute().parent, after=store.path.absolute().parent)


def _refuse_open(path: Path) -> None:
    if others := Opening(path, visible=False).others():
        raise StorageError(
            tr("The project {path} is open in process {pid}: close it there first.", path=path, pid=others[0].pid)
        )


@contextmanager
def _telling(path: Path, copy: Path) -> Iterator[None]:
    """Let errors name the project instead of its copy."""
    try:
        yield
    except KnownError as error:
        raise type(error)(str(error).replace(str(copy), str(path))) from error
