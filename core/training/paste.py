"""Pasted things: cut-out objects and textured random shapes laid over training frames, with exact boxes and masks.

They teach boundaries without classes, without limit: what is in front, where it ends, and that its own box is wanted
and not its neighbour's (Ghiasi et al., Simple Copy-Paste, 2021).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from core.encoders.light import INPUT_SIZE
from core.training.augment import Rng, look_up, recoloured
from core.training.pool import MASK_SIDE, Pool
from core.training.shapes import random_pattern, random_shape


@dataclass(frozen=True)
class Pasted:
    """Frames with one more thing in each: pixels (B, 3, 512, 512), its alpha (B, 1, 512, 512), its box (B, 4).

    Boxes are frame fractions; `there` (B,) tells where a thing was really pasted and is large enough.
    """

    pixels: Tensor
    alpha: Tensor
    boxes: Tensor
    there: Tensor


def paste(pixels: Tensor, points: Tensor, pool: Pool, rng: Rng, *, share: float, shape_share: float) -> Pasted:
    """Lay one thing over a `share` of the frames; `shape_share` of them are random shapes, the rest cut-outs."""
    count, device = len(pixels), pixels.device
    if share <= 0:
        nothing = pixels.new_zeros(count, 4)
        return Pasted(pixels, pixels.new_zeros(count, 1, *pixels.shape[2:]), nothing, nothing[:, 0] > 0)

    def uniform(low: float, high: float) -> Tensor:
        return torch.rand(count, generator=rng, device=device) * (high - low) + low

    shapes = uniform(0, 1) < (shape_share if len(pool.masks) else 1.1)
    side = torch.exp2(uniform(math.log2(0.05), math.log2(0.6)))
    stretch = torch.exp2(uniform(-0.6, 0.6) + torch.where(shapes & (uniform(0, 1) < 0.35), uniform(-2.4, 2.4), 0.0))
    half = torch.stack([side * stretch.sqrt(), side / stretch.sqrt()], dim=-1) / 2
    centre = torch.stack([uniform(0.02, 0.98), uniform(0.02, 0.98)], dim=-1)
    angle = uniform(-math.pi, math.pi) * (uniform(0, 1) < 0.5)
    local = _rotated(points - centre.view(-1, 1, 1, 2), angle) / half.view(-1, 1, 1, 2)
    masked = pool.masked
    instance = masked[torch.randint(len(masked), (count,), generator=rng, device=device)] if len(masked) else None
    shape_alpha = random_shape(local, half, rng)
    if instance is None:
        alpha = shape_alpha
        source, spots = _texture(local, pool, rng)
    else:
        cut_alpha, cut_spots = _cut_out(local, instance, pool, half)
        alpha = torch.where(shapes.view(-1, 1, 1, 1), shape_alpha, cut_alpha)
        texture, texture_spots = _texture(local, pool, rng)
        source = torch.where(shapes, texture, pool.image_of[instance])
        spots = torch.where(shapes.view(-1, 1, 1, 1), texture_spots, cut_spots)
    colour = recoloured(look_up(pool.pictures[source], spots), rng)
    plain = torch.rand(count, 3, 1, 1, generator=rng, device=device)
    look = uniform(0, 1)
    mostly_plain = (shapes & (look < 0.35)).view(-1, 1, 1, 1)
    patterned = (shapes & (look > 0.7)).view(-1, 1, 1, 1)
    colour = torch.where(mostly_plain, plain + (colour - 0.5) * 0.15, colour)
    colour = torch.where(patterned, random_pattern(local, rng), colour).clamp(0, 1)
    alpha = alpha * (uniform(0, 1) < share).view(-1, 1, 1, 1)
    boxes, there = _tight_boxes(alpha[:, 0] > 0.5)
    return Pasted(pixels * (1 - alpha) + colour * alpha, alpha, boxes, there)


def _rotated(points: Tensor, angle: Tensor) -> Tensor:
    cosine, sine = angle.cos().view(-1, 1, 1), angle.sin().view(-1, 1, 1)
    x, y = points[..., 0], points[..., 1]
    return torch.stack([x * cosine + y * sine, y * cosine - x * sine], dim=-1)


def _cut_out(local: Tensor, instance: Tensor, pool: Pool, half: Tensor) -> tuple[Tensor, Tensor]:
    """Alpha (B, 1, H, W) and picture pixels (B, H, W, 2) of the pool's masked objects, seen in [-1, 1] coordinates."""
    mask = pool.masks[pool.mask_of[instance]][:, None].float() / 255.0
    alpha = F.grid_sample(mask, local, mode="bilinear", padding_mode="zeros", align_corners=False)
    # A small texture enlarged has a wide grey border; this narrows it to about one frame pixel.
    cell = (half.amax(dim=-1) * 2 * INPUT_SIZE / MASK_SIDE).clamp(min=1).view(-1, 1, 1, 1)
    alpha = ((alpha - 0.5) * cell + 0.5).clamp(0, 1)
    box = pool.boxes[instance]
    spots = (box[:, :2] + box[:, 2:]).view(-1, 1, 1, 2) / 2 + local * (box[:, 2:] - box[:, :2]).view(-1, 1, 1, 2) / 2
    return alpha, spots


def _texture(local: Tensor, pool: Pool, rng: Rng) -> tuple[Tensor, Tensor]:
    """Which picture, and where in it, covers a random shape."""
    count, device = len(local), local.device
    source = torch.randint(len(pool.pictures), (count,), generator=rng, device=device)
    size = pool.sizes[source]
    reach = size * (torch.rand(count, 1, generator=rng, device=device) * 0.45 + 0.05) / 2
    middle = reach + torch.rand(count, 2, generator=rng, device=device) * (size - 2 * reach)
    return source, middle.view(-1, 1, 1, 2) + local.clamp(-1.2, 1.2) * reach.view(-1, 1, 1, 2)


def _tight_boxes(inside: Tensor) -> tuple[Tensor, Tensor]:
    """(B, H, W) bool -> tight boxes (B, 4) as frame fractions, and whether they are at least 6 pixels a side."""
    columns, rows = inside.any(dim=1), inside.any(dim=2)
    boxes = []
    for line in (columns, rows):
        length = line.shape[-1]
        values = line.to(torch.int8)
        low = values.argmax(dim=-1)
        high = length - values.flip(-1).argmax(dim=-1)
        boxes.append((low, high))
    (x1, x2), (y1, y2) = boxes
    there = inside.any(dim=2).any(dim=1) & (x2 - x1 >= 6) & (y2 - y1 >= 6)
    return torch.stack([x1, y1, x2, y2], dim=-1).float() / INPUT_SIZE, there
