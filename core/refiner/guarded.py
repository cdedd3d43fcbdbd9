"""GuardedRefiner: converts CUDA errors to GpuError, so that callers can fall back to the CPU."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.typing import ArrayLike

from core.encoders.guarded import guarded
from core.encoders.image_features import ImageFeatures
from core.records import Drawing, Refinement
from core.refiner.by_drawing import for_drawing
from core.refiner.margins import Margin
from core.refiner.protocol import Refiner
from core.refiner.taught_refiner import for_category
from core.refiner.together import Drawn, refine_together
from core.refiner.widening import widened


class GuardedRefiner:
    """Wraps a refiner on a GPU; CUDA errors become GpuError."""

    def __init__(self, refiner: Refiner) -> None:
        self._refiner = refiner
        self.name = refiner.name
        self.identity = refiner.identity
        self.refines_by_masks: bool = getattr(refiner, "refines_by_masks", False)

    def of_category(self, category: str) -> Refiner:
        """See `ByCategory`; the refiner for the category is guarded as well."""
        found = for_category(self._refiner, category)
        return self if found is self._refiner else GuardedRefiner(found)

    def of_drawing(self, drawing: Drawing) -> Refiner:
        """See `ByDrawing`; the refiner for the drawing is guarded as well."""
        return GuardedRefiner(for_drawing(self._refiner, drawing))

    def widened(self, margin: Margin) -> Refiner:
        """See `CanWiden`; the widened refiner is guarded as well."""
        return GuardedRefiner(widened(self._refiner, margin))

    def refine(self, features: ImageFeatures, drawn: ArrayLike) -> list[Refinement]:
        """See `Refiner.refine`. Also raises GpuError."""
        return guarded(lambda: self._refiner.refine(features, drawn))

    def refine_together(self, asked: Sequence[Drawn]) -> list[list[Refinement]]:
        """See `RefinesTogether`. Also raises GpuError."""
        return guarded(lambda: refine_together(self._refiner, asked))
