"""Read files of unknown origin safely: only regular files, and only up to a size that is plausible for their kind."""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path

from core.translation import tr

MEGA = 1024**2


def open_regular(path: Path) -> io.BufferedReader:
    """Open a regular file for reading. Pipes, sockets and devices are refused, because reading them may never end.

    Raises OSError, whose `strerror` describes the problem.
    """
    # Without O_NONBLOCK, opening a pipe without a writer would block for ever; regular files ignore the flag.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    _check_kind(os.stat(path), path)  # noqa: PTH116 - before opening, because opening some devices has side effects
    handle = os.open(path, flags)
    try:
        _check_kind(os.fstat(handle), path)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_bytes(path: Path, *, limit: int) -> bytes:
    """Read a regular file of at most `limit` bytes. Raises OSError, also if the file is larger."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise _too_large(size, limit, path)
        content = file.read(size + 1)  # not `limit`: Python allocates as much as is requested
    if len(content) > size:
        raise OSError(errno.EBUSY, tr("it is being written"), str(path))
    return content


def read_text(path: Path, *, limit: int, encoding: str = "utf-8") -> str:
    """Read a text file of at most `limit` bytes; all line ends become \\n. Raises OSError and ValueError."""
    return read_bytes(path, limit=limit).decode(encoding).replace("\r\n", "\n").replace("\r", "\n")


def _check_kind(status: os.stat_result, path: Path) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, tr("it is a folder"), str(path))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, tr("it is no regular file but a pipe, socket or device"), str(path))


def _too_large(size: int, limit: int, path: Path) -> OSError:
    has, most = f"{size / MEGA:,.0f}", f"{limit / MEGA:,.0f}"
    what = tr("it has {has} MiB, and a file of its kind at most {most}", has=has, most=most)
    return OSError(errno.EFBIG, what, str(path))
