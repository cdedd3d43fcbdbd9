"""The pictures of a folder in an object store, as `core.picture_folders` lists those of a disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property

from core.errors import BadFileError
from core.files import EXPORT_MARK
from core.object_store.address import Address
from core.object_store.folder import ObjectFolder
from core.object_store.remote_file import RemoteFile
from core.pictures.kinds import count_left_out, is_left_out, is_picture, words_on_left_out
from core.progress import Job, Progress, run
from core.text import natural_key
from core.translation import tr

_STEP = 1000


def find_object_pictures(address: Address) -> Job[tuple[list[RemoteFile], list[str]]]:
    """List the pictures below an address in natural order, and sentences on what is left out.

    Hidden objects and folders are left out, and exports of BoxRefine. Raises MissingObjectError for nothing there,
    BadFileError for no pictures, and as `ObjectFolder.entries`.
    """
    found: list[RemoteFile] = []
    strange: list[str] = []
    exports: set[str] = set()
    message = tr("Looking for pictures in {folder}", folder=address)
    yield Progress(0, 0, message)
    for number, entry in enumerate(ObjectFolder(address).entries(), start=1):
        folder, _, name = entry.name.rpartition("/")
        if any(part.startswith(".") for part in folder.split("/")):
            continue
        if is_picture(name):
            found.append(RemoteFile(address, entry.name, entry.nbytes, entry.stamp))
        elif is_left_out(name):
            strange.append(name)
        elif name == EXPORT_MARK and folder:
            exports.add(folder)
        if number % _STEP == 0:
            yield Progress(len(found), 0, message)
    found = [each for each in found if not any(each.place.startswith(f"{folder}/") for folder in exports)]
    if not found:
        raise BadFileError(tr("There are no pictures at {address}: check the address.", address=address))
    found.sort(key=lambda each: [natural_key(part) for part in each.place.split("/")])
    notes = [words_on_left_out(count_left_out(strange))] if strange else []
    return found, notes


class NamedObjects:
    """The pictures at an address by the names that annotation files give them; see `picture_folders.NamedPictures`."""

    def __init__(self, address: Address, complain: Callable[[str], None] | None = None) -> None:
        self._address, self._complain = address, complain

    @cached_property
    def paths(self) -> list[RemoteFile]:
        """The pictures at the address and below. Raises as `find_object_pictures`."""
        found, notes = run(find_object_pictures(self._address))
        for note in notes if self._complain else ():
            assert self._complain is not None
            self._complain(note)
        return found

    def path_of(self, name: str) -> RemoteFile:
        """The picture of a name: at that place, else the only one that is called so, else one that is missing."""
        if name in self._by_place:
            return self._by_place[name]
        called_so = self._by_last.get(name.rpartition("/")[2], [])
        return called_so[0] if len(called_so) == 1 else RemoteFile(self._address, name, 0, "")

    def named(self) -> Iterator[tuple[RemoteFile, str]]:
        """Each picture and its name from the address on."""
        return ((each, each.place) for each in self.paths)

    @cached_property
    def _by_place(self) -> dict[str, RemoteFile]:
        return {each.place: each for each in self.paths}

    @cached_property
    def _by_last(self) -> dict[str, list[RemoteFile]]:
        found: dict[str, list[RemoteFile]] = {}
        for each in self.paths:
            found.setdefault(each.name, []).append(each)
        return found
