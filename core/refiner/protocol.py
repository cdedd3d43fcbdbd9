"""Features + drawn boxes -> Refinement, for many boxes of one image at once."""

from __future__ import annotations

from typing import Protocol

from numpy.typing import ArrayLike

from core.encoders.image_features import ImageFeatures
from core.records import Refinement


class Refiner(Protocol):
    """Refines boxes in inference mode; it keeps no state between calls, so threads may share it."""

    @property
    def name(self) -> str:
        """Name for the status bar and reports: `shipped`, `hq-mask`, or the name of the refiner's folder."""
        ...

    @property
    def identity(self) -> str:
        """Kind and the first digits of the weights' SHA-256; stored with each correction."""
        ...

    def refine(self, features: ImageFeatures, drawn: ArrayLike) -> list[Refinement]:
        """Refine drawn boxes (N, 4) in image pixels; return N refinements in order, an empty list for no boxes.

        Boxes are clipped to the image first. Raises BadInputError if a box is not finite or the features are of another
        encoder.
        """
        ...
