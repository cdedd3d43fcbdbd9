"""Shares of a project for several people: each a project of its own, and a merge gives the whole back."""

from __future__ import annotations

import os
import random
import secrets
import shutil
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from core.errors import BadInputError, StorageError, reason
from core.files import EXPORT_MARK, PROJECT_FILE_NAME, sync_folder
from core.formats.choices import NONE
from core.formats.exporters.layout import picture_names
from core.formats.pictures import Placing
from core.formats.splitting import groups
from core.progress import Job, Progress
from core.records import Dataset, ImageRecord
from core.store.dividing import keep_only
from core.store.private_copy import private_copy
from core.store.project_store import ProjectStore
from core.translation import tr

_STEP = 100


@dataclass(frozen=True)
class Plan:
    """Who gets which images: ids by name, of which `twice` are those that another person has, too."""

    shares: Mapping[str, frozenset[int]]
    twice: frozenset[int]


@dataclass(frozen=True)
class Share:
    """A share that was made: its project file, its number of pictures, and how many of them another one has, too."""

    name: str
    path: Path
    pictures: int
    twice: int


def plan(names: Mapping[int, str], people: Sequence[str], *, overlap: float = 0.0, seed: int = 0) -> Plan:
    """Divide images, given by the names of their pictures, among people; the same seed gives the same shares.

    A folder with less than half a share stays together, and so do the frames of a video, see
    `core.formats.splitting.groups`. Of each share, the fraction `overlap` also goes to the next person, in runs of
    following frames, so that two people label it.
    """
    chooser = random.Random(seed)  # noqa: S311 - no secret
    units = _units(names, len(people))
    chooser.shuffle(units)
    units.sort(key=len, reverse=True)
    own: list[list[int]] = [[] for _ in people]
    for unit in units:
        min(own, key=len).extend(unit)
    shares = [set(each) for each in own]
    twice = set()
    for place, ids in enumerate(own):
        runs = groups({id: names[id] for id in sorted(ids)}, least=overlap) if overlap and ids else []
        chooser.shuffle(runs)
        wanted, given = round(overlap * len(ids)), 0
        for run in runs:
            taken = run[: wanted - given]
            shares[(place + 1) % len(people)].update(taken)
            twice.update(taken)
            given += len(taken)
    return Plan({name: frozenset(ids) for name, ids in zip(people, shares, strict=True)}, frozenset(twice))


def make_shares(
    project: Path, people: Sequence[str], out: Path, *, overlap: float = 0.0, seed: int = 0, pictures: str = NONE
) -> Job[list[Share]]:
    """Make a project for each person in a folder of its name below `out`; `pictures` is one of `PICTURES`.

    The project itself does not change. Raises BadInputError for names that no folder can have, StorageError if a folder
    exists or cannot be written, and errors as `private_copy`; then no share is left half-made.
    """
    check_people(people, out)
    with private_copy(project) as store:
        return (yield from _make_all(store, people, out, project, overlap=overlap, seed=seed, pictures=pictures))


def share_copy(
    copy: Path, project: Path, people: Sequence[str], out: Path, *, overlap: float = 0.0, pictures: str = NONE
) -> Job[list[Share]]:
    """`make_shares` of a project that is open, from a copy of it; `project` is its own path, for sentences."""
    check_people(people, out)
    with closing(ProjectStore.open(copy)) as store:
        return (yield from _make_all(store, people, out, project, overlap=overlap, seed=0, pictures=pictures))


def _make_all(
    store: ProjectStore, people: Sequence[str], out: Path, project: Path, *, overlap: float, seed: int, pictures: str
) -> Job[list[Share]]:
    images = store.images()
    names = picture_names(Dataset(tuple(images), (), (), None))
    if len(images) < len(people):
        raise BadInputError(
            tr(
                "The project {path} has {count} pictures, fewer than there are people: name fewer.",
                path=project,
                count=len(images),
            )
        )
    planned = plan(names, people, overlap=overlap, seed=seed)
    made = []
    for name, ids in planned.shares.items():
        kept = [image for image in images if image.id in ids]
        path = yield from _make(store, kept, out / name, names=names, pictures=pictures)
        made.append(Share(name, path, len(kept), len(ids & planned.twice)))
    return made


def people_in(text: str) -> list[str]:
    """The names in a text: those of people, separated by commas, or share-1, share-2 ... if it is a number.

    Raises BadInputError if no folders can have these names.
    """
    text = text.strip()
    count = int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else 0
    people = [f"share-{number}" for number in range(1, count + 1)] or [name.strip() for name in text.split(",")]
    _check(people)
    return people


def check_people(people: Sequence[str], out: Path) -> None:
    """Raise BadInputError for names that no folder can have, and StorageError if a folder below `out` exists."""
    _check(people)
    for name in people:
        if os.path.lexists(out / name):
            raise StorageError(tr("{path} exists already: choose another name.", path=out / name))


def _units(names: Mapping[int, str], people: int) -> list[list[int]]:
    """Images that stay together: small folders as a whole, large ones by the frames of their videos."""
    folders: dict[str, dict[int, str]] = defaultdict(dict)
    for id, name in names.items():
        folders[name.rpartition("/")[0]][id] = name
    most = len(names) / people / 2
    large: dict[int, str] = {}
    found = []
    for held in folders.values():
        if len(held) < most and len(folders) > 1:
            found.append(list(held))
        else:
            large |= held
    return [*found, *groups(large, least=len(names) / people / max(1, len(large)))] if large else found


def _make(
    store: ProjectStore, images: Sequence[ImageRecord], folder: Path, *, names: Mapping[int, str], pictures: str
) -> Job[Path]:
    """Make one share under a temporary name, and rename it."""
    making = folder.with_name(f".{folder.name[:100]}-{secrets.token_hex(4)}.partial")
    try:
        making.mkdir(parents=True)
        places = yield from _put_pictures(images, making, names=names, pictures=pictures)
        store.copy_to(making / PROJECT_FILE_NAME)
        with closing(ProjectStore.open(making / PROJECT_FILE_NAME)) as share:
            keep_only(share, _ids(images), places=places)
        making.rename(folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise StorageError(
            tr("The share {path} cannot be written ({why}): choose another place.", path=folder, why=reason(error))
        ) from error
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return folder / PROJECT_FILE_NAME


def _put_pictures(
    images: Sequence[ImageRecord], folder: Path, *, names: Mapping[int, str], pictures: str
) -> Job[dict[int, Path]]:
    """Copy or link the pictures into a share; return where they lie now."""
    yield Progress(0, len(images), tr("Making the share {name}", name=folder.name[1:].rpartition("-")[0]))
    if pictures == NONE:
        return {}
    placing, places = Placing(pictures), {}
    (folder / EXPORT_MARK).touch()  # a folder above does not list the pictures once more
    for done, image in enumerate(images):
        name = names[image.id].lstrip("/")
        place = folder / PurePosixPath(name)
        place.parent.mkdir(parents=True, exist_ok=True)
        put = placing.file(image, PurePosixPath(name)).put
        if put is not None:
            put(place)
        places[image.id] = place
        if done % _STEP == 0:
            yield Progress(done, len(images), tr("Making the share {name}", name=folder.name[1:].rpartition("-")[0]))
    if placing.sentence:
        yield Progress(len(images), len(images), note=placing.sentence)
    return places


def _ids(images: Sequence[ImageRecord]) -> Collection[int]:
    return {image.id for image in images}


def _check(people: Sequence[str]) -> None:
    """Raise BadInputError if a name is no name of a folder, or is there twice."""
    if len(people) < 2:
        raise BadInputError(tr("A project is shared among two people or more: give a larger number."))
    for name in people:
        if not name or name.startswith(".") or any(sign in name for sign in '/\\:*?"<>|') or not name.isprintable():
            raise BadInputError(tr("“{name}” is no name of a folder: choose another one.", name=name))
    if len({name.casefold() for name in people}) < len(people):
        raise BadInputError(tr("A name is there twice: give each person another one."))
