"""A refiner on a GPU whose faults are told as such, so that the CPU can take over."""

from __future__ import annotations

from numpy.typing import ArrayLike

from core.encoders.guarded import guarded
from core.encoders.image_features import ImageFeatures
from core.records import Refinement
from core.refiner.protocol import Refiner
from core.refiner.taught_refiner import for_category


class GuardedRefiner:
    """The same refiner; what the GPU does wrong is a GpuError."""

    def __init__(self, refiner: Refiner) -> None:
        self._refiner = refiner
        self.name = refiner.name
        self.identity = refiner.identity
        self.refines_by_masks: bool = getattr(refiner, "refines_by_masks", False)

    def of_category(self, category: str) -> Refiner:
        """What a taught refiner has for a category, guarded, too."""
        found = for_category(self._refiner, category)
        return self if found is self._refiner else GuardedRefiner(found)

    def refine(self, features: ImageFeatures, drawn: ArrayLike) -> list[Refinement]:
        """See `Refiner.refine`. Raises GpuError, too."""
        return guarded(lambda: self._refiner.refine(features, drawn))
