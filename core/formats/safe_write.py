"""Atomic export: files are written to a temporary folder and renamed, so that a file is never half-written.

The temporary folder is hidden, next to the target, and a lock marks it as in use. Before the first rename, the files
that the export replaces are linked into that folder. A failure restores them; after a kill, the next export does. The
last file of an export, which refers to the others, is renamed last.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from core.claims import Claim, is_abandoned
from core.errors import BadInputError, StorageError, reason
from core.files import file_system_of, sync_folder
from core.translation import tr

_NEW, _OLD, _PLAN = "new", "old", "plan.json"
_SUFFIX, _LOCK_SUFFIX = ".partial", ".lock"
_INSIDE = "export"
_TRIES = 5
_PATIENCE_S = 60.0
_MANY = 200
_SAFE = re.compile(r"\w[\w -]*(?:\.[\w-]+)*(?:/\w[\w -]*(?:\.[\w-]+)*)*")
"""Names that are within the folder on any system, as most are; `PureWindowsPath` takes longer than writing a file."""


@dataclass(frozen=True)
class ExportFile:
    """A file of an export: its name relative to the export's folder, and the function that makes its bytes.

    The bytes of a large file come in parts. `put`, if given, makes the file at a path instead, and returns whether it
    has to be flushed to the disk: a link has not. `is_picture`: it may replace a link that leads out of the folder,
    because an earlier export has made that.
    """

    name: PurePosixPath
    content: Callable[[], bytes | Iterator[bytes]] = bytes
    put: Callable[[Path], bool] | None = None
    is_picture: bool = False


def write_file(path: Path, content: bytes) -> None:
    """Write one file atomically. Raises StorageError if the disk is full or may not be written."""
    target = Path(os.path.realpath(path))  # if `path` is a link, it stays one
    with _create_parent(path, target.parent):
        _sweep(target.parent, target.name, target=target)
        with _staging(target.parent, target.name) as staging:
            whole = staging / _NEW / target.name
            _write_through(whole, content)
            whole.replace(target)
            sync_folder(target.parent)


def write_folder(folder: Path, files: Sequence[ExportFile]) -> Generator[int, None, None]:
    """Write files below `folder`, all or none; yield the number written so far, also between the parts of a file.

    Closing it early leaves no files.

    An existing folder keeps its other files. Files of the same names are replaced when all new ones are complete, the
    last of `files` after all others. Raises StorageError if the disk is full or may not be written, or if a target is a
    link out of the folder, and BadInputError if a name is outside the folder. Then nothing is written.
    """
    target = Path(os.path.realpath(folder))
    names = [file.name for file in files]
    pictures = {file.name for file in files if file.is_picture}
    for each in names:
        _refuse_outside(each)
    exists = target.exists()
    if exists:
        with _lock_folder(target):
            _sweep_all(target)
    else:
        _sweep(target.parent, target.name, target=target)
    _refuse_unsuitable(folder, target, names, pictures)
    # Inside an existing folder, because it may be a mount point; else next to it, to publish it by one rename.
    parent, name = (target, _INSIDE) if exists else (target.parent, target.name)
    with (
        _create_parent(folder, target.parent),
        _staging(parent, name) as staging,
        file_system_of(staging) as flush_all,
    ):
        new = staging / _NEW
        unflushed: list[str] = []
        made: set[str] = set()
        for done, file in enumerate(files):
            whole = f"{new}/{file.name}"
            if (above := os.path.dirname(whole)) not in made:  # noqa: PTH120 - of 100,000 names, quickly
                Path(above).mkdir(parents=True, exist_ok=True)
                made.add(above)
            if file.put is None or file.put(Path(whole)):
                unflushed.append(whole)
            if file.put is None:
                for _ in _write_parts(whole, file.content()):
                    yield done
            yield done + 1
        if len(unflushed) <= _MANY or not flush_all():
            _flush(unflushed)
        if exists or not _rename_folder(new, target):
            with _lock_folder(target):
                _sweep_all(target)  # of an export that was killed in the meantime
                _refuse_unsuitable(folder, target, names, pictures)
                _publish(staging, target, names)


def _rename_folder(new: Path, target: Path) -> bool:
    """Rename a new folder to its final name; False if another process has created a folder of that name."""
    try:
        new.replace(target)
    except OSError:
        if target.is_dir():
            return False
        raise
    sync_folder(target.parent)
    return True


def _refuse_outside(name: PurePosixPath) -> None:
    """Refuse names that are outside the export's folder on any system, because they come from project files."""
    text = str(name)
    if _SAFE.fullmatch(text):
        return
    windows = PureWindowsPath(text)
    if (
        name.is_absolute()
        or windows.drive
        or windows.root
        or not name.parts
        or {"..", "\0"} & {*name.parts, *text}
        or "\\" in text
    ):
        raise BadInputError(
            tr("The export would write {name}, which is outside its folder: rename that picture.", name=repr(text))
        )


def _refuse_unsuitable(
    folder: Path, target: Path, names: Iterable[PurePosixPath], pictures: Collection[PurePosixPath]
) -> None:
    """Check before writing that no target is of the wrong kind or a link out of the folder. Raises StorageError.

    Links in the places of `pictures` are replaced; what they lead to stays.
    """
    if not os.path.lexists(target):
        return
    seen: set[PurePosixPath] = set()
    for name in names:
        for parent in name.parents:
            if parent not in seen:
                seen.add(parent)
                _refuse_parent(folder, target, parent)
        path = target / name
        if path.is_symlink() and name not in pictures and not _is_within(path, target):
            raise _leads_out(folder / name)
        if path.is_dir():
            raise StorageError(
                tr("{path} is a folder, and a file has to go there: choose another folder.", path=folder / name)
            )


def _refuse_parent(folder: Path, target: Path, parent: PurePosixPath) -> None:
    path = target / parent
    if not os.path.lexists(path):
        return
    if not _is_within(path, target):
        raise _leads_out(folder / parent)
    if not path.is_dir():
        raise StorageError(
            tr("{path} is no folder, and files have to go into it: choose another folder.", path=folder / parent)
        )
    if not os.access(path, os.W_OK | os.X_OK):
        raise StorageError(
            tr("{path} may not be written: check its permissions, or choose another folder.", path=folder / parent)
        )


def _leads_out(path: Path) -> StorageError:
    return StorageError(
        tr("{path} is a link that leads out of the folder: remove it, or choose another folder.", path=path)
    )


def _is_within(path: Path, target: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(target)


def _publish(staging: Path, target: Path, names: Sequence[PurePosixPath]) -> None:
    for parent in {name.parent for name in names}:  # everything that may need disk space comes first
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
        for name in names[-1:]:  # after a power cut, this file must not exist without the others
            (staging / _NEW / name).replace(target / name)
        sync_folder(target)
    except BaseException:
        _restore(staging, target)
        raise
    (staging / _PLAN).unlink()  # the export is complete: nothing to restore


def _keep(path: Path, kept: Path) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, kept, follow_symlinks=False)
    except OSError:  # a file system without links
        shutil.copy2(path, kept, follow_symlinks=False)


def _restore(staging: Path, target: Path) -> None:
    """Restore the folder to its state before the first rename. Without a plan, no file was renamed.

    The plan is validated, because another program may have written it.
    """
    try:
        plan = json.loads((staging / _PLAN).read_bytes())
        names = [PurePosixPath(str(name)) for name in plan["names"]]
        for name in names:
            _refuse_outside(name)
        is_own = (staging.parent / str(plan["target"])).resolve() == target
    except (OSError, ValueError, TypeError, KeyError, BadInputError):
        return
    if not is_own or not all(_is_within((target / name).parent, target) for name in names):
        return
    if not any(os.path.lexists(staging / _NEW / name) for name in names):
        return  # all files were renamed: the export was complete
    for name in names:
        kept, new = staging / _OLD / name, staging / _NEW / name
        if os.path.lexists(new):
            continue  # it was not renamed yet
        if os.path.lexists(kept):
            kept.replace(target / name)
        else:
            (target / name).unlink(missing_ok=True)


@contextmanager
def _staging(parent: Path, name: str) -> Iterator[Path]:
    """Create a hidden temporary folder in `parent`; its lock exists before the folder does and outlives it."""
    prefix, claim = f".{name[:100]}-", None
    for _ in range(_TRIES):  # another process that sweeps may hold the first lock for a moment
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
def _lock_folder(target: Path) -> Iterator[None]:
    """Let only one process at a time rename files into a folder or restore them."""
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
    """Undo and remove unfinished exports into `target` by processes that were killed."""
    for found in _entries(parent, name):
        lock = found.with_suffix(_LOCK_SUFFIX)
        if not is_abandoned(lock):
            continue
        if found.suffix == _SUFFIX:
            _restore(found, target)
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
def _create_parent(path: Path, parent: Path) -> Iterator[None]:
    """Create `parent`; if writing fails or is cancelled, remove the folders that were created."""
    made = [folder for folder in (parent, *parent.parents) if not folder.exists()]
    try:
        parent.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException as error:
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()
        if isinstance(error, OSError):
            raise StorageError(
                tr(
                    "{path} could not be written ({why}): make room or choose another folder.",
                    path=path,
                    why=reason(error),
                )
            ) from error
        raise


def _write_parts(path: str, content: bytes | Iterator[bytes]) -> Iterator[None]:
    """Write a file in parts; yield after each part of several."""
    with open(path, "wb") as file:  # noqa: PTH123 - of 100,000 files, quickly
        if isinstance(content, bytes):
            file.write(content)
            return
        for part in content:
            file.write(part)
            yield


def _write_through(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush(paths: Sequence[str]) -> None:
    """Flush files to the disk after all are written, because the first fsync then flushes most of the others.

    For many files all buffers are written at once before: then an fsync of each, which reports errors, has little left
    to do.
    """
    if len(paths) > _MANY and hasattr(os, "sync"):  # not on Windows
        os.sync()
    for path in paths:
        with open(path, "rb+") as file:  # noqa: PTH123 - as in `_write_parts`
            os.fsync(file.fileno())
