"""How a stage of the refiner's network learns how its boxes were drawn."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.records import Drawing

KNOWN_DRAWINGS = (Drawing.DRAG, Drawing.COARSE, Drawing.PLACED)
"""The drawings that a network can know, in the order of their vectors."""


class DrawingVectors(nn.Module):
    """Adds a learned vector for how boxes were drawn to the coarse features of a stage.

    Earlier weights have none; they load with zeros, and answer as before.
    """

    optional = ("of",)

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.of = nn.Parameter(torch.zeros(len(KNOWN_DRAWINGS), channels))

    def forward(self, coarse: Tensor, drawing: Tensor) -> Tensor:
        """Add to coarse (B * K, C, H, W) the vectors of `drawing` (B,): 0 for UNKNOWN, then those of KNOWN_DRAWINGS."""
        rows = torch.cat([torch.zeros_like(self.of[:1]), self.of])[drawing]
        return coarse + rows.repeat_interleave(len(coarse) // len(drawing), dim=0)[:, :, None, None]
