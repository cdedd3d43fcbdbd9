"""Random shapes and patterns without class, in local coordinates: [-1, 1] from edge to edge."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from core.encoders.light.encoder import INPUT_SIZE
from core.training.augment import Rng

SIDES = 8
HOLLOW_SHARE = 0.15


def random_shape(local: Tensor, half: Tensor, rng: Rng) -> Tensor:
    """Make alphas (B, 1, H, W) of ellipses, rectangles, lumpy blobs and polygons, some of them hollow.

    local: (B, H, W, 2) each pixel in the shape's coordinates; half: (B, 2) half its sides, frame fractions
    """
    count, device = len(local), local.device
    radius = torch.where(_chance(count, 0.35, rng, device), _polygon(local, rng), _lumpy(local, rng))
    across = (half.amin(dim=-1) * INPUT_SIZE).clamp(min=1).view(-1, 1, 1)
    alpha = ((1 - radius) * across + 0.5).clamp(0, 1)
    wall = torch.rand(count, 1, 1, generator=rng, device=device) * 0.5 + 0.1
    inside = ((1 - wall - radius) * across + 0.5).clamp(0, 1)
    return torch.where(_chance(count, HOLLOW_SHARE, rng, device), alpha - inside, alpha)[:, None]


def random_pattern(local: Tensor, rng: Rng) -> Tensor:
    """Make patterns of two random colors (B, 3, H, W): stripes, rings, gradients or random patches."""
    count, device = len(local), local.device

    def uniform(low: float, high: float) -> Tensor:
        return torch.rand(count, 1, 1, generator=rng, device=device) * (high - low) + low

    angle, waves, kind = uniform(-math.pi, math.pi), torch.exp2(uniform(0, 4)), uniform(0, 1)
    along = local[..., 0] * angle.cos() + local[..., 1] * angle.sin()
    distance = local.square().sum(dim=-1).sqrt()
    stripes = torch.sin(along * waves * math.pi) * 4
    rings = torch.sin(distance * waves * math.pi) * 4
    cells = torch.randn(count, 1, 12, 12, generator=rng, device=device)
    patches = F.grid_sample(cells, local / 1.3, padding_mode="reflection", align_corners=False)[:, 0] * 3
    share = torch.where(kind < 0.3, stripes, torch.where(kind < 0.45, rings, torch.where(kind < 0.7, patches, along)))
    first, second = torch.rand(2, count, 3, 1, 1, generator=rng, device=device)
    return torch.lerp(first, second, share.sigmoid()[:, None])


def _lumpy(local: Tensor, rng: Rng) -> Tensor:
    """The radius of each pixel (B, H, W) relative to the outline: diamonds, ellipses or rectangles, some lumpy."""
    count, device = len(local), local.device
    x, y = local[..., 0], local[..., 1]
    # The power makes the superellipse a diamond, an ellipse or nearly a rectangle.
    power = torch.exp2(torch.rand(count, 1, 1, generator=rng, device=device) * 3.5)
    radius = (x.abs().clamp(min=1e-4) ** power + y.abs().clamp(min=1e-4) ** power) ** (1 / power)
    angle = torch.atan2(y, x)
    lumps = torch.ones_like(radius)
    lumpy = (torch.rand(count, 1, 1, generator=rng, device=device) < 0.5).float()
    for wave in range(2, 7):
        size = torch.rand(count, 1, 1, generator=rng, device=device) * 0.35 / wave**0.5
        phase = torch.rand(count, 1, 1, generator=rng, device=device) * 2 * math.pi
        lumps = lumps + lumpy * size * torch.cos(wave * angle + phase)
    return radius + 1 - lumps.clamp(min=0.2) * 0.8


def _polygon(local: Tensor, rng: Rng) -> Tensor:
    """The radius of each pixel (B, H, W) relative to convex polygons of three to eight sides."""
    count, device = len(local), local.device
    sides = torch.randint(3, SIDES + 1, (count, 1), generator=rng, device=device)
    order = torch.arange(SIDES, device=device).expand(count, -1)
    jitter = torch.rand(count, SIDES, generator=rng, device=device) * 0.6 - 0.3
    turn = torch.rand(count, 1, generator=rng, device=device)
    angle = (order + jitter + turn * sides) * 2 * math.pi / sides
    reach = torch.rand(count, SIDES, generator=rng, device=device) * 0.5 + 0.35
    reach = torch.where(order < sides, reach, torch.full_like(reach, 1e3))
    radius = torch.full(local.shape[:3], -1e3, device=device)
    for side in range(SIDES):
        cosine, sine = angle[:, side].cos().view(-1, 1, 1), angle[:, side].sin().view(-1, 1, 1)
        beyond = local[..., 0] * cosine + local[..., 1] * sine - reach[:, side].view(-1, 1, 1)
        radius = torch.maximum(radius, 1 + beyond)
    return radius


def _chance(count: int, share: float, rng: Rng, device: torch.device) -> Tensor:
    return torch.rand(count, 1, 1, generator=rng, device=device) < share
