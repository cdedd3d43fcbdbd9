"""Match the names in annotation files with a project's pictures."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

from core.records import ImageRecord
from core.splits import split_of

_ROLES = frozenset(
    (
        *("images", "image", "imgs", "img", "jpegimages", "labels", "label", "annotations", "annotation", "annots"),
        *("ann", "xml", "json", "txt", "obj_train_data", "obj_valid_data", "obj_test_data", "data", "."),
        *("image_2", "label_2"),
    )
)
"""Folders that name what lies in them, not which pictures; two places that differ only in them are the same."""

_SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
_SUFFIX = re.compile(r"\.[^.]{1,5}\Z")
_HASH = re.compile(r"\A[0-9a-f]{8}-")
_WORDS = re.compile(r"[-_.\s]+")
_QUERY = re.compile(r"[?#].*\Z")
_DRIVE = re.compile(r"\A[a-z]:")


class Miss(Enum):
    """Why a name has no picture."""

    ABSENT = "absent"
    AMBIGUOUS = "ambiguous"


_Score = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Named:
    """What a file has on a picture: its names, the most trusted one first, and the folder of a file of its own.

    `beside` is the folder of a file that has boxes of several pictures, `split` the split that this file's own name or
    folders state; both decide only between pictures of the same names.
    """

    names: tuple[str, ...]
    folder: str = ""
    beside: str = ""
    split: str = ""


@dataclass(frozen=True, slots=True)
class _Place:
    """A picture, or what a name states about one: its folders without those of `_ROLES`, and its name."""

    folders: tuple[str, ...]
    last: str


class PictureMatcher:
    """Finds the project's pictures by the names in annotation files.

    A name is looked up as it is, then without what programs add or lose: case, the form of accents, URL escapes, the
    suffix, and a prefix of eight hex digits. Where several pictures have the name, the folders decide; where they do
    not, the name is ambiguous. A name that several entries of one file share, such as `train/1` and `val/1`, belongs to
    the picture whose folders fit best.
    """

    def __init__(self, images: Sequence[ImageRecord], *, folder: Path) -> None:
        self._folder = folder
        self._exact = {image.path.as_posix(): image for image in images}
        self._places = {image.id: _place(image.path.as_posix()) for image in images}
        self._by_last: dict[str, list[ImageRecord]] = {}
        self._by_stem: dict[str, list[ImageRecord]] = {}
        for image in images:
            last = self._places[image.id].last
            self._by_last.setdefault(last, []).append(image)
            self._by_stem.setdefault(_stem(last), []).append(image)

    def match(self, entries: Sequence[Named]) -> list[ImageRecord | Miss]:
        """The picture of each entry."""
        shared = _shared(name for entry in entries for name in entry.names[1:])
        found = [self._find(entry, shared) for entry in entries]
        answers = [picture for picture, _ in found]
        claims: dict[int, list[int]] = {}
        for row, picture in enumerate(answers):
            if isinstance(picture, ImageRecord):
                claims.setdefault(picture.id, []).append(row)
        for rows in claims.values():
            if len(rows) > 1 and len(_claimants(entries, rows)) > 1:
                best = max(found[row][1] for row in rows)
                first = [row for row in rows if found[row][1] == best]
                is_tie = len(_claimants(entries, first)) > 1
                for row in rows:
                    if is_tie or row not in first:
                        answers[row] = Miss.AMBIGUOUS if row in first else Miss.ABSENT
        return answers

    def _find(self, entry: Named, shared: frozenset[str]) -> tuple[ImageRecord | Miss, _Score]:
        """The picture, and how well its place fits: the larger, the better."""
        first, *others = entry.names
        found, score = self._candidates(first)
        for name in others:
            if len(found) == 1 or _last(name) in shared:
                break
            among, other_score = self._candidates(name)
            both = [image for image in found if image in among] if found else among
            found, score = (both, other_score) if both else (found, score)
        near = 0
        if found and entry.folder:
            folders = _place(f"{entry.folder}/").folders
            tails = [_shared_tail(self._places[image.id].folders, folders) for image in found]
            near = max(tails)
            found = [image for image, tail in zip(found, tails, strict=True) if tail == near]
        if len(found) > 1:
            found = self._nearest(found, entry)
        if len(found) != 1:
            return Miss.AMBIGUOUS if found else Miss.ABSENT, (score, near)
        return found[0], (score, near)

    def _nearest(self, found: list[ImageRecord], entry: Named) -> list[ImageRecord]:
        """Those of several pictures that are below the folder of the file, else those of its split."""
        below = [image for image in found if entry.beside and image.path.as_posix().startswith(f"{entry.beside}/")]
        if below and len(below) < len(found):
            found = below
        if len(found) > 1 and entry.split:
            found = [image for image in found if split_below(image.path, self._folder) == entry.split] or found
        return found

    def _candidates(self, name: str) -> tuple[list[ImageRecord], int]:
        """The pictures that a name may mean, and the number of parts of their paths that it shares with them."""
        name = name.replace("\\", "/")
        if exact := self._exact.get((self._folder / name).as_posix()):
            return [exact], len(exact.path.parts) + 1
        for change in _CHANGES:
            place = _place(change(name))
            for table in (self._by_last, self._by_stem):
                if found := self._best(table.get(place.last, []), place):
                    return found
        place = _place(name)
        return self._best(self._by_stem.get(_stem(place.last), []), place) or ([], 0)

    def _best(self, images: Sequence[ImageRecord], place: _Place) -> tuple[list[ImageRecord], int] | None:
        """Those of `images` whose folders fit best; none whose split is another one."""
        scores: dict[int, list[ImageRecord]] = {}
        for image in images:
            own = self._places[image.id]
            if not _contradict(own.folders, place.folders):
                scores.setdefault(_shared_tail(own.folders, place.folders), []).append(image)
        return (scores[max(scores)], max(scores) + 1) if scores else None


def split_below(path: Path, folder: Path) -> str:
    """The split that the folders of a picture state, without those above `folder`."""
    return split_of(path.relative_to(folder).parent) if path.is_relative_to(folder) else split_of(path.parent.name)


def split_of_file(file: Path, folder: Path) -> str:
    """The split of a file with boxes of several pictures, by its name, as of instances_val2017.json, or its folders."""
    named = {split for word in _WORDS.split(file.stem) if (split := split_of(word))}
    return named.pop() if len(named) == 1 else "" if named else split_below(file, folder)


def without_role_folders(place: str) -> str:
    """A place without folders such as `labels`, which only name what lies in them."""
    return "/".join([part for part in place.split("/")[:-1] if part.casefold() not in _ROLES] + [place.split("/")[-1]])


def _place(name: str) -> _Place:
    folders, _, last = _key(name).rpartition("/")
    return _Place(_folders(folders), last)


@lru_cache(maxsize=1024)  # 100,000 pictures may be in one folder
def _folders(place: str) -> tuple[str, ...]:
    kept = (part for part in place.split("/") if part and part not in _ROLES and not _DRIVE.match(part))
    return tuple(_SPLITS.get(part, part) for part in kept)


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name.replace("\\", "/")).casefold()


def _last(name: str) -> str:
    return _key(name).rsplit("/", 1)[-1]


def _stem(last: str) -> str:
    return _SUFFIX.sub("", last)


def _claimants(entries: Sequence[Named], rows: Iterable[int]) -> set[tuple[str, str]]:
    """The different names and folders among some entries."""
    return {(_key(entries[row].names[0]), entries[row].folder) for row in rows}


def _shared(names: Iterable[str]) -> frozenset[str]:
    """The names that several label files state: they do not identify a picture."""
    return frozenset(last for last, count in Counter(map(_last, names)).items() if count > 1)


def _shared_tail(own: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for mine, theirs in zip(reversed(own), reversed(other), strict=False):
        if mine != theirs:
            break
        count += 1
    return count


def _contradict(own: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two places are in different splits, such as `train` and `val`."""
    mine, theirs = (_SPLITS.get(folders[-1], "") if folders else "" for folders in (own, other))
    return bool(mine and theirs and mine != theirs)


def _from_query(name: str) -> str:
    """The path in an address such as `/data/local-files/?d=photos/a.jpg` or `https://host/a.jpg?signature`."""
    path = name.rsplit("?d=", 1)[-1]
    return unquote(_QUERY.sub("", path) if "://" in path else path)


_CHANGES: tuple[Callable[[str], str], ...] = (
    lambda name: name,
    _from_query,
    lambda name: "/".join([*name.split("/")[:-1], _HASH.sub("", _from_query(name).split("/")[-1])]),
)
