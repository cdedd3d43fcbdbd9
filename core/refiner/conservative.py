"""CarefulRefiner: the conservative mode, for boxes of which most are right; it moves only boxes that are clearly off.

The learned refiner cannot distinguish a box that is right by an unknown convention from one that was drawn coarsely: a
move that helps the second harms the first. Only the user knows where the boxes come from, so the user chooses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from core.encoders.image_features import ImageFeatures
from core.geometry import Box, Boxes, as_boxes, clip
from core.records import CLEARLY_OFF, Drawing, HowDrawn, Refinement
from core.refiner.by_drawing import for_drawing
from core.refiner.margins import Margin
from core.refiner.protocol import Refiner
from core.refiner.taught_refiner import ByCategory, for_category
from core.refiner.together import Drawn, refine_together
from core.refiner.widening import widened

_STEEPNESS = 6


class CarefulRefiner:
    """Wraps a refiner; a box without an edge that is clearly off hardly moves.

    If the farthest edge would move by the fraction `clearly_off` of its side, the box goes half of the way; below, much
    less.
    """

    def __init__(self, refiner: Refiner, *, clearly_off: float = CLEARLY_OFF) -> None:
        self._refiner = refiner
        self._clearly_off = clearly_off

    @property
    def name(self) -> str:
        return self._refiner.name

    @property
    def identity(self) -> str:
        """The identity of the wrapped refiner, since the weights are the same."""
        return self._refiner.identity

    @property
    def refines_by_masks(self) -> bool:
        return bool(getattr(self._refiner, "refines_by_masks", False))

    def widened(self, margin: Margin) -> Refiner:
        """See `CanWiden`; a box that was drawn with the margin stays."""
        return careful(widened(self._refiner, margin), self._clearly_off)

    def of_drawing(self, drawing: Drawing) -> Refiner:
        """See `ByDrawing`."""
        return careful(for_drawing(self._refiner, drawing), self._clearly_off)

    def refine(self, features: ImageFeatures, drawn: ArrayLike) -> list[Refinement]:
        """See `Refiner.refine`; scores, confidences and outlines are those of the wrapped refiner."""
        return self._damped(features, drawn, self._refiner.refine(features, drawn))

    def refine_together(self, asked: Sequence[Drawn]) -> list[list[Refinement]]:
        """See `RefinesTogether`."""
        found = refine_together(self._refiner, asked)
        return [self._damped(*drawn, answers) for drawn, answers in zip(asked, found, strict=True)]

    def _damped(self, features: ImageFeatures, drawn: ArrayLike, answers: Sequence[Refinement]) -> list[Refinement]:
        frame = features.frame
        boxes = clip(drawn, width=frame.image_width, height=frame.image_height)
        rows = dampen_moves(answers, boxes, clearly_off=self._clearly_off)
        # A mask covers the pixels of its own box, so it does not fit another one.
        return [replace(answer, box=Box.of(row), mask=None) for answer, row in zip(answers, rows, strict=True)]


class CarefulByCategory(CarefulRefiner):
    """CarefulRefiner of a refiner that depends on the category."""

    def of_category(self, category: str) -> Refiner:
        """See `ByCategory`."""
        return careful(for_category(self._refiner, category), self._clearly_off)


def careful(refiner: Refiner, clearly_off: float = CLEARLY_OFF) -> CarefulRefiner:
    """Wrap a refiner for the conservative mode."""
    kind = CarefulByCategory if isinstance(refiner, ByCategory) else CarefulRefiner
    return kind(refiner, clearly_off=clearly_off)


def refiner_for(refiner: Refiner, how: HowDrawn) -> Refiner:
    """Return the refiner for boxes that were drawn so. A careful one stays as careful as it is."""
    found = for_drawing(refiner, how.drawing)
    is_careful = isinstance(found, CarefulRefiner)
    return careful(found, how.clearly_off) if how.clearly_off > 0 and not is_careful else found


def refiner_as_stated(refiner: Refiner, drawing: Drawing) -> Refiner:
    """Return the refiner for boxes if the user knows how they were drawn; see `HowDrawn.by`."""
    return refiner_for(refiner, HowDrawn.by(drawing))


def dampen_moves(answers: Sequence[Refinement], drawn: Boxes, *, clearly_off: float = CLEARLY_OFF) -> Boxes:
    """Damp the moves from drawn boxes (N, 4) to answers (N), in image pixels; return boxes (N, 4).

    See CarefulRefiner.

    The damping is smooth, since with a threshold a box would flicker during a drag.
    """
    move = as_boxes([answer.box for answer in answers]) - drawn
    side = np.maximum(np.tile(drawn[:, 2:] - drawn[:, :2], 2), 1.0)
    farthest = (np.abs(move) / side).max(axis=1, keepdims=True, initial=0.0)
    powers = farthest**_STEEPNESS
    rows: Boxes = drawn + move * powers / (powers + clearly_off**_STEEPNESS)
    return rows
