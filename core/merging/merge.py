"""Merge projects: pictures by their content, categories by name, boxes by their overlap, conflicts into the review."""

from __future__ import annotations

import os
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from core.audit.comparing import Comparison, Tally
from core.errors import BadInputError, StorageError, reason
from core.files import sync_folder
from core.merging.deciding import LEAST_IOU, SAME_IOU, Rules, decide
from core.merging.pictures import Project, SamePictures, same_pictures
from core.progress import Job, Progress
from core.records import Changes
from core.store.merging import Merging
from core.store.private_copy import make_private_copy, private_copy
from core.store.project_file import project_name
from core.store.project_store import ProjectStore, project_path_for
from core.translation import tr

_AT_ONCE = 100
_SUFFIXES = ("", "-wal", "-shm", "-journal")


@dataclass(frozen=True)
class How:
    """How boxes count as one object (`least_iou`) and as equal (`same_iou`), and other names for categories."""

    least_iou: float = LEAST_IOU
    same_iou: float = SAME_IOU
    renamed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Merged:
    """What has come of the project `name`, and how it agrees with what was there: `before` names that.

    `shared` and `new` are numbers of pictures, `by_name` of those that were paired by name because a file is missing.
    `boxes` is the number of boxes of the other project, and `counts` has what became of those that both could have:
    `identical` and `newer` versions of one stored box, `equal` boxes, boxes of only one side, `conflicts_...`.
    """

    name: str
    before: str
    shared: int
    new: int
    by_name: int
    boxes: int
    categories: tuple[str, ...]
    counts: Mapping[str, int]
    agreement: Comparison
    changes: Changes = field(default_factory=Changes)

    @property
    def conflicts(self) -> int:
        return sum(count for kind, count in self.counts.items() if kind.startswith("conflicts"))


def merge_projects(paths: Sequence[Path], out: Path, *, how: How) -> Job[list[Merged]]:
    """Merge projects, or those in folders, into the new project `out`; the first one comes first in everything.

    None of them changes. Raises BadFileError and StorageError as `private_copy`, BadInputError if one is named twice,
    and StorageError if `out` exists or cannot be written.
    """
    files = [project_path_for(path) if path.is_dir() else path for path in paths]
    _refuse_twice(files)
    if os.path.lexists(out):
        raise StorageError(tr("{path} exists already: choose another name.", path=out))
    making = out.with_name(f".{out.name[:100]}-{secrets.token_hex(4)}.partial")
    names = names_of(files)
    merged = []
    try:
        with ExitStack() as stack:
            with private_copy(files[0]) as first:
                first.copy_to(making)
            store = stack.enter_context(closing(ProjectStore.open(making)))
            _rename(store, how.renamed)
            folders = [file.absolute().parent for file in files]
            for count in range(1, len(files)):
                with private_copy(files[count]) as source:
                    here = Project(store.images(), folders[:count])
                    same = yield from same_pictures(here, Project(source.images(), [folders[count]]))
                    ours = " + ".join(names[:count])
                    job = merge_into(store, source, same, ours=ours, theirs=names[count], how=how, is_own_file=True)
                    merged.append((yield from job))
        making.rename(out)
        sync_folder(out.parent)
    except OSError as error:
        raise StorageError(
            tr("The project {path} cannot be written ({why}): choose another place.", path=out, why=reason(error))
        ) from error
    finally:
        for suffix in _SUFFIXES:
            with suppress(OSError):
                making.with_name(making.name + suffix).unlink(missing_ok=True)
    return merged


def merge_into(
    store: ProjectStore,
    source: ProjectStore,
    same: SamePictures,
    *,
    ours: str,
    theirs: str,
    how: How,
    is_own_file: bool = False,
) -> Job[Merged]:
    """Merge a private copy of a project into an open one, whose images `same` names; see `Merging`.

    Closing the job takes back what is stored. Between its steps, the window may do other writes.
    """
    merging = Merging(store, source, name=theirs, is_own_file=is_own_file)
    is_complete = False
    try:
        added = merging.prepare(same.ours, renamed=how.renamed)
        boxes = sum(source.counts().values())
        if is_own_file:
            for done in merging.bring_all():
                yield Progress(done, boxes, tr("Merging {name}", name=theirs))
        rules = Rules(merging.category_names, ours, theirs, merging.known, how.least_iou, how.same_iou)
        tally, counts = yield from _decide_all(merging, same, rules, is_own_file=is_own_file)
        changes = merging.complete()
        is_complete = True
    finally:
        if not is_complete:
            merging.abandon()
    agreement = tally.comparison(merging.category_names.values())
    new = len(merging.ids.new_images)
    return Merged(
        theirs, ours, len(same.ours), new, same.by_name, boxes, tuple(added), dict(counts), agreement, changes
    )


@dataclass(frozen=True)
class Candidate:
    """A private copy of the project `name`, and which pictures of an open project are in it, too."""

    name: str
    copy: Path
    same: SamePictures


def prepare_candidate(project: Path, folder: Path, *, here: Project) -> Job[Candidate]:
    """Copy a project into the empty `folder`, and compare its pictures with those of an open one.

    Raises BadFileError and StorageError as `make_private_copy`.
    """
    copy = make_private_copy(project, folder)
    with closing(ProjectStore.open(copy)) as source:
        images = source.images()
    file = project_path_for(project) if project.is_dir() else project
    same = yield from same_pictures(here, Project(images, [file.absolute().parent]))
    return Candidate(project_name(file), copy, same)


def merge_candidate(store: ProjectStore, candidate: Candidate, *, ours: str, how: How) -> Job[Merged]:
    """`merge_into` of a prepared copy; the thread of the store may be another one than that which prepared it."""
    with closing(ProjectStore.open(candidate.copy)) as source:
        return (yield from merge_into(store, source, candidate.same, ours=ours, theirs=candidate.name, how=how))


def _decide_all(
    merging: Merging, same: SamePictures, rules: Rules, *, is_own_file: bool
) -> Job[tuple[Tally, Counter[str]]]:
    tally, counts = Tally(rules.least_iou), Counter[str]()
    shared = sorted(same.ours)
    names = {image.id: image.path.name for image in merging.store.images()}
    others = [] if is_own_file else sorted(old for old in merging.ids.images if old not in same.ours)
    total, message = len(shared) + len(others), tr("Merging {name}", name=rules.theirs)
    for start in range(0, len(shared), _AT_ONCE):
        decided = []
        for picture in merging.read(shared[start : start + _AT_ONCE]):
            outcome = decide(picture, rules)
            tally.add(names.get(picture.image_id, ""), outcome.ours, outcome.theirs)
            counts.update(outcome.counts)
            decided.append((picture, outcome.decision))
        merging.write(decided)
        yield Progress(start, total, message)
    for start in range(0, len(others), _AT_ONCE):
        merging.bring(others[start : start + _AT_ONCE])
        yield Progress(len(shared) + start, total, message)
    return tally, counts


def names_of(files: Iterable[Path]) -> list[str]:
    """What projects are called in comments and reports: their names, with a number where two have one name."""
    seen = Counter[str]()
    found = []
    for file in files:
        name = project_name(file)
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return found


def _rename(store: ProjectStore, renamed: Mapping[str, str]) -> None:
    """Give categories of the first project their other names; two of one name become one."""
    for old, new in renamed.items():
        ids = {category.name: category.id for category in store.categories()}
        if old not in ids or old == new:
            continue
        if new in ids:
            store.merge_category(ids[old], into=ids[new])
        else:
            store.rename_category(ids[old], new)


def _refuse_twice(files: Sequence[Path]) -> None:
    places = Counter(os.path.realpath(file) for file in files)
    for file in files:
        if places[os.path.realpath(file)] > 1:
            raise BadInputError(tr("{path} is named twice: name each project once.", path=file))
