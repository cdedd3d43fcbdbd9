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
    """One finding where the refiner moves the edges of most boxes by the same pixel to one side."""
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
    moves = {entry.id: moved(entry.accepted, shift, context.images[entry.image_id]) for entry in context.boxes}
    yield AuditFinding(Kind.SHIFTED, 0.85, sentence, moves=moves)


def find_shift(context: AuditContext) -> Shift | None:
    """The common shift of the boxes to one side; None where there is none, or too few boxes.

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
