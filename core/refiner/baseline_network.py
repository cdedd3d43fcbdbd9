"""The baseline refiner, for comparison: each drawn box attends to the embedding, and moves by at most 50 pixels.

A box is described by its corners, center and sides (x1, y1, x2, y2, cx, cy, w, h) as fractions of the frame, each
encoded as sines and cosines; the tokens of the embedding get the same positional encoding. One cross-attention (Vaswani
et al., 2017), one perceptron, at most three iterations. It reads neither the detail features nor the image's border.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.geometry import MODEL_SIZE

CHANNELS = 256
ITERATIONS = 3
STOP_THRESHOLD = 0.5
"""A box whose edges all moved by less than this, in frame pixels, is not moved any further."""


@dataclass(frozen=True)
class BaselineAnswer:
    """Output of one iteration for B images x K boxes: boxes (B, K, 4) in frame pixels.

    The baseline predicts no confidence, so its logits are 0. Calibration maps them to the mean accuracy of its edges
    and boxes on held-out pictures; without calibration they mean one half.
    """

    boxes: Tensor

    @property
    def confidence_logits(self) -> Tensor:
        """(B, K, 4) zeros."""
        return torch.zeros_like(self.boxes)

    @property
    def score_logits(self) -> Tensor:
        """(B, K, 2) zeros for the refined and the drawn box: neither ever scores higher."""
        return torch.zeros_like(self.boxes[..., :2])


class BoxEncoder(nn.Module):
    """Boxes (B, K, 4) in frame pixels -> queries (B, K, 256)."""

    def __init__(self, *, frequencies: int = 16) -> None:
        super().__init__()
        self.frequencies = frequencies
        self.body = nn.Sequential(
            nn.Linear(8 * 2 * frequencies, CHANNELS), nn.ReLU(inplace=True), nn.Linear(CHANNELS, CHANNELS)
        )

    def forward(self, boxes: Tensor) -> Tensor:
        low, high = boxes[..., :2], boxes[..., 2:]
        eight = torch.cat([boxes, (low + high) / 2, high - low], dim=-1) / MODEL_SIZE
        queries: Tensor = self.body(waves(eight, self.frequencies))
        return queries


class CrossAttention(nn.Module):
    """Cross-attention of the queries to all 64 x 64 tokens of the embedding, with a shortcut."""

    places: Tensor

    def __init__(self, *, heads: int = 8) -> None:
        super().__init__()
        self.heads = heads
        self.register_buffer("places", token_places(), persistent=False)
        self.query = nn.Linear(CHANNELS, CHANNELS)
        self.key = nn.Linear(CHANNELS, CHANNELS)
        self.value = nn.Linear(CHANNELS, CHANNELS)
        self.out = nn.Linear(CHANNELS, CHANNELS)
        self.norm = nn.LayerNorm(CHANNELS)

    def memory(self, embedding: Tensor) -> tuple[Tensor, Tensor]:
        """Embedding (B, 256, 64, 64) -> keys and values (B, heads, 4096, 32), the same for all iterations."""
        tokens = embedding.flatten(2).transpose(1, 2)
        return self._split(self.key(tokens + self.places)), self._split(self.value(tokens))

    def forward(self, queries: Tensor, memory: tuple[Tensor, Tensor]) -> Tensor:
        """(B, K, 256) -> (B, K, 256)."""
        found = F.scaled_dot_product_attention(self._split(self.query(queries)), *memory)
        joined: Tensor = self.norm(queries + self.out(found.transpose(1, 2).flatten(2)))
        return joined

    def _split(self, values: Tensor) -> Tensor:
        heads: Tensor = values.unflatten(2, (self.heads, -1))
        return heads.transpose(1, 2)


class OffsetPredictor(nn.Module):
    """Queries (B, K, hidden_dim) -> offsets (B, K, 4) of x1, y1, x2, y2, none over `max_offset` frame pixels."""

    def __init__(self, *, hidden_dim: int = CHANNELS, max_offset: float = 50.0) -> None:
        super().__init__()
        self.max_offset = max_offset
        self.body = nn.Sequential(
            nn.Linear(hidden_dim, 128),
            nn.ReLU(inplace=True),
            nn.Dropout(0.2),
            nn.Linear(128, 64),
            nn.ReLU(inplace=True),
            nn.Dropout(0.1),
            nn.Linear(64, 4),
        )

    def forward(self, queries: Tensor) -> Tensor:
        moved: Tensor = self.body(queries)
        return moved.float().tanh() * self.max_offset


class BaselineNetwork(nn.Module):
    """Box encoder, cross-attention and offsets, repeated; in evaluation a box stops once it hardly moves.

    `xavier` uses Xavier initialization (Glorot & Bengio, 2010) with a last layer so small that boxes hardly move at
    first. Without it, PyTorch's defaults apply.
    """

    def __init__(self, *, xavier: bool = True) -> None:
        super().__init__()
        self.boxes = BoxEncoder()
        self.attention = CrossAttention()
        self.offsets = OffsetPredictor()
        if xavier:
            start_small(self)

    def forward(self, embedding: Tensor, detail: Tensor, drawn: Tensor, content: Tensor) -> list[BaselineAnswer]:
        """Return the answers of all iterations, the last one at the end.

        embedding is (B, 256, 64, 64), drawn (B, K, 4) in frame pixels. `detail` and `content` are ignored; they make
        the call the same for all refiners. In training all iterations run, without gradients between them.
        """
        memory = self.attention.memory(embedding)
        boxes = drawn
        moves = torch.ones_like(drawn[..., :1], dtype=torch.bool)
        answers: list[BaselineAnswer] = []
        for _ in range(ITERATIONS):
            offsets = self.offsets(self.attention(self.boxes(boxes), memory)) * moves
            answers.append(BaselineAnswer(sort_corners(boxes + offsets)))
            boxes = answers[-1].boxes.detach()
            if not self.training:
                # For each box alone, so that an answer does not depend on the other boxes of the call.
                moves = moves & (offsets.abs().amax(dim=-1, keepdim=True) >= STOP_THRESHOLD)
                if not moves.any():
                    break
        return answers


def start_small(network: BaselineNetwork) -> None:
    """Initialize all linear layers: Xavier weights, the last layer N(0, 0.01), biases zero."""
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    for layer in layers:
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)
    nn.init.normal_(layers[-1].weight, std=0.01)


def sort_corners(boxes: Tensor) -> Tensor:
    """Swap coordinates of boxes (..., 4) so that x1 <= x2 and y1 <= y2."""
    first, second = boxes[..., :2], boxes[..., 2:]
    return torch.cat([torch.minimum(first, second), torch.maximum(first, second)], dim=-1)


def waves(values: Tensor, frequencies: int) -> Tensor:
    """Encode numbers (..., C) in 0 .. 1 as sines and cosines (..., C * 2 * frequencies), of half a period up to 64."""
    steps = torch.linspace(0, 1, frequencies, device=values.device)
    angles = values[..., None].float() * (math.pi * 128**steps)
    return torch.cat([angles.sin(), angles.cos()], dim=-1).flatten(-2)


def token_places(*, cells: int = 64) -> Tensor:
    """Return the positional encoding of the tokens, row by row: (cells * cells, 256)."""
    at = (torch.arange(cells) + 0.5) / cells
    y, x = torch.meshgrid(at, at, indexing="ij")
    return waves(torch.stack([x, y], dim=-1).flatten(0, 1), CHANNELS // 4)
