"""File-system operations that Python lacks: atomic writes and synchronizing a folder; names of files."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import re
import secrets
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PROJECT_SUFFIX = ".sqlite"
EXPORT_MARK = ".boxrefine-export"
"""A file of this name marks a folder whose pictures are copies that an export of BoxRefine has made.

Such a folder is left out of the folders above it, and is listed if it is opened itself.
"""

PROJECT_FILE_NAME = f"boxrefine{PROJECT_SUFFIX}"
"""The project of a folder of pictures, in the folder."""

_SUFFIX = ".partial"
_ABANDONED_S = 24 * 3600


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Write a file atomically: yield a temporary path next to `path`, and rename it to `path` when the block ends.

    The content reaches the disk before the rename. If the block fails, `path` stays as it was. Missing folders are
    created. If `path` is a link, the file that it points to is replaced. The file has the permissions of any new file,
    whatever its writer thinks: safetensors lets only its owner read it. Raises OSError.
    """
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{target.name[:100]}-"
    _sweep(target.parent, prefix)
    temporary = target.with_name(f"{prefix}{secrets.token_hex(4)}{_SUFFIX}")
    try:
        temporary.touch()
        mode = stat.S_IMODE(temporary.stat().st_mode)
        temporary.unlink()  # some writers want to make the file themselves
        yield temporary
        temporary.chmod(mode)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(target)
        sync_folder(target.parent)
    finally:
        temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk, if the system can."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def file_system_of(folder: Path) -> Iterator[Callable[[], bool]]:
    """Yield a function that flushes all that was written to the file system of a folder since then, files and names.

    It returns False where the system cannot do that: then each file has to be flushed. For many files it takes a
    fraction of that time, because a disk waits for each flush. It raises OSError if something could not be written.
    """
    syncfs = getattr(_libc(), "syncfs", None)
    if syncfs is None:
        yield lambda: False
        return
    handle = os.open(folder, os.O_RDONLY)  # the system reports the errors since the file was opened
    try:

        def flush() -> bool:
            if syncfs(handle) == 0:
                return True
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

        yield flush
    finally:
        os.close(handle)


def _libc() -> ctypes.CDLL | None:
    """The C library of a Linux whose `syncfs` reports errors; None on other systems."""
    if sys.platform != "linux":
        return None
    release = [int(part) for part in re.findall(r"\d+", platform.release())[:2]]
    return ctypes.CDLL(None, use_errno=True) if release >= [5, 8] else None


def _sweep(folder: Path, prefix: str) -> None:
    """Remove temporary files of killed processes; recent ones may still be in use."""
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            if entry.name.startswith(prefix) and entry.name.endswith(_SUFFIX):
                with contextlib.suppress(OSError):
                    if time.time() - entry.stat().st_mtime > _ABANDONED_S:
                        Path(entry.path).unlink()
