"""The refiner for boxes that were drawn in one way, if its answers depend on that."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from core.records import Drawing
from core.refiner.protocol import Refiner


@runtime_checkable
class ByDrawing(Protocol):
    """A refiner whose answers depend on how boxes were drawn."""

    def of_drawing(self, drawing: Drawing) -> Refiner:
        """Return a refiner for boxes that were drawn in this way."""
        ...


def for_drawing(refiner: Refiner, drawing: Drawing) -> Refiner:
    """Return a refiner for boxes that were drawn in this way; the same one if that changes nothing."""
    return refiner.of_drawing(drawing) if isinstance(refiner, ByDrawing) else refiner
