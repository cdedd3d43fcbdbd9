"""Files written beside their target and renamed: what stands under the real name is always whole."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from core.errors import StorageError, reason


@dataclass(frozen=True)
class ExportFile:
    """A file of an export: its name below the export's folder, and what makes its bytes when it is its turn."""

    name: PurePosixPath
    content: Callable[[], bytes]


def write_file(path: Path, content: bytes) -> None:
    """Write one file whole or not at all. Raises StorageError where the disk is full or may not be written."""
    target = Path(os.path.realpath(path))  # a link keeps pointing at the file
    with _clean_failure(path, target.parent):
        beside = _beside(target)
        try:
            _write_through(beside, content)
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)


def write_folder(folder: Path, files: Sequence[ExportFile]) -> Generator[int, None, None]:
    """Write files below `folder`, all or none, yielding how many are made; closing it early leaves nothing behind.

    A folder that exists keeps its other files; those of the same names are replaced when all new ones are complete.
    Raises StorageError where the disk is full or may not be written.
    """
    target = Path(os.path.realpath(folder))
    exists = target.exists()
    with _clean_failure(folder, target.parent):
        # Inside a folder that exists, for it may be a disk of its own; else beside, to appear by one rename.
        staging = _beside(target / "export") if exists else _beside(target)
        try:
            staging.mkdir()
            for done, file in enumerate(files, start=1):
                whole = staging / file.name
                whole.parent.mkdir(parents=True, exist_ok=True)
                whole.write_bytes(file.content())
                yield done
            _flush(staging / file.name for file in files)
            _publish(staging, target, files) if exists else staging.replace(target)
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def _publish(staging: Path, target: Path, files: Sequence[ExportFile]) -> None:
    for parent in {file.name.parent for file in files}:  # all that may need room on the disk comes first
        (target / parent).mkdir(parents=True, exist_ok=True)
    for file in files:
        (staging / file.name).replace(target / file.name)


@contextmanager
def _clean_failure(path: Path, parent: Path) -> Iterator[None]:
    """Make `parent`, and take away again what was made of it when the writing fails or is cancelled."""
    made = [folder for folder in (parent, *parent.parents) if not folder.exists()]
    try:
        parent.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException as error:
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()
        if isinstance(error, OSError):
            message = f"{path} could not be written ({reason(error)}): make room or choose another folder."
            raise StorageError(message) from error
        raise


def _beside(target: Path) -> Path:
    """A hidden name that nobody else uses; tempfile's would make files that only their owner can read."""
    return target.with_name(f".{target.name[:100]}-{secrets.token_hex(4)}.partial")


def _write_through(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush(paths: Iterator[Path]) -> None:
    """Onto the disk, in one go after all are written: the first call carries most of the others along."""
    for path in paths:
        with path.open("rb+") as file:
            os.fsync(file.fileno())
