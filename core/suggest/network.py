"""The suggestion network: turns features into cells in which a few examples suffice to find objects like them.

All projects share the network, and it never learns from one. It gives each cell of a 128 x 128 grid a vector, such that
a plane separates the objects of a category from everything else, and the distances to the edges of the object around
the cell. A project's examples determine that plane, in closed form; see `solver`.

The vector holds the features themselves, and, if the network has a trunk, what that makes of a wider part of the image.

Sources: fully convolutional detection (Tian et al., FCOS, 2019); learning features for a closed-form classifier
(Bertinetto et al., Meta-learning with differentiable closed-form solvers, 2019).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.encoders.light.encoder import upsample
from core.geometry import MODEL_SIZE
from core.refiner.network import Attention, Residual

CELLS = 128
CELL = MODEL_SIZE / CELLS
"""Frame pixels along the side of a cell."""

RAW_WIDTH, TRUNK_WIDTH = 256 + 32, 96
"""Components of a cell's vector: those of the features, and those of the trunk."""

_CONTEXT, _FINE = 128, 64
_LARGEST_EXPONENT = 5.0
_USUAL_REACH = 4.0
_LENGTH = 10.0
_TRUNK_SHARE = 0.4


@dataclass(frozen=True)
class Cells:
    """The network's output for B frames.

    vectors: (B, D, 128, 128), of the same length everywhere
    reaches: (B, 4, 128, 128) the logarithms of the distances from a cell's center to the left, top, right and bottom
        edge of the object around it, in cells
    """

    vectors: Tensor
    reaches: Tensor


class Trunk(nn.Module):
    """Features -> what each cell is part of: (B, 96, 128, 128) and reaches (B, 4, 128, 128) to add."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Sequential(
            nn.Conv2d(256, _CONTEXT, 1, bias=False), nn.BatchNorm2d(_CONTEXT), nn.ReLU(inplace=True)
        )
        self.position = nn.Parameter(torch.zeros(1, _CONTEXT, 64, 64))
        self.near = Residual(_CONTEXT)
        self.mix = Attention(_CONTEXT)
        self.wide = Residual(_CONTEXT, dilation=2)
        self.lower = nn.Conv2d(_CONTEXT, _FINE, 1)
        self.detail = nn.Sequential(nn.Conv2d(32, _FINE, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(_FINE))
        self.join = Residual(_FINE)
        self.to_vector = nn.Conv2d(_FINE + _CONTEXT, TRUNK_WIDTH, 1)
        self.to_reach = nn.Sequential(
            nn.Conv2d(_FINE, _FINE, 3, padding=1, bias=False),
            nn.BatchNorm2d(_FINE),
            nn.ReLU(inplace=True),
            nn.Conv2d(_FINE, 4, 1),
        )

    def forward(self, embedding: Tensor, detail: Tensor) -> tuple[Tensor, Tensor]:
        near = self.near(self.enter(embedding) + self.position)
        small = F.avg_pool2d(near, 2)  # a quarter of the cells, which attention relates in a sixteenth of the time
        context = self.wide(near + upsample(self.mix(small) - small))
        spread = upsample(context)
        joined = self.join(torch.relu(self.lower(spread) + self.detail(detail)))
        return self.to_vector(torch.cat([joined, spread], dim=1)), self.to_reach(joined)


class SuggestNetwork(nn.Module):
    """Embedding (B, 256, 64, 64) and detail (B, 32, 256, 256) -> `Cells`, and what holds for every category."""

    def __init__(self, *, trunk: bool = False) -> None:
        super().__init__()
        # Without weights it only brings all features to one scale, by their statistics over the training pool.
        self.level = nn.BatchNorm2d(RAW_WIDTH, affine=False, momentum=0.02)
        self.reach = nn.Conv2d(RAW_WIDTH, 4, 1)
        nn.init.zeros_(self.reach.weight)
        nn.init.constant_(self.reach.bias if self.reach.bias is not None else torch.zeros(4), math.log(_USUAL_REACH))
        self.trunk = Trunk() if trunk else None
        self.trunk_share = nn.Parameter(torch.tensor(math.log(_TRUNK_SHARE))) if trunk else None
        self.prior = Prior(RAW_WIDTH + (TRUNK_WIDTH if trunk else 0))

    def forward(self, embedding: Tensor, detail: Tensor) -> Cells:
        raw = self.level(torch.cat([upsample(embedding), F.avg_pool2d(detail, 2)], dim=1).float())
        vectors = F.normalize(raw, dim=1) * _LENGTH
        reaches = self.reach(vectors)
        if self.trunk is not None and self.trunk_share is not None:
            seen, more = self.trunk(embedding, detail)
            seen = F.normalize(seen.float(), dim=1) * (_LENGTH * self.trunk_share.exp())
            vectors, reaches = torch.cat([vectors, seen], dim=1), reaches + more
        return Cells(vectors, reaches.float().clamp(-_LARGEST_EXPONENT, _LARGEST_EXPONENT))


class Prior(nn.Module):
    """What holds for every category before its examples are seen, and how much examples count. All of it is learned.

    plane: (D + 1,) the plane of all objects, its bias last; the plane of a category starts from it
    stiffness: logarithm of how strongly a category's plane is held at the prior; `reach_stiffness`, that of its reaches
    background: logarithm of the weight of a cell without an object; `unknown`, of one that the user did not review
    scale, scale_step, shift, shift_step: of the logit, and how they change with the logarithm of the number of examples
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.plane = nn.Parameter(torch.cat([torch.zeros(width), torch.tensor([-3.0])]))
        self.stiffness = nn.Parameter(torch.tensor(0.0))
        self.reach_stiffness = nn.Parameter(torch.tensor(2.0))
        self.background = nn.Parameter(torch.tensor(-1.5))
        self.unknown = nn.Parameter(torch.tensor(-3.0))
        self.scale = nn.Parameter(torch.tensor(1.0))
        self.scale_step = nn.Parameter(torch.tensor(0.0))
        self.shift = nn.Parameter(torch.tensor(0.0))
        self.shift_step = nn.Parameter(torch.tensor(0.0))

    def logits(self, scores: Tensor, examples: Tensor) -> Tensor:
        """Scale raw scores (E, ...) of categories with so many examples (E,) to logits of the same shape."""
        many = examples.clamp(min=1).log().view(-1, *(1,) * (scores.dim() - 1))
        return scores * (self.scale + self.scale_step * many) + self.shift + self.shift_step * many
