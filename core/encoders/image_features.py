"""ImageFeatures: what every encoder makes of one image, and the Encoder interface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from core.geometry import Frame
from core.images import Picture

EMBEDDING_SHAPE = (256, 64, 64)
DETAIL_SHAPE = (32, 256, 256)


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
