"""The pictures that two projects have in common: of one path, of equal bytes, or, if files are missing, of one name."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import xxhash

from core.bounded import open_regular
from core.progress import Job, Progress
from core.records import ImageRecord
from core.translation import tr

_STEP = 200
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Project:
    """The images of a project, and the folders that their names are relative to: several after a merge."""

    images: Sequence[ImageRecord]
    folders: Sequence[Path]

    def name_of(self, image: ImageRecord) -> str:
        """The path below the first folder that holds it, with `/`; else the whole path."""
        for folder in self.folders:
            if image.path.is_relative_to(folder):
                return image.path.relative_to(folder).as_posix()
        return image.path.as_posix()


@dataclass
class SamePictures:
    """Our image id by theirs; `read` is the number of files whose bytes were read, `by_name` of pairs by name alone."""

    ours: dict[int, int] = field(default_factory=dict)
    read: int = 0
    by_name: int = 0


def same_pictures(ours: Project, theirs: Project) -> Job[SamePictures]:
    """Pair pictures one to one. Bytes are read only of files that have a size in common with an unpaired one.

    Where a file is missing, the name and the size of the picture decide.
    """
    found = SamePictures()
    left = _pair(found, ours.images, theirs.images, *(_by_path(each.images) for each in (ours, theirs)))
    names = [{image.id: each.name_of(image) for image in each.images} for each in (ours, theirs)]
    sizes = yield from _sizes(left)
    digests = yield from _digests(left, sizes, found)
    nameless: list[dict[int, str]] = [{}, {}]
    for more in (names, _last_parts(names), nameless):  # of copies of one picture, those with the same name
        keys = [
            {id: (digest, more[side].get(id)) for id, digest in digests[side].items()}
            for side in (0, 1)
        ]  # fmt: skip
        left = _pair(found, *left, *keys, several=more is nameless)
    missing = [
        {image.id: (names[side][image.id], image.width, image.height) for image in left[side]}
        for side in (0, 1)
    ]  # fmt: skip
    gone = [{image.id for image in left[side] if image.id not in sizes[side]} for side in (0, 1)]
    before = len(found.ours)
    pairs = {**found.ours}
    _pair(found, *left, *missing)
    for id, our in list(found.ours.items()):
        if id not in pairs and id not in gone[1] and our not in gone[0]:
            del found.ours[id]  # both are there, and differ
    found.by_name = len(found.ours) - before
    return found


Left = tuple[Sequence[ImageRecord], Sequence[ImageRecord]]
Keys = Mapping[int, Hashable]


def _pair(
    found: SamePictures,
    ours: Sequence[ImageRecord],
    theirs: Sequence[ImageRecord],
    our_keys: Keys,
    their_keys: Keys,
    *,
    several: bool = False,
) -> Left:
    """Pair images of one key, and return those that are left; `several`: of equal ones, in the order of ids."""
    held: dict[Hashable, list[int]] = {}
    for image in ours:
        if image.id in our_keys:
            held.setdefault(our_keys[image.id], []).append(image.id)
    wanted: dict[Hashable, list[int]] = {}
    for image in theirs:
        if image.id in their_keys:
            wanted.setdefault(their_keys[image.id], []).append(image.id)
    taken = set()
    for key, ids in wanted.items():
        there = held.get(key, [])
        if several or len(ids) == len(there) == 1:
            for id, our in zip(ids, there, strict=False):
                found.ours[id] = our
                taken.add(our)
    return (
        [image for image in ours if image.id not in taken],
        [image for image in theirs if image.id not in found.ours],
    )


def _by_path(images: Iterable[ImageRecord]) -> Keys:
    return {image.id: os.path.normpath(image.path) for image in images}


def _last_parts(names: Sequence[Mapping[int, str]]) -> list[dict[int, str]]:
    return [{id: name.rpartition("/")[2].casefold() for id, name in each.items()} for each in names]


def _sizes(left: Left) -> Job[tuple[dict[int, int], dict[int, int]]]:
    """Bytes of the files that are there, by id."""
    found: tuple[dict[int, int], dict[int, int]] = ({}, {})
    total, done = len(left[0]) + len(left[1]), 0
    if not left[0] or not left[1]:
        return found
    for side in (0, 1):
        for image in left[side]:
            if done % (_STEP * 10) == 0:
                yield Progress(done, total, tr("Comparing pictures"))
            done += 1
            try:
                found[side][image.id] = image.path.stat().st_size
            except (OSError, ValueError):
                continue
    return found


def _digests(
    left: Left, sizes: tuple[Mapping[int, int], Mapping[int, int]], found: SamePictures
) -> Job[tuple[dict[int, str], dict[int, str]]]:
    """Hashes of the bytes of files, by id, for those whose size a file of the other project has."""
    common = set(sizes[0].values()) & set(sizes[1].values())
    wanted = [
        (side, image) for side in (0, 1) for image in left[side] if sizes[side].get(image.id) in common
    ]  # fmt: skip
    digests: tuple[dict[int, str], dict[int, str]] = ({}, {})
    for done, (side, image) in enumerate(wanted):
        if done % _STEP == 0:
            yield Progress(done, len(wanted), tr("Comparing pictures"))
        found.read += 1
        try:
            digests[side][image.id] = digest_of(image.path)
        except (OSError, ValueError):  # it may be gone by now, or may not be read
            continue
    return digests


def digest_of(path: Path) -> str:
    """The hash of the bytes of a file, 32 hex digits. Raises OSError."""
    whole = xxhash.xxh3_128()
    with open_regular(path) as file:
        while part := file.read(_CHUNK):
            whole.update(part)
    return whole.hexdigest()
