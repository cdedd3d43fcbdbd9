"""All boxes of a dataset off by a pixel to one side, as after reading Pascal VOC with the wrong first pixel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.audit.context import AuditContext
from core.audit.finding import AuditFinding, Kind
from core.geometry import Box, as_boxes
from core.records import ImageRecord
from core.translation import tr

LEAST_BOXES = 40
"""With fewer sure boxes, chance may move all of them alike."""

_SURE = 0.7
_LEAST, _MOST = 0.6, 2.8
LEAST_AT_BORDER = 10
"""So many boxes have to begin at the second pixel of a row, or of a column, and none at the first one."""

_ERRORS = 3.0
"""So many standard errors the shift has to be from none."""


@dataclass(frozen=True)
class Shift:
    """How far the edges of all boxes are off to the left and top, in whole pixels; negative: to the right and bottom.

    `low` is of the left and top edges, `high` of the right and bottom ones.
    """

    low: int
    high: int
    boxes: int


def check_shifted(context: AuditContext) -> Iterator[AuditFinding]:
    """One finding where all boxes are off by the same pixel: by where they begin, or else by the refiner."""
    count = starts_at_second(context)
    if count:
        sentence = tr(
            "{count} boxes begin exactly at the second pixel, and none at the first one: the first pixel of their file "
            "may have been taken for 0 instead of 1.",
            count=count,
        )
        yield _finding(context, Shift(-1, 0, count), sentence)
        return
    shift = find_shift(context)
    if shift is None:
        return
    if shift.low > 0:
        sentence = tr(
            "The boxes start about a pixel too far to the left and top, by {count} boxes of which the refiner is sure: "
            "the first pixel of their file may have been taken for 1 instead of 0.",
            count=shift.boxes,
        )
    else:
        sentence = tr(
            "The boxes start about a pixel too far to the right and bottom, by {count} boxes of which the refiner is "
            "sure: the first pixel of their file may have been taken for 0 instead of 1.",
            count=shift.boxes,
        )
    yield _finding(context, shift, sentence)


def _finding(context: AuditContext, shift: Shift, sentence: str) -> AuditFinding:
    moves = {entry.id: moved(entry.accepted, shift, context.images[entry.image_id]) for entry in context.boxes}
    return AuditFinding(Kind.SHIFTED, 0.85, sentence, moves=moves)


def starts_at_second(context: AuditContext) -> int:
    """How many boxes begin exactly at 1 across or down; 0 if one begins before it, or if they are too few.

    Objects that the border cuts begin at 0, so a set without any such box, but with many at 1, was counted from 1.
    """
    starts = np.array([entry.accepted[:2] for entry in context.boxes], np.float64).reshape(-1, 2)
    at_second = (starts == 1).sum(axis=0)
    is_clear = at_second.min() >= LEAST_AT_BORDER and bool((starts >= 1).all())
    return int((starts == 1).any(axis=1).sum()) if is_clear else 0


def find_shift(context: AuditContext) -> Shift | None:
    """The common shift of the boxes to one side; None where there is none, or too few boxes to know.

    A refiner that leaves more or less room than the labeller moves opposite edges apart, which cancels out in the sum
    of their moves; a shift adds up.
    """
    rows = [(entry.accepted, answer) for entry in context.boxes if (answer := context.answers.get(entry.id))]
    kept = [(box, answer) for box, answer in rows if min(answer.edge_confidence) >= _SURE]
    if len(kept) < LEAST_BOXES:
        return None
    moves = as_boxes([answer.box for _, answer in kept]) - as_boxes([box for box, _ in kept])
    across, down = moves[:, 0] + moves[:, 2], moves[:, 1] + moves[:, 3]
    middles, errors = zip(*(_middle(values) for values in (across, down)), strict=True)
    if np.sign(middles[0]) != np.sign(middles[1]):
        return None
    if any(not _LEAST <= abs(m) <= _MOST or abs(m) < _ERRORS * e for m, e in zip(middles, errors, strict=True)):
        return None
    side = 1 if middles[0] > 0 else -1
    return Shift(side, side if abs(sum(middles)) / 2 > 1.5 else 0, len(kept))


def moved(box: Box, shift: Shift, image: ImageRecord) -> Box:
    """A box without the shift, within the picture and at least a pixel wide and high."""
    x2, y2 = min(box.x2 + shift.high, image.width), min(box.y2 + shift.high, image.height)
    return Box(max(min(box.x1 + shift.low, x2 - 1), 0), max(min(box.y1 + shift.low, y2 - 1), 0), x2, y2)


def _middle(values: NDArray[np.float64]) -> tuple[float, float]:
    """The median of values (N,), and its standard error by their median deviation."""
    middle = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(values - middle)))
    return middle, 1.2533 * spread / np.sqrt(len(values))
