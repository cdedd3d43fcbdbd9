"""Reading what others wrote: regular files alone, and never more bytes than a file of its kind can have."""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path

MEGA = 1024**2


def open_regular(path: Path) -> io.BufferedReader:
    """A file opened for reading, which is a regular one: a pipe, socket or device would hang or never end.

    Raises OSError, whose `strerror` says what is wrong.
    """
    # Without O_NONBLOCK a pipe that nobody writes to would keep us here for ever; regular files do not mind it.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    _check_kind(os.stat(path), path)  # noqa: PTH116 - before the opening: that of some devices has an effect of its own
    handle = os.open(path, flags)
    try:
        _check_kind(os.fstat(handle), path)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_bytes(path: Path, *, limit: int) -> bytes:
    """All bytes of a regular file of at most `limit` bytes. Raises OSError, also for a larger one."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise _too_large(size, limit, path)
        content = file.read(size + 1)  # not `limit`: Python takes the memory for as much as it is asked for
    if len(content) > size:
        raise OSError(errno.EBUSY, "it is being written", str(path))
    return content


def read_text(path: Path, *, limit: int, encoding: str = "utf-8") -> str:
    """The text of a regular file of at most `limit` bytes, all line ends as \\n. Raises OSError and ValueError."""
    return read_bytes(path, limit=limit).decode(encoding).replace("\r\n", "\n").replace("\r", "\n")


def _check_kind(status: os.stat_result, path: Path) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder", str(path))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file but a pipe, socket or device", str(path))


def _too_large(size: int, limit: int, path: Path) -> OSError:
    what = f"it has {size / MEGA:,.0f} MiB, and a file of its kind at most {limit / MEGA:,.0f}"
    return OSError(errno.EFBIG, what, str(path))
