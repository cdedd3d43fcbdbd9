"""Tell a refiner how boxes were drawn, if its answers depend on that."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from core.records import Drawing
from core.refiner.protocol import Refiner


@runtime_checkable
class CanBeTold(Protocol):
    """A refiner whose answers depend on how boxes were drawn."""

    def told(self, drawing: Drawing) -> Refiner:
        """Return a refiner for boxes that were drawn in this way."""
        ...


def told(refiner: Refiner, drawing: Drawing) -> Refiner:
    """Return a refiner for boxes that were drawn in this way; the same one if that changes nothing."""
    return refiner.told(drawing) if isinstance(refiner, CanBeTold) else refiner
