"""Features + drawn boxes -> Refinement, for many boxes of one image at once."""

from __future__ import annotations

from typing import Protocol

from numpy.typing import ArrayLike

from core.encoders.image_features import ImageFeatures
from core.records import Refinement


class Refiner(Protocol):
    """Pure, in inference mode, safe to share between threads."""

    @property
    def name(self) -> str:
        """For the status bar and the summary: `shipped`, `hq-mask`, or the checkpoint folder's name."""
        ...

    @property
    def identity(self) -> str:
        """Kind and the start of the weights' SHA-256, stored with each correction."""
        ...

    def refine(self, features: ImageFeatures, drawn: ArrayLike) -> list[Refinement]:
        """Refinements of drawn boxes (N, 4) in image pixels, in their order; no boxes give an empty list.

        Boxes are clipped to the image first. Raises BadInputError where a box is not finite or the features are
        of another encoder.
        """
        ...
