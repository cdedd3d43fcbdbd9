"""Journal: the answers of a run as they come, beside its output, so that a second run does only what is missing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from core.errors import StorageError, reason
from core.object_store.remote_file import PictureFile, RemoteFile
from core.translation import tr

_SUFFIX = ".engine.jsonl"
Answered = tuple[Any, int, int]
"""A JSON value, width and height of the picture in pixels."""


class Journal:
    """A file of JSON lines, one for each picture that is done; a line that a killed run left half does not count.

    A key stands for picture, its size and date, what was asked, and `about`: all that the answers depend on. So answers
    of other boxes, other weights or a changed picture are not taken.
    """

    def __init__(self, out: Path, about: str) -> None:
        """The journal of a run that writes `out`. Raises StorageError if it is there and cannot be read."""
        self.path = out.with_name(out.name + _SUFFIX)
        self._about = about
        self._found = dict(_read(self.path))
        self._file: Any = None

    def key(self, picture: PictureFile, asked: str) -> str:
        """The key of one picture, of which `asked` is asked."""
        text = "\0".join([self._about, str(picture), _stamp(picture), asked])
        return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()

    def get(self, key: str) -> Answered | None:
        """The answer of an earlier run, or None."""
        return self._found.get(key)

    def add(self, key: str, answered: Answered) -> None:
        """Append an answer. Raises StorageError."""
        try:
            if self._file is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                torn = _is_torn(self.path)
                self._file = self.path.open("ab")
                if torn:
                    self._file.write(b"\n")
            self._file.write(json.dumps([key, *answered]).encode() + b"\n")
            self._file.flush()
        except OSError as error:
            raise StorageError(
                tr("{file} cannot be written ({why}): free some space there.", file=self.path, why=reason(error))
            ) from error

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
        self._file = None

    def remove(self) -> None:
        """Remove the file: nothing is missing, and the output is written."""
        self.close()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


def _read(path: Path) -> Iterable[tuple[str, Answered]]:
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(tr("{file} cannot be read ({why}): remove it.", file=path, why=reason(error))) from error
    for line in lines:
        try:
            key, answer, width, height = json.loads(line)
            yield str(key), (answer, int(width), int(height))
        except (ValueError, TypeError):  # of a run that was killed
            continue


def _stamp(picture: PictureFile) -> str:
    if isinstance(picture, RemoteFile):
        return f"{picture.nbytes} {picture.stamp}"
    try:
        found = picture.stat()
    except (OSError, ValueError):  # reading it gives the reason
        return ""
    return f"{found.st_size} {found.st_mtime_ns}"


def _is_torn(path: Path) -> bool:
    """Whether the last line of a file has no end."""
    if not path.is_file() or path.stat().st_size == 0:
        return False
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) != b"\n"
