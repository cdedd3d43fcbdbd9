"""The pictures of a folder and of all folders below it, and their sizes, as a project takes them in.

The command line and the window open a folder by these functions. A listing is a job in steps, so that a disk of 10,000
folders shows its progress and can be cancelled.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from core.errors import BadFileError, KnownError, reason
from core.files import EXPORT_MARK, PROJECT_FILE_NAME, PROJECT_SUFFIX
from core.images import read_size
from core.pictures.kinds import SUFFIXES, count_left_out, is_left_out, is_picture, words_on_left_out
from core.progress import Job, Progress, run
from core.records import ImageRecord, NewImage
from core.text import in_natural_order, natural_key
from core.translation import tr, tr_plural

_REFINERS = "-refiners"
_NOT_OF_THE_USER = frozenset({"__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found"})
"""Folders that systems make: what Finder adds to archives, thumbnails of a network drive, deleted files."""

_STEP = 2000
"""Entries of a folder after which a listing reports its progress."""

_MEASURED = 200
"""Pictures whose sizes are read in one step."""


@dataclass(frozen=True)
class FoundPictures:
    """What a listing of `folder` finds.

    `paths` are in natural order by folder, then by name. `stamps` has the modification time of each folder that was
    read, in nanoseconds, by its path. `projects` are project files in folders below, `notes` sentences on what is left
    out.
    """

    folder: Path
    paths: tuple[Path, ...]
    stamps: dict[str, int] = field(default_factory=dict)
    projects: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


def find_pictures(folder: Path) -> Job[FoundPictures]:
    """List the picture files in `folder` and all folders below it.

    Hidden files and folders are left out, and folders of BoxRefine's results. Links to folders are followed, also out
    of the folder. A folder that can be reached in several ways is listed once, by a way without links where there is
    one. Raises BadFileError if `folder` is missing or may not be read; folders below that cannot be read are counted in
    a note.
    """
    walk = _Walk(Path(folder))
    yield from walk.steps()
    paths: list[Path] = []
    for place in sorted(walk.names, key=_folder_key):
        whole = Path(folder, place)  # parsed once, and not for each of 100,000 names
        paths += [whole / name for name in in_natural_order(walk.names[place])]
        yield Progress(len(paths), walk.count, walk.message)
    projects = tuple(Path(folder, place) for place in sorted(walk.projects, key=_folder_key))
    return FoundPictures(Path(folder), tuple(paths), walk.stamps, projects, tuple(walk.notes()))


def list_pictures(folder: Path, complain: Callable[[str], None] | None = None) -> list[Path]:
    """List the pictures of a folder and those below at once; `complain` gets the notes. Raises as `find_pictures`."""
    found = run(find_pictures(folder))
    if complain is not None:
        for note in found.notes:
            complain(note)
    return list(found.paths)


def has_changed(stamps: Mapping[str, int]) -> bool:
    """Whether a folder of a listing has other content than when it was read, or is gone."""
    try:
        return any(os.stat(folder).st_mtime_ns != stamp for folder, stamp in stamps.items())  # noqa: PTH116 - of 10,000
    except OSError:
        return True


def no_pictures(found: FoundPictures) -> BadFileError:
    """The error of a folder without pictures, with what is left out of it."""
    kinds = ", ".join(sorted({suffix[1:].upper() for suffix in SUFFIXES} - {"JPG", "TIF"}))
    sentence = tr(
        "The folder {folder} holds no pictures ({kinds}), nor do the folders below it: choose another.",
        folder=found.folder,
        kinds=kinds,
    )
    return BadFileError(" ".join([sentence, *found.notes]))


def unknown_pictures(known: Iterable[ImageRecord], paths: Iterable[Path]) -> list[Path]:
    """The pictures that a project does not have yet."""
    seen = {record.path for record in known}
    return [path for path in paths if path not in seen]


def measured(paths: Sequence[Path]) -> tuple[list[NewImage], list[tuple[Path, str]]]:
    """Read the sizes of pictures from their headers; return them, and a sentence for each unreadable picture."""
    new, unreadable = [], []
    for path in paths:
        try:
            new.append(NewImage(path, *read_size(path)))
        except KnownError as error:
            unreadable.append((path, str(error)))
    return new, unreadable


def measure(paths: Sequence[Path]) -> Job[tuple[list[NewImage], list[tuple[Path, str]]]]:
    """`measured` in steps."""
    new: list[NewImage] = []
    unreadable: list[tuple[Path, str]] = []
    for start in range(0, len(paths), _MEASURED):
        yield Progress(start, len(paths), tr("Reading the sizes of pictures"))
        some, others = measured(paths[start : start + _MEASURED])
        new += some
        unreadable += others
    return new, unreadable


class NamedPictures:
    """The pictures of a folder by the names that annotation files give them.

    `complain` gets the notes of the listing, which is made when it is needed first.
    """

    def __init__(self, folder: Path, complain: Callable[[str], None] | None = None) -> None:
        self._folder, self._complain = folder, complain

    @cached_property
    def paths(self) -> list[Path]:
        """The pictures in the folder and below. Raises as `find_pictures`."""
        return list_pictures(self._folder, self._complain)

    def path_of(self, name: str) -> Path:
        """The picture of a name: at that path in the folder, else the only one below that is called so.

        If there is none, or if several are called so, the path in the folder, where none is.
        """
        path = self._folder / name
        if os.path.lexists(path):
            return path
        called_so = self._by_last.get(path.name, [])
        return called_so[0] if len(called_so) == 1 else path

    def named(self) -> Iterator[tuple[Path, str]]:
        """Each picture and its path in the folder, as an annotation file names it."""
        return ((path, path.relative_to(self._folder).as_posix()) for path in self.paths)

    @cached_property
    def _by_last(self) -> dict[str, list[Path]]:
        found: dict[str, list[Path]] = {}
        for path in self.paths:
            found.setdefault(path.name, []).append(path)
        return found


def projects_above(folder: Path) -> list[Path]:
    """The project files in the folders above `folder`, the nearest first."""
    return [path for above in folder.absolute().parents if (path := above / PROJECT_FILE_NAME).is_file()]


class _Walk:
    """A walk through a folder; paths in it are texts relative to the folder, because there may be 100,000."""

    def __init__(self, folder: Path) -> None:
        self.message = tr("Looking for pictures in {folder}", folder=folder.name or str(folder))
        self.names: dict[str, list[str]] = {}
        self.stamps: dict[str, int] = {}
        self.projects: list[str] = []
        self.count = 0
        self.left_out: Counter[str] = Counter()
        self._folder = folder
        self._seen: set[tuple[int, int]] = set()
        self._links: list[str] = []
        self._exports: list[str] = []
        self._failed: list[tuple[str, str]] = []

    def steps(self) -> Job[None]:
        """List the folders without links first, then those that links lead to, and so on."""
        yield from self._walk("")
        above = {identity for parent in (self._real(), *self._real().parents) if (identity := _identity(parent))}
        while self._links:
            links, self._links = sorted(self._links, key=_folder_key), []
            for place in links:
                if _identity(self._folder / place) not in above:  # a link to a folder above is a loop
                    yield from self._walk(place)

    def notes(self) -> Iterator[str]:
        """Sentences on what is left out."""
        if self.left_out:
            yield words_on_left_out(self.left_out)
        if self._failed:
            place, why = min(self._failed)
            yield tr_plural(
                "The folder {folder} cannot be read ({why}), so its pictures are left out: check its permissions.",
                "{count} folders cannot be read, so their pictures are left out: check the permissions of {folder} "
                "({why}) and the others.",
                len(self._failed),
                folder=self._folder / place,
                why=why,
            )
        if self._exports:
            yield tr_plural(
                "The folder {folder} holds an export of BoxRefine, so its pictures are left out.",
                "{count} folders hold exports of BoxRefine, so their pictures are left out; the first is {folder}.",
                len(self._exports),
                folder=self._folder / min(self._exports),
            )

    def _real(self) -> Path:
        return Path(os.path.realpath(self._folder))

    def _walk(self, start: str) -> Job[None]:
        waiting = [start]
        while waiting:
            place = waiting.pop()
            yield Progress(self.count, 0, self.message)
            try:
                waiting += yield from self._read(place)
            except FileNotFoundError as error:
                if not place:
                    text = tr("The folder {folder} does not exist: check the path.", folder=self._folder)
                    raise BadFileError(text) from error
            except OSError as error:
                self._note_failure(place, error)

    def _note_failure(self, place: str, error: OSError) -> None:
        if place:
            self._failed.append((place, reason(error)))
            return
        text = tr(
            "The folder {folder} cannot be read ({why}): check its permissions.",
            folder=self._folder,
            why=reason(error),
        )
        raise BadFileError(text) from error

    def _read(self, place: str) -> Job[list[str]]:
        """Read one folder; return the folders in it. Raises OSError."""
        whole = os.path.join(self._folder, place)  # noqa: PTH118 - texts, see the class
        status = os.stat(whole)  # noqa: PTH116
        if (status.st_dev, status.st_ino) in self._seen:
            return []
        self._seen.add((status.st_dev, status.st_ino))
        names: list[str] = []
        strange: list[str] = []
        folders: list[str] = []
        links: list[str] = []
        others: set[str] = set()
        with os.scandir(whole) as entries:
            for number, entry in enumerate(entries, start=1):
                kind = _kind(entry)
                if kind == _PICTURE:
                    names.append(entry.name)
                elif kind == _FOLDER:
                    (links if entry.is_symlink() else folders).append(entry.name)
                elif is_left_out(entry.name):
                    strange.append(entry.name)
                elif entry.name == EXPORT_MARK or entry.name.endswith(PROJECT_SUFFIX):
                    others.add(entry.name)
                if number % _STEP == 0:
                    yield Progress(self.count + len(names), 0, self.message)
        if place and EXPORT_MARK in others:
            self._exports.append(place)
            return []
        self.stamps[whole] = status.st_mtime_ns
        if strange:
            self.left_out += count_left_out(names + strange)
        if names:
            self.names[place] = names
            self.count += len(names)
        if place and PROJECT_FILE_NAME in others:
            self.projects.append(os.path.join(place, PROJECT_FILE_NAME))  # noqa: PTH118
        self._links += [os.path.join(place, name) for name in links]  # noqa: PTH118
        return [os.path.join(place, name) for name in folders if not _holds_refiners(name, others)]  # noqa: PTH118


_OTHER, _PICTURE, _FOLDER = range(3)


def _kind(entry: os.DirEntry[str]) -> int:
    """What an entry of a folder is to a listing. A dead link counts as a picture: its reader reports it."""
    name = entry.name
    if name.startswith("."):
        return _OTHER
    is_named_so = is_picture(name)
    if not entry.is_symlink():
        if entry.is_dir():
            return _OTHER if name in _NOT_OF_THE_USER else _FOLDER
        return _PICTURE if is_named_so and entry.is_file() else _OTHER
    try:
        mode = entry.stat().st_mode
    except OSError:
        return _PICTURE if is_named_so else _OTHER
    if stat.S_ISDIR(mode):
        return _FOLDER
    return _PICTURE if is_named_so and stat.S_ISREG(mode) else _OTHER


def _holds_refiners(name: str, files: Iterable[str]) -> bool:
    """Whether a folder holds what fine-tuning has made for a project beside it."""
    return name.endswith(_REFINERS) and name.removesuffix(_REFINERS) + PROJECT_SUFFIX in files


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _folder_key(place: str) -> tuple[Any, ...]:
    """Sorts a folder before those below it, and those by the numbers in their names."""
    above, _, name = place.rpartition(os.sep)
    return (*_known_key(above), natural_key(name)) if place else ()


@lru_cache(maxsize=4096)
def _known_key(place: str) -> tuple[Any, ...]:
    """`_folder_key` of the folder above many others."""
    return _folder_key(place)
