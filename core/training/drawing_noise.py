"""Simulated drawing: random drawn boxes for true boxes, as tensors, from a mixture of noise models."""

from __future__ import annotations

import torch
from torch import Tensor

from core.records import Drawing
from core.refiner.drawing_vectors import KNOWN_DRAWINGS
from core.training.augment import Rng

_COARSE = 1 + KNOWN_DRAWINGS.index(Drawing.COARSE)
_SHARES = {
    Drawing.UNKNOWN: (0.42, 0.69, 0.79),
    Drawing.DRAG: (0.0, 1.0, 1.0),
    Drawing.COARSE: (1.0, 1.0, 1.0),
    Drawing.PLACED: (0.1, 0.1, 0.2),
}
"""Of each drawing: shares of boxes, summed up, with HQ-SAM's noise, with that of drags, and with independent errors."""
_UP_TO = [_SHARES[drawing] for drawing in (Drawing.UNKNOWN, *KNOWN_DRAWINGS)]


def draw_carelessly(true: Tensor, rng: Rng, *, pixel: Tensor, drawing: Tensor | None = None) -> Tensor:
    """Simulate drawn boxes (B, K, 4) for true boxes (B, K, 4), both in frame pixels.

    pixel: (B, 1, 1) frame pixels an image pixel
    drawing: (B,) how all boxes of a frame are drawn, as for `RefinerNetwork.forward`; None: UNKNOWN

    UNKNOWN: of a hundred boxes, 42 follow HQ-SAM's box noise at scales 0 .. 0.65 (Ke et al., 2023), 27 a coarse drag
    (normal errors, half of them outward only), 10 have independent errors of each edge, and 21 are (nearly) right.
    DRAG: coarse drags. COARSE: HQ-SAM's noise at scales 0.1 .. 0.65. PLACED: 80 are (nearly) right, 10 have independent
    errors of each edge, and 10 follow HQ-SAM's noise.
    """
    shape, device = true.shape[:2], true.device

    def uniform(low: float, high: float, last: int) -> Tensor:
        return torch.rand(*shape, last, generator=rng, device=device) * (high - low) + low

    def normal() -> Tensor:
        return torch.randn(*shape, 4, generator=rng, device=device)

    ways = torch.zeros(len(true), dtype=torch.long, device=device) if drawing is None else drawing
    side = (true[..., 2:] - true[..., :2]).clamp(min=1e-3)
    center = (true[..., :2] + true[..., 2:]) / 2
    scale = uniform(0.0, 0.65, 1)
    scale = torch.where((ways == _COARSE).view(-1, 1, 1), 0.1 + scale * (0.55 / 0.65), scale)
    moved = center + uniform(-1, 1, 2) * scale * side / 2
    half = side * (1 + uniform(-1, 1, 2) * scale) / 2
    shaken = torch.cat([moved - half, moved + half], dim=-1)
    sides = side.repeat(1, 1, 2)
    sloppy = uniform(0, 1, 1) < 0.3
    sigma = torch.where(sloppy, 0.15 * sides + 4 * pixel, 0.05 * sides + 2 * pixel)
    error = normal() * sigma
    outward = torch.cat([-error[..., :2].abs(), error[..., 2:].abs()], dim=-1)
    dragged = true + torch.where(uniform(0, 1, 1) < 0.5, outward, error)
    apart = true + uniform(-1, 1, 4) * uniform(0.0, 0.3, 1) * sides
    right = true + normal() * sides * 0.015 * (uniform(0, 1, 1) < 0.5)
    kind = uniform(0, 1, 1)
    ends = torch.tensor(_UP_TO, device=device)[ways][:, None]
    drawn = torch.where(kind < ends[..., 1:2], dragged, torch.where(kind < ends[..., 2:3], apart, right))
    drawn = torch.where(kind < ends[..., 0:1], shaken, drawn)
    return torch.cat([torch.minimum(drawn[..., :2], drawn[..., 2:]), torch.maximum(drawn[..., :2], drawn[..., 2:])], -1)


def fit(boxes: Tensor, content: Tensor, *, least: Tensor) -> Tensor:
    """Clip boxes (B, K, 4) to the image `content` (B, 4), and make sides at least `least` (B, 1, 1); frame pixels."""
    low_end, high_end = content[:, None, :2], content[:, None, 2:]
    low = torch.minimum(torch.maximum(boxes[..., :2], low_end), torch.maximum(high_end - least, low_end))
    high = torch.minimum(torch.maximum(boxes[..., 2:], low + least), torch.maximum(high_end, low + least))
    return torch.cat([low, high], dim=-1)
