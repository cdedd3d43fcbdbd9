"""Guess how boxes were drawn, from how far a refiner would move all of them together.

One box does not show it: an answer that is 5 % away may correct a coarse box, or spoil a right one whose labeller
leaves more room. Many boxes of one source do: tight ones hardly move, and right ones with another convention all move
alike. So the moves count from what they have in common, and few boxes count as loosely drawn ones. The bounds were
chosen with the moves on the six test sets and on 24 sets of the training pool, see
`resources/docs/experiments/refiner.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from core.geometry import Boxes, as_boxes
from core.progress import Job
from core.records import Drawing, HowDrawn, Refinement

TIGHT, LOOSE = 0.05, 0.09
"""Boxes that move by less than the first fraction of their sides are moved only if they are clearly off; boxes that
move by the second one or more are moved as a lone box is; between, in proportion."""

GUESSED_OFF = 0.12
"""`HowDrawn.clearly_off` of tight boxes: less than a user's own word for it, since the guess may be wrong."""

PLACED_FROM = 0.9
"""From this part of the way from LOOSE to TIGHT on, the refiner takes boxes as placed."""

WIDE = 0.12
"""Boxes that move by less than this fraction, and are not placed, are taken as drags; wider ones may be anything."""

COMMON_FROM = 8
"""What moves have in common counts half from so many boxes; it would explain few boxes by themselves."""

LEAST_BOXES = 4
"""From fewer boxes nothing is guessed."""

CHANCE = 1.4
"""The typical move counts exp(CHANCE / sqrt(boxes)) times as large: chance may have made it so small."""

ENOUGH_BOXES, MOST_PICTURES = 64, 32
"""So many boxes, or pictures, of a source are looked at."""

Source = TypeVar("Source")


@dataclass
class Moves:
    """How far a refiner, as for UNKNOWN, would move the boxes of one source, as far as they were looked at."""

    _rows: list[Boxes] = field(default_factory=list)

    def add(self, drawn: ArrayLike, answers: Sequence[Refinement]) -> None:
        """Add N drawn boxes and the answers to them."""
        boxes = as_boxes(drawn)
        side = np.maximum(np.tile(boxes[:, 2:] - boxes[:, :2], 2), 1.0)
        self._rows.append((as_boxes([answer.box for answer in answers]) - boxes) / side)

    @property
    def are_enough(self) -> bool:
        """Whether more boxes would hardly change the guess."""
        return sum(map(len, self._rows)) >= ENOUGH_BOXES

    def guess(self) -> HowDrawn:
        """Guess how the boxes were drawn."""
        moves = np.concatenate([as_boxes([]), *self._rows])
        if len(moves) < LEAST_BOXES:
            return HowDrawn()
        common = np.median(moves, axis=0) * len(moves) / (len(moves) + COMMON_FROM)
        typical = np.median(np.abs(moves - common).max(axis=1)) * np.exp(CHANCE / np.sqrt(len(moves)))
        tight = float(np.clip((LOOSE - typical) / (LOOSE - TIGHT), 0.0, 1.0))
        otherwise = Drawing.DRAG if typical < WIDE else Drawing.UNKNOWN
        return HowDrawn(Drawing.PLACED if tight >= PLACED_FROM else otherwise, GUESSED_OFF * tight)


def spread_out(count: int) -> list[int]:
    """Return the numbers 0 .. `count` - 1 in an order whose every beginning is spread evenly over them."""
    order: list[int] = []
    step = 1 << max(count - 1, 0).bit_length()
    while step:
        order += [number for number in range(0, count, step) if number % (2 * step) or not order]
        step //= 2
    return order


def guess_for_source(
    pictures: Sequence[Source], moves_on: Callable[[Source], Job[tuple[Boxes, Sequence[Refinement]]]]
) -> Job[HowDrawn]:
    """Guess how the boxes of one source were drawn, from some of its pictures, evenly spread.

    `moves_on` returns the drawn boxes of a picture and the answers to them, none for one that cannot be used. What it
    raises ends the job.
    """
    moves = Moves()
    for number in spread_out(len(pictures))[:MOST_PICTURES]:
        moves.add(*(yield from moves_on(pictures[number])))
        if moves.are_enough:
            break
    return moves.guess()
