"""CarefulRefiner: for boxes that are right but for a few, of which only those that are clearly off are moved.

The learned refiner cannot tell a box that is right, by a convention that it does not know, from one that a hasty hand
left a little beside the edges: what helps the one harms the other. Only whoever knows where they come from can tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from core.encoders.image_features import ImageFeatures
from core.geometry import Box, Boxes, as_boxes, clip
from core.records import Refinement
from core.refiner.protocol import Refiner
from core.refiner.taught_refiner import ByCategory, for_category

CLEARLY_OFF = 0.15
"""A box whose farthest edge would move by this share of its side goes half of the way, by much less hardly at all."""

_STEEPNESS = 6


class CarefulRefiner:
    """The same refiner, whose answers hardly move a box of which no edge is clearly off."""

    def __init__(self, refiner: Refiner) -> None:
        self._refiner = refiner

    @property
    def name(self) -> str:
        return self._refiner.name

    @property
    def identity(self) -> str:
        """The other's: the same weights looked."""
        return self._refiner.identity

    @property
    def refines_by_masks(self) -> bool:
        return bool(getattr(self._refiner, "refines_by_masks", False))

    def refine(self, features: ImageFeatures, drawn: ArrayLike) -> list[Refinement]:
        """See `Refiner.refine`; expected IoUs and confidences are those of the answers as the other gave them."""
        answers = self._refiner.refine(features, drawn)
        frame = features.frame
        rows = held_back(answers, clip(drawn, width=frame.image_width, height=frame.image_height))
        return [replace(answer, box=Box.of(row)) for answer, row in zip(answers, rows, strict=True)]


class CarefulByCategory(CarefulRefiner):
    """The same of a refiner that does not answer for every category alike."""

    def of_category(self, category: str) -> Refiner:
        """See `ByCategory`."""
        return careful(for_category(self._refiner, category))


def careful(refiner: Refiner) -> CarefulRefiner:
    """A refiner as the careful one of its kind."""
    return CarefulByCategory(refiner) if isinstance(refiner, ByCategory) else CarefulRefiner(refiner)


def held_back(answers: Sequence[Refinement], drawn: Boxes) -> Boxes:
    """Boxes (N, 4) between the drawn ones (N, 4) and the answers, both in image pixels; see CLEARLY_OFF.

    Smooth, since a box that jumped at a threshold would flicker under the hand.
    """
    move = as_boxes([answer.box for answer in answers]) - drawn
    side = np.maximum(np.tile(drawn[:, 2:] - drawn[:, :2], 2), 1.0)
    farthest = (np.abs(move) / side).max(axis=1, keepdims=True, initial=0.0)
    powers = farthest**_STEEPNESS
    rows: Boxes = drawn + move * powers / (powers + CLEARLY_OFF**_STEEPNESS)
    return rows
