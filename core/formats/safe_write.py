"""Files written beside their target and renamed: what stands under the real name is always whole.

An export is made in a hidden folder beside its target, which a lock marks as somebody's. Before the first rename the
files that it replaces are linked into that folder, so that a failure puts them back, and so does the next run after a
kill. The file that names all others goes last.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from core.claims import Claim, is_abandoned
from core.errors import BadInputError, StorageError, reason
from core.files import sync_folder

_NEW, _OLD, _PLAN = "new", "old", "plan.json"
_SUFFIX, _LOCK_SUFFIX = ".partial", ".lock"
_INSIDE = "export"
_TRIES = 5
_PATIENCE_S = 60.0
_LEADS_OUT = "is a link that leads out of the folder: remove it, or choose another folder."


@dataclass(frozen=True)
class ExportFile:
    """A file of an export: its name below the export's folder, and what makes its bytes when it is its turn."""

    name: PurePosixPath
    content: Callable[[], bytes]


def write_file(path: Path, content: bytes) -> None:
    """Write one file whole or not at all. Raises StorageError where the disk is full or may not be written."""
    target = Path(os.path.realpath(path))  # a link keeps pointing at the file
    with _clean_failure(path, target.parent):
        _sweep(target.parent, target.name, target=target)
        with _staging(target.parent, target.name) as staging:
            whole = staging / _NEW / target.name
            _write_through(whole, content)
            whole.replace(target)
            sync_folder(target.parent)


def write_folder(folder: Path, files: Sequence[ExportFile]) -> Generator[int, None, None]:
    """Write files below `folder`, all or none, yielding how many are made; closing it early leaves nothing behind.

    A folder that exists keeps its other files; those of the same names are replaced when all new ones are complete, the
    last of `files` after all others. Raises StorageError where the disk is full or may not be written, or where a
    target leads out of the folder by a link; BadInputError where a name does. Nothing is written then.
    """
    target = Path(os.path.realpath(folder))
    names = [file.name for file in files]
    for each in names:
        _refuse_outside(each)
    exists = target.exists()
    if exists:
        with _alone_in(target):
            _sweep_all(target)
    else:
        _sweep(target.parent, target.name, target=target)
    _refuse_unsuitable(folder, target, names)
    # Inside a folder that exists, for it may be a disk of its own; else beside, to appear by one rename.
    beside, name = (target, _INSIDE) if exists else (target.parent, target.name)
    with _clean_failure(folder, target.parent), _staging(beside, name) as staging:
        new = staging / _NEW
        for done, file in enumerate(files, start=1):
            whole = new / file.name
            whole.parent.mkdir(parents=True, exist_ok=True)
            whole.write_bytes(file.content())
            yield done
        _flush(new / each for each in names)
        if exists or not _appear(new, target):
            with _alone_in(target):
                _sweep_all(target)  # of one that was killed meanwhile
                _refuse_unsuitable(folder, target, names)
                _publish(staging, target, names)


def _appear(new: Path, target: Path) -> bool:
    """Give a new folder its name, unless another process has made one of that name meanwhile."""
    try:
        new.replace(target)
    except OSError:
        if target.is_dir():
            return False
        raise
    sync_folder(target.parent)
    return True


def _refuse_outside(name: PurePosixPath) -> None:
    """Whatever a project's paths and names are, an export writes below its folder alone, on every system."""
    text = str(name)
    windows = PureWindowsPath(text)
    if (
        name.is_absolute()
        or windows.drive
        or windows.root
        or not name.parts
        or {"..", "\0"} & {*name.parts, *text}
        or "\\" in text
    ):
        raise BadInputError(f"The export would write {text!r}, which is outside its folder: rename that picture.")


def _refuse_unsuitable(folder: Path, target: Path, names: Iterable[PurePosixPath]) -> None:
    """Before anything is written: nothing may stand where a file or a folder has to go, nor lead elsewhere."""
    if not os.path.lexists(target):
        return
    seen: set[PurePosixPath] = set()
    for name in names:
        for parent in name.parents:
            if parent not in seen:
                seen.add(parent)
                _refuse_parent(folder, target, parent)
        path = target / name
        if path.is_symlink() and not _is_within(path, target):
            raise StorageError(f"{folder / name} {_LEADS_OUT}")
        if path.is_dir():
            raise StorageError(f"{folder / name} is a folder, and a file has to go there: choose another folder.")


def _refuse_parent(folder: Path, target: Path, parent: PurePosixPath) -> None:
    path = target / parent
    if not os.path.lexists(path):
        return
    if not _is_within(path, target):
        raise StorageError(f"{folder / parent} {_LEADS_OUT}")
    if not path.is_dir():
        raise StorageError(f"{folder / parent} is no folder, and files have to go into it: choose another folder.")
    if not os.access(path, os.W_OK | os.X_OK):
        raise StorageError(f"{folder / parent} may not be written: check its permissions, or choose another folder.")


def _is_within(path: Path, target: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(target)


def _publish(staging: Path, target: Path, names: Sequence[PurePosixPath]) -> None:
    for parent in {name.parent for name in names}:  # all that may need room on the disk comes first
        (target / parent).mkdir(parents=True, exist_ok=True)
    for name in names:
        if os.path.lexists(target / name):
            _keep(target / name, staging / _OLD / name)
    plan = {"target": os.path.relpath(target, staging.parent), "names": [str(name) for name in names]}
    _write_through(staging / _PLAN, json.dumps(plan).encode())
    try:
        for name in names[:-1]:
            (staging / _NEW / name).replace(target / name)
        for parent in {name.parent for name in names}:
            sync_folder(target / parent)
        for name in names[-1:]:  # a power cut must not leave this one on the disk, and others not
            (staging / _NEW / name).replace(target / name)
        sync_folder(target)
    except BaseException:
        _put_back(staging, target)
        raise
    (staging / _PLAN).unlink()  # from here on there is nothing to put back


def _keep(path: Path, kept: Path) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, kept, follow_symlinks=False)
    except OSError:  # a file system without links
        shutil.copy2(path, kept, follow_symlinks=False)


def _put_back(staging: Path, target: Path) -> None:
    """Make the folder as it was before the first rename; without a plan, there was none.

    A plan is a file in somebody's folder, so it is trusted no more than a project is.
    """
    try:
        plan = json.loads((staging / _PLAN).read_bytes())
        names = [PurePosixPath(str(name)) for name in plan["names"]]
        for name in names:
            _refuse_outside(name)
        is_ours = (staging.parent / str(plan["target"])).resolve() == target
    except (OSError, ValueError, TypeError, KeyError, BadInputError):
        return
    if not is_ours or not all(_is_within((target / name).parent, target) for name in names):
        return
    if not any(os.path.lexists(staging / _NEW / name) for name in names):
        return  # all were in their places
    for name in names:
        kept, new = staging / _OLD / name, staging / _NEW / name
        if os.path.lexists(new):
            continue  # it was never its turn
        if os.path.lexists(kept):
            kept.replace(target / name)
        else:
            (target / name).unlink(missing_ok=True)


@contextmanager
def _staging(parent: Path, name: str) -> Iterator[Path]:
    """A hidden folder of our own in `parent`; its lock is there before it and goes after it."""
    prefix, claim = f".{name[:100]}-", None
    for _ in range(_TRIES):  # somebody who sweeps may hold the lock of the first for a moment
        staging = parent / f"{prefix}{secrets.token_hex(4)}{_SUFFIX}"
        if (claim := Claim.take(staging.with_suffix(_LOCK_SUFFIX))) is not None:
            break
    try:
        (staging / _NEW).mkdir(parents=True)
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        if claim is not None:
            claim.release()


@contextmanager
def _alone_in(target: Path) -> Iterator[None]:
    """One process at a time puts files into a folder, or puts them back."""
    claim = Claim.take(target / f".{_INSIDE}ing{_LOCK_SUFFIX}", patience_s=_PATIENCE_S)
    try:
        yield
    finally:
        if claim is not None:
            claim.release()


def _sweep_all(target: Path) -> None:
    _sweep(target, _INSIDE, target=target)
    _sweep(target.parent, target.name, target=target)


def _sweep(parent: Path, name: str, *, target: Path) -> None:
    """Undo and remove what processes that were killed have left of exports into `target`."""
    for found in _entries(parent, name):
        lock = found.with_suffix(_LOCK_SUFFIX)
        if not is_abandoned(lock):
            continue
        if found.suffix == _SUFFIX:
            _put_back(found, target)
            shutil.rmtree(found, ignore_errors=True)
        lock.unlink(missing_ok=True)


def _entries(parent: Path, name: str) -> list[Path]:
    pattern = re.compile(rf"\.{re.escape(name[:100])}-[0-9a-f]{{8}}\.(partial|lock)")
    try:
        with os.scandir(parent) as entries:
            names = [entry.name for entry in entries if pattern.fullmatch(entry.name) and not entry.is_symlink()]
    except OSError:
        return []
    return [parent / name for name in sorted(names)]


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
