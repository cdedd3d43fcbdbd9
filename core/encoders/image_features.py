"""ImageFeatures: what every encoder makes of one image, and the Encoder interface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from core.errors import BadInputError
from core.geometry import Boxes, Frame, as_boxes
from core.images import Picture

EMBEDDING_SHAPE = (256, 64, 64)
DETAIL_SHAPE = (32, 256, 256)
FEATURES_BYTES = 6 * 1024**2
"""Bytes of one image's features in fp16."""


@dataclass(frozen=True)
class ImageFeatures:
    """Features of one frame of one image.

    embedding: (256, 64, 64) float16, one cell every 16 frame pixels
    detail: (32, 256, 256) float16, one cell every 4 frame pixels
    frame: which part of the image they describe
    encoder: identity of the encoder that made them; a refiner only takes features of its own encoder
    """

    embedding: Tensor
    detail: Tensor
    frame: Frame
    encoder: str

    @property
    def nbytes(self) -> int:
        """Bytes of memory, 6 MiB in fp16."""
        return self.embedding.nbytes + self.detail.nbytes

    def alone(self) -> ImageFeatures:
        """The same features in memory of their own: those of a batch would hold the whole batch."""
        parts = self.embedding, self.detail
        if all(part.untyped_storage().nbytes() == part.nbytes for part in parts):
            return self
        return ImageFeatures(parts[0].clone(), parts[1].clone(), self.frame, self.encoder)

    def to(self, device: torch.device) -> ImageFeatures:
        """The same features on another device."""
        return ImageFeatures(self.embedding.to(device), self.detail.to(device), self.frame, self.encoder)


class Encoder(Protocol):
    """Image -> features: pure, in inference mode, safe to share between threads (it has no current image)."""

    @property
    def name(self) -> str:
        """What the user chooses: `light`, `vit_tiny`, `vit_b`, `vit_l` or `vit_h`."""
        ...

    @property
    def identity(self) -> str:
        """Name and the start of the weights' SHA-256: features of two identities are never mixed."""
        ...

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        ...

    def encode(self, picture: Picture, frame: Frame) -> ImageFeatures:
        """Features, on the CPU in fp16, of the part `frame` of an upright (height, width, 3) uint8 RGB picture."""
        ...


def checked_boxes(boxes: ArrayLike) -> Boxes:
    """Boxes (N, 4) that are finite. Raises BadInputError that names the first that is not."""
    rows = as_boxes(boxes)
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(bad):
        row = ", ".join(f"{value:g}" for value in rows[bad[0]])
        raise BadInputError(f"Box {bad[0] + 1} of {len(rows)} is not finite ({row}): draw it again or correct it.")
    return rows


def check_encoder(features: ImageFeatures, identity: str) -> None:
    """Raises BadInputError where features were made by another encoder than `identity`."""
    if features.encoder != identity:
        raise BadInputError(f"The features are of {features.encoder}, not of {identity}: encode the image again.")


def check_finite(embedding: Tensor, detail: Tensor) -> None:
    """Raises BadInputError where features (float32, any shape) hold NaN or infinity."""
    # A sum takes a tenth of the time of looking at each number, and neither NaN nor infinity can leave it.
    if not torch.isfinite(embedding.sum() + detail.sum()):
        raise BadInputError("The features of this image hold numbers that are not finite: encode the image again.")
