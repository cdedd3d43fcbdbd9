"""Files of verbs at addresses: one to read is copied here first, one to write is written here and then sent whole."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs

from core.cli.terminal import watch
from core.errors import BadFileError, BadInputError, KnownError, StorageError, reason
from core.object_store.address import Address
from core.object_store.folder import ObjectFolder
from core.progress import Job, Progress
from core.translation import tr

_PART = 8 * 1024**2
_MOST_BYTES = 4 * 1024**3


@contextmanager
def copied_here(place: Path | Address) -> Iterator[Path]:
    """The path of a file: a path as it is, of an address that of a copy, which is gone afterwards.

    Raises as `ObjectFolder.opened`, and BadInputError for the address of a folder.
    """
    if not isinstance(place, Address):
        yield place
        return
    name = _name_of(place)
    with tempfile.TemporaryDirectory(prefix="boxrefine-") as folder:
        path = Path(folder) / _as_file_name(name)
        watch(_copy(ObjectFolder(place.parent), name, path), unit="MB")
        yield path


def _copy(folder: ObjectFolder, name: str, path: Path) -> Job[None]:
    with folder.opened(name) as source, path.open("xb") as target:
        total, done = int(getattr(source, "size", 0) or 0), 0
        while part := source.read(_PART):
            yield Progress(done // 10**6, total // 10**6, name)
            done += len(part)
            if max(done, total) > _MOST_BYTES:
                raise BadFileError(
                    tr("{file} is larger than a file of its kind: replace it.", file=folder.address / name)
                )
            try:
                target.write(part)
            except OSError as error:
                raise StorageError(
                    tr("{file} cannot be written ({why}): free some space there.", file=path, why=reason(error))
                ) from error


class Outgoing:
    """A file that a verb writes at `place`; for an address, `path` is one here, and `send` brings it there.

    That path is the same in each run, so that a second run finds what the first one has left beside it.
    """

    def __init__(self, place: Path | Address) -> None:
        """Raise StorageError, and as `ObjectFolder.holds`, for an address where nothing can be written."""
        self._place = place
        if not isinstance(place, Address):
            self.path = place
            return
        name = _name_of(place)
        ObjectFolder(place.parent).holds(name)  # asks with the user's credentials, before hours of work
        digest = hashlib.blake2b(str(place).encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
        own = Path(platformdirs.user_data_dir("boxrefine", appauthor=False)) / "outgoing"
        self.path = own / digest / _as_file_name(name)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                tr("{file} cannot be written: name a file in a folder where you may write.", file=self.path)
            ) from error

    def __str__(self) -> str:
        """The place, without secrets."""
        return str(self._place)

    @property
    def is_sent(self) -> bool:
        """Whether the place is an address."""
        return isinstance(self._place, Address)

    def send(self) -> None:
        """Bring the written file to its address. Raises StorageError, which names the place where it is kept."""
        if not isinstance(self._place, Address):
            return
        try:
            ObjectFolder(self._place.parent).send(self.path, self._place.name)
        except KnownError as error:
            raise StorageError(
                tr("{why} What was to be written there is kept in {file}.", why=error, file=self.path)
            ) from error
        with suppress(OSError):
            self.path.unlink()
            self.path.parent.rmdir()


def _name_of(place: Address) -> str:
    if place.text.partition("?")[0].endswith("/") or place.parent == place:
        raise BadInputError(tr("{address} is the address of a folder: name a file in it.", address=place))
    return place.name


def _as_file_name(name: str) -> str:
    """A name of an object as one of a file on any system."""
    return re.sub(r"[^\w.-]", "_", name).strip(".")[-100:] or "file"
