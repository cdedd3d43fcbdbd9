"""MaskThenBox: a learned refiner refines the tight box of HQ-SAM's mask."""

from __future__ import annotations

from dataclasses import replace

from numpy.typing import ArrayLike

from core.encoders.image_features import ImageFeatures
from core.records import Refinement
from core.refiner.margins import Margin
from core.refiner.protocol import Refiner
from core.refiner.taught_refiner import for_category
from core.refiner.widening import widened


class MaskThenBox:
    """Applies two refiners in a row; the result is that of the second one, with the outline of the first one."""

    def __init__(self, first: Refiner, second: Refiner) -> None:
        self._first = first
        self._second = second

    @property
    def name(self) -> str:
        return f"{self._first.name} + {self._second.name}"

    @property
    def identity(self) -> str:
        return f"{self._first.identity}+{self._second.identity}"

    def of_category(self, category: str) -> Refiner:
        """See `ByCategory`; the second refiner may depend on the category."""
        return MaskThenBox(self._first, for_category(self._second, category))

    def widened(self, margin: Margin) -> Refiner:
        """See `CanWiden`; the second refiner adds the margin."""
        return MaskThenBox(self._first, widened(self._second, margin))

    def refine(self, features: ImageFeatures, drawn: ArrayLike) -> list[Refinement]:
        """See `Refiner.refine`."""
        masks = self._first.refine(features, drawn)
        if not masks:
            return []
        boxes = self._second.refine(features, [found.box for found in masks])
        # The mask array covers the pixels of its own box, so it does not fit the new box.
        return [replace(box, outline=mask.outline) for mask, box in zip(masks, boxes, strict=True)]
