"""MaskThenBox: HQ-SAM's mask gives a tight box, and a learned refiner looks at that box once more."""

from __future__ import annotations

from dataclasses import replace

from numpy.typing import ArrayLike

from core.encoders.image_features import ImageFeatures
from core.records import Refinement
from core.refiner.refine import Refiner


class MaskThenBox:
    """Both ways of refining, one after the other; the answer is the second one's, with the first one's outline."""

    def __init__(self, first: Refiner, second: Refiner) -> None:
        self._first = first
        self._second = second

    @property
    def name(self) -> str:
        return f"{self._first.name} + {self._second.name}"

    @property
    def identity(self) -> str:
        return f"{self._first.identity}+{self._second.identity}"

    def refine(self, features: ImageFeatures, drawn: ArrayLike) -> list[Refinement]:
        """See `Refiner.refine`."""
        masks = self._first.refine(features, drawn)
        if not masks:
            return []
        boxes = self._second.refine(features, [found.box for found in masks])
        # The mask itself covers the pixels of its own box, so it does not go with another one.
        return [replace(box, outline=mask.outline) for mask, box in zip(masks, boxes, strict=True)]
