"""The files of a feature cache: where each lies, which there are, and what was left half-written."""

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
    """One cached file as the index knows it; `used` is in nanoseconds since 1970."""

    digest: str
    nbytes: int
    used: int


def is_digest(text: str) -> bool:
    """Whether a text can be the digest of a key, and so the name of a features file."""
    return _DIGEST.fullmatch(text) is not None


def file_of(folder: Path, digest: str) -> Path:
    """Where the features of a digest lie: in 256 subfolders, so that none grows without end."""
    return folder / digest[:2] / f"{digest}{_SUFFIX}"


def incoming_file(folder: Path, name: str) -> Path:
    """Where a file is written before it is moved to its place: on the same drive, so that the move is one step.

    Raises OSError where its folder cannot be made.
    """
    incoming = folder / _INCOMING
    if not incoming.is_dir():  # asking is cheap, while making locks the folder that many threads write to
        incoming.mkdir(parents=True, exist_ok=True)
    return incoming / name


def files_in(folder: Path) -> dict[str, Path]:
    """Digest -> file, for every features file of a cache folder. Raises OSError.

    Other safetensors are none, wherever they lie: the folder may have been the home of somebody's weights before.
    """
    files: dict[str, Path] = {}
    with os.scandir(folder) as parts:
        for part in (entry.path for entry in parts if entry.is_dir(follow_symlinks=False) and len(entry.name) == 2):
            with os.scandir(part) as entries:
                paths = [Path(entry.path) for entry in entries if entry.name.endswith(_SUFFIX)]
            files |= {path.stem: path for path in paths if is_digest(path.stem) and path == file_of(folder, path.stem)}
    return files


def entry_of(path: Path) -> FileEntry | None:
    """What the index should say of a file; None for one that is not whole or not ours, which is removed."""
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
    """Remove what killed processes left half-written an hour ago or more. Raises OSError."""
    with suppress(FileNotFoundError), os.scandir(folder / _INCOMING) as entries:
        for entry in entries:
            if entry.stat().st_mtime < time.time() - _ABANDONED_SECONDS:
                Path(entry.path).unlink(missing_ok=True)
