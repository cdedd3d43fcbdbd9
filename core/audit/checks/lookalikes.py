"""Boxes that look like those of another category, by the features of their pictures: labels that were mixed up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.audit.checks.categories import LEAST_BOXES
from core.audit.context import AuditContext, short_name
from core.audit.finding import AuditFinding, Kind
from core.records import Correction
from core.translation import tr

NEAREST = 10
"""Boxes that vote on a box: those that look most like it, on other pictures."""

LEAST_VOTES = 8
"""Votes for one other category, so that a box counts as one of it."""

LEAST_LEAD = 0.1
"""Least lead of that category over the box's own in the mean cosine of the nearest boxes of each."""

_ROWS = 256
_NOT_COMPARED = -2.0


class _Vote(NamedTuple):
    """The category that a box looks like, 0 for its own, and the votes for the nearest other one."""

    category_id: int
    votes: int


def check_lookalikes(context: AuditContext) -> Iterator[AuditFinding]:
    """Boxes whose look is far closer to boxes of another category than to those of their own.

    Only categories of LEAST_BOXES boxes or more take part. The repair gives the box the other category.
    """
    boxes = [entry for entry in context.boxes if entry.id in context.appearances]
    counts = Counter(entry.category_id for entry in boxes)
    boxes = [entry for entry in boxes if counts[entry.category_id] >= LEAST_BOXES]
    if len({entry.category_id for entry in boxes}) < 2:
        return
    boxes.sort(key=lambda entry: (entry.category_id, entry.id))
    names = {category.id: category.name for category in context.dataset.categories}
    for entry, vote in zip(boxes, _votes(context, boxes), strict=True):
        if not vote.category_id or vote.category_id not in names:
            continue
        sentence = tr(
            "This box of “{category}” looks like one of “{other}”: so are {votes} of the {count} boxes most like it.",
            category=context.category_of(entry),
            other=short_name(names[vote.category_id]),
            votes=vote.votes,
            count=NEAREST,
        )
        found = context.of_box(Kind.LOOKALIKE, 0.65 * vote.votes / NEAREST, sentence, entry)
        yield replace(found, relabels={entry.id: (entry.category_id, vote.category_id)})


def _votes(context: AuditContext, boxes: Sequence[Correction]) -> Iterator[_Vote]:
    """The votes on boxes, which are in the order of their categories."""
    looks = _of_one_scale(np.stack([context.appearances[entry.id] for entry in boxes]))
    pictures = np.array([entry.image_id for entry in boxes])
    ids, starts = np.unique([entry.category_id for entry in boxes], return_index=True)
    ends = [*starts[1:].tolist(), len(boxes)]
    owners = np.repeat(np.arange(len(ids)), np.diff([*starts.tolist(), len(boxes)]))
    for first in range(0, len(boxes), _ROWS):
        rows = slice(first, min(first + _ROWS, len(boxes)))
        likeness = looks[rows] @ looks.T
        likeness[pictures[rows, None] == pictures[None]] = _NOT_COMPARED
        best = np.stack([_nearest(likeness[:, a:b]) for a, b in zip(starts.tolist(), ends, strict=True)], axis=1)
        nearest = np.argpartition(likeness, -NEAREST, axis=1)[:, -NEAREST:]
        for row, own in enumerate(owners[rows].tolist()):
            others = np.nan_to_num(best[row], nan=-np.inf)
            others[own] = -np.inf
            other = int(others.argmax())
            votes = int((owners[nearest[row]] == other).sum())
            lead = others[other] - best[row, own]
            yield _Vote(int(ids[other]) if votes >= LEAST_VOTES and lead >= LEAST_LEAD else 0, votes)


def _nearest(likeness: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean cosine (N,) of the nearest boxes of a category; NaN stands where too few are on other pictures."""
    top = np.partition(likeness, -NEAREST, axis=1)[:, -NEAREST:]
    means: NDArray[np.float32] = np.where(top.min(axis=1) > _NOT_COMPARED / 2, top.mean(axis=1), np.nan)
    return means


def _of_one_scale(looks: NDArray[np.float16]) -> NDArray[np.float32]:
    """Rows (N, D) of length 1, of which each number varies as much as the others over all rows."""
    values = looks.astype(np.float32)
    values -= values.mean(axis=0)
    values /= values.std(axis=0) + 1e-6
    found: NDArray[np.float32] = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-9)
    return found
