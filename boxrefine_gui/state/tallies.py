"""Tallies: the counts of all images, which the store lane reads in parts."""

from __future__ import annotations

import bisect
import time
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from core.listing import traits_of
from core.marks import Mark
from core.progress import Job, Progress, run
from core.translation import tr

if TYPE_CHECKING:
    from core.store.project_store import ProjectStore

T = TypeVar("T")

PART_S = 0.03
"""Wanted time of a part, in seconds."""

_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
"""The lowest and the highest id that a row of SQLite can have."""

_AT_ONCE = 200
"""Images of the first part."""

_MOST_IN_A_PART = 5000
_MOST_READ_AGAIN = 50
"""Parts that are read again one by one; after that, those that still change are read in one step."""


@dataclass(frozen=True)
class Tallies:
    """Counts by image id: all stored boxes, those to check, never accepted, accepted with doubt, and drawn boxes.

    Images with a count of 0 are missing. `marks` are those of all images that have one, `traits` those of
    `core.listing`, without doubts, which are read later; `done` and `touched` (done, or with boxes) follow from them.
    `categories` are numbers of boxes by category id, `to_fix` those of boxes marked to fix by image id.
    """

    boxes: Mapping[int, int]
    to_check: Mapping[int, int]
    unaccepted: Mapping[int, int]
    doubtful: Mapping[int, int]
    drawn: Mapping[int, int]
    marks: Mapping[int, Mark] = field(default_factory=dict)
    traits: Mapping[int, int] = field(default_factory=dict)
    done: Set[int] = frozenset()
    touched: Set[int] = frozenset()
    categories: Mapping[int, int] = field(default_factory=dict)
    to_fix: Mapping[int, int] = field(default_factory=dict)


def read_tallies(project: ProjectStore) -> Tallies:
    """Store lane: the counts of all images, at once."""
    return run(tally_steps(project))


def tally_steps(project: ProjectStore) -> Job[Tallies]:
    """Store lane: the same as a job; the result has all that was written between its steps, too."""
    step = Progress(0, 0, tr("Reading {name}", name=project.path.name))
    with project.written_images() as written:
        bounds = [_LOWEST]
        parts: list[Tallies] = []
        end, count = project.last_image_id(), _AT_ONCE
        while bounds[-1] <= end or not parts:
            begun = time.monotonic()
            first = bounds[-1]
            last = max(first, 0) + count
            parts.append(_part(project, first, last if last <= end else _HIGHEST))
            bounds.append(last + 1)
            taken = max(time.monotonic() - begun, 1e-4)
            count = min(max(int(count * min(PART_S / taken, 2)), _AT_ONCE), _MOST_IN_A_PART)
            yield step
        left, again = _parts_of(written.take(), bounds), 0
        while left:
            some = {min(left)} if again < _MOST_READ_AGAIN else set(left)  # else they might change for ever
            for number in some:
                parts[number] = _part(project, bounds[number], _last_of(number, bounds))
            left, again = left - some, again + 1
            if left:
                yield step
                left |= _parts_of(written.take(), bounds)
        return _joined(parts)


def _last_of(number: int, bounds: Sequence[int]) -> int:
    """The highest id of an image of a part; the last one has all that follow."""
    return bounds[number + 1] - 1 if number + 2 < len(bounds) else _HIGHEST


def _parts_of(image_ids: Sequence[int], bounds: Sequence[int]) -> set[int]:
    return {min(bisect.bisect_right(bounds, id) - 1, len(bounds) - 2) for id in image_ids}


def _part(project: ProjectStore, first: int, last: int) -> Tallies:
    found = project.counted(first, last)
    traits = {
        id: traits_of(
            boxes=found.boxes.get(id, 0),
            to_check=found.to_check.get(id, 0),
            drawn=found.drawn.get(id, 0),
            doubt=None,
            mark=found.marks.get(id),
        )
        for id in found.boxes.keys() | found.drawn.keys() | found.marks.keys()
    }
    return Tallies(
        found.boxes,
        found.to_check,
        found.unaccepted,
        found.doubtful,
        found.drawn,
        found.marks,
        traits,
        {id for id, mark in found.marks.items() if mark.done},
        {id for id, trait in traits.items() if trait & 17},
        found.categories,
        found.to_fix,
    )


def _joined(parts: Sequence[Tallies]) -> Tallies:
    categories: Counter[int] = Counter()
    for part in parts:
        categories.update(part.categories)
    return Tallies(
        _union([part.boxes for part in parts]),
        _union([part.to_check for part in parts]),
        _union([part.unaccepted for part in parts]),
        _union([part.doubtful for part in parts]),
        _union([part.drawn for part in parts]),
        _union([part.marks for part in parts]),
        _union([part.traits for part in parts]),
        set().union(*(part.done for part in parts)),
        set().union(*(part.touched for part in parts)),
        dict(categories),
        _union([part.to_fix for part in parts]),
    )


def _union(found: Sequence[Mapping[int, T]]) -> dict[int, T]:
    whole: dict[int, T] = {}
    for part in found:
        whole.update(part)
    return whole
