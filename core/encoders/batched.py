"""BatchedEncoder: the interface of encoders that compute many pictures at once."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from core.encoders.image_features import Encoder
from core.geometry import Frame
from core.images import Picture


class BatchNetwork(torch.nn.Module):
    """(N, 3, S, S) normalized -> embedding (N, 256, 64, 64) and detail (N, 32, 256, 256).

    `mean` and `std` (1, 3, 1, 1) normalize pixels in 0 .. 255.
    """

    def __init__(self, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.mean = mean
        self.std = std


@runtime_checkable
class BatchedEncoder(Encoder, Protocol):
    """An encoder that takes batches; `core.features.encoding.batches` makes the batches."""

    @property
    def input_side(self) -> int:
        """Side, in pixels, of the square that the network takes."""
        ...

    @property
    def is_exact_in_half(self) -> bool:
        """Whether bf16 on a GPU is faster without moving boxes."""
        ...

    def resize(self, picture: Picture, frame: Frame, *, fast: bool) -> tuple[Tensor, int, int]:
        """Resize a frame of an upright (height, width, 3) uint8 RGB picture: (S, S, 3) uint8, its width and height.

        The content is at the top left, zeros are right and below. With `fast`, values may differ by one level.
        """
        ...

    def batch_network(self) -> BatchNetwork:
        """Build a module that shares the encoder's weights."""
        ...
