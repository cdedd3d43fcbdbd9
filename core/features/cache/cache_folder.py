"""The files of a feature cache: their paths, the list of them, and the removal of half-written ones."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from core.features.cache.feature_file import DamagedFileError, read_key

_INCOMING = "incoming"
_SUFFIX = ".safetensors"
_ABANDONED_SECONDS = 3600
_DIGEST = re.compile(r"[0-9a-f]{32}")


class FileEntry(NamedTuple):
    """One cached file in the index; `used` is the time of last use in nanoseconds since 1970."""

    digest: str
    nbytes: int
    used: int


def is_digest(text: str) -> bool:
    """Whether a text has the form of a key's digest, which is the name of a features file."""
    return _DIGEST.fullmatch(text) is not None


def file_of(folder: Path, digest: str) -> Path:
    """The path of the features of a digest: in one of 256 subfolders, which keeps each of them small."""
    return folder / digest[:2] / f"{digest}{_SUFFIX}"


def incoming_file(folder: Path, name: str) -> Path:
    """The path for writing a new file before it is moved into place: on the same drive, so that the move is atomic.

    Raises OSError where its folder cannot be created.
    """
    incoming = folder / _INCOMING
    if not incoming.is_dir():  # the test is cheap, while mkdir locks the folder that many threads write to
        incoming.mkdir(parents=True, exist_ok=True)
    return incoming / name


def files_in(folder: Path) -> dict[str, Path]:
    """Digest -> path, for every features file of a cache folder. Raises OSError.

    Other .safetensors files are left out: a user may have kept weights in this folder before.
    """
    files: dict[str, Path] = {}
    with os.scandir(folder) as parts:
        for part in (entry.path for entry in parts if entry.is_dir(follow_symlinks=False) and len(entry.name) == 2):
            with os.scandir(part) as entries:
                paths = [Path(entry.path) for entry in entries if entry.name.endswith(_SUFFIX)]
            files |= {path.stem: path for path in paths if is_digest(path.stem) and path == file_of(folder, path.stem)}
    return files


def entry_of(path: Path) -> FileEntry | None:
    """The index entry of a file; None where it cannot be read, or is damaged or no features file and was removed."""
    try:
        stat = path.stat()
        return FileEntry(read_key(path).digest, stat.st_size, stat.st_mtime_ns)
    except DamagedFileError:
        with suppress(OSError):
            path.unlink(missing_ok=True)
    except OSError:
        return None
    return None


def sweep(folder: Path) -> None:
    """Remove half-written files of killed processes that are older than an hour. Raises OSError."""
    with suppress(FileNotFoundError), os.scandir(folder / _INCOMING) as entries:
        for entry in entries:
            if entry.stat().st_mtime < time.time() - _ABANDONED_SECONDS:
                Path(entry.path).unlink(missing_ok=True)
