"""BatchedEncoder: what an encoder has to offer so that many pictures go through it at once."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from core.encoders.image_features import Encoder
from core.geometry import Frame
from core.images import Picture


class BatchNetwork(torch.nn.Module):
    """(N, 3, S, S) normalised -> embedding (N, 256, 64, 64) and detail (N, 32, 256, 256).

    `mean` and `std` (1, 3, 1, 1) normalise pixels in 0 .. 255.
    """

    def __init__(self, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.mean = mean
        self.std = std


@runtime_checkable
class BatchedEncoder(Encoder, Protocol):
    """An encoder that takes batches; the batches themselves are made in `core.features.encoding.batches`."""

    @property
    def input_side(self) -> int:
        """Of the square of pixels that the network takes."""
        ...

    @property
    def half_pays(self) -> bool:
        """Whether bf16 on a GPU is faster and moves no box."""
        ...

    def laid_out(self, picture: Picture, frame: Frame, *, fast: bool) -> tuple[Tensor, int, int]:
        """A frame of an upright (height, width, 3) uint8 RGB picture as (S, S, 3) uint8, and its width and height.

        The content lies at the top left, zeros right and below. `fast` may differ by single levels.
        """
        ...

    def batch_network(self) -> BatchNetwork:
        """A new module on the encoder's own weights."""
        ...
