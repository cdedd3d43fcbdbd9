"""A refiner on a GPU whose faults are told as such, so that the CPU can take over."""

from __future__ import annotations

from numpy.typing import ArrayLike

from core.encoders.guarded import guarded
from core.encoders.image_features import ImageFeatures
from core.records import Refinement
from core.refiner.refine import Refiner


class GuardedRefiner:
    """The same refiner; what the GPU does wrong is a GpuError."""

    def __init__(self, refiner: Refiner) -> None:
        self._refiner = refiner
        self.name = refiner.name
        self.identity = refiner.identity

    def refine(self, features: ImageFeatures, drawn: ArrayLike) -> list[Refinement]:
        """See `Refiner.refine`. Raises GpuError, too."""
        return guarded(lambda: self._refiner.refine(features, drawn))
