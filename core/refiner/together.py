"""Boxes of many frames in one call: a GPU takes about as long for hundreds of boxes as for those of one picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from numpy.typing import ArrayLike

from core.encoders.image_features import ImageFeatures
from core.records import Refinement
from core.refiner.protocol import Refiner


class Drawn(NamedTuple):
    """Drawn boxes (N, 4) in image pixels, and the features of a frame of their image."""

    features: ImageFeatures
    boxes: ArrayLike


@runtime_checkable
class RefinesTogether(Protocol):
    """A refiner that may take many frames in one batch."""

    def refine_together(self, asked: Sequence[Drawn]) -> list[list[Refinement]]:
        """Return what `Refiner.refine` would for each of some frames, up to rounding. Raises as that does."""
        ...


def refine_together(refiner: Refiner, asked: Sequence[Drawn]) -> list[list[Refinement]]:
    """Refine the boxes of many frames: together, if the refiner can. Raises the errors of `Refiner.refine`."""
    if isinstance(refiner, RefinesTogether):
        return refiner.refine_together(asked)
    return [refiner.refine(features, boxes) for features, boxes in asked]
