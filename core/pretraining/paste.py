"""Pasted things: cut-outs, masked objects and textured random shapes laid over training frames, with exact outlines.

They teach boundaries without classes, without limit: what is in front, where it ends, and that its own box is wanted
and not its neighbour's (Ghiasi et al., Simple Copy-Paste, 2021). Many are laid against a thing that is there
already, in front of it or behind it, since things that touch are what a refiner confuses.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from core.encoders.light.encoder import INPUT_SIZE
from core.pretraining.cutouts import Cutouts
from core.pretraining.pool import MASK_SIDE, Pool
from core.pretraining.shapes import random_pattern, random_shape
from core.training.augment import Rng, look_up, recoloured

BEHIND_SHARE = 0.4
INSIDE_SHARE = 0.12


@dataclass(frozen=True)
class Pasted:
    """Frames with one more thing in each: pixels (B, 3, 512, 512) and the thing's alpha (B, 1, 512, 512).

    `there` (B,) tells where a thing was really pasted, `touches` (B,) where it was laid against another one.
    """

    pixels: Tensor
    alpha: Tensor
    there: Tensor
    touches: Tensor


@dataclass(frozen=True)
class Anchor:
    """Things that others are laid against: boxes (B, 4) as frame fractions, whether there is one (B,), and their alpha
    (B, 1, 512, 512), 0 where the outline is not known."""

    boxes: Tensor
    there: Tensor
    alpha: Tensor


@dataclass(frozen=True)
class Shares:
    """How often a thing is pasted, and of these how many are what; those that are neither are masked objects."""

    pasted: float
    shapes: float
    cutouts: float
    touching: float


def paste(
    pixels: Tensor, points: Tensor, pool: Pool, cutouts: Cutouts, rng: Rng, *, shares: Shares, anchor: Anchor
) -> Pasted:
    """Lay one thing over some of the frames (B, 3, 512, 512); `points` are `augment.frame_points`."""
    count, device = len(pixels), pixels.device
    nowhere = torch.zeros(count, dtype=torch.bool, device=device)
    if shares.pasted <= 0:
        return Pasted(pixels, pixels.new_zeros(count, 1, *pixels.shape[2:]), nowhere, nowhere)

    def uniform(low: float, high: float) -> Tensor:
        return torch.rand(count, generator=rng, device=device) * (high - low) + low

    kind = uniform(0, 1)
    shapes = kind < (shares.shapes if len(pool.masks) or len(cutouts.looks) else 1.1)
    cut = ~shapes & (kind < shares.shapes + shares.cutouts) & bool(len(cutouts.looks))
    masked = ~shapes & ~cut & bool(len(pool.masks))
    shapes = ~cut & ~masked
    instance = pool.masked[_any_of(pool.masked, uniform(0, 1))] if len(pool.masks) else None
    look = _any_of(cutouts.shapes, uniform(0, 1)) if len(cutouts.looks) else None
    touches = anchor.there & (uniform(0, 1) < shares.touching)
    stretch = uniform(-0.4, 0.4) + torch.where(shapes & (uniform(0, 1) < 0.35), uniform(-2.4, 2.4), 0.0)
    if instance is not None:
        sides = pool.boxes[instance][:, 2:] - pool.boxes[instance][:, :2]
        stretch = stretch + torch.where(masked, (sides[:, 0] / sides[:, 1].clamp(min=1)).clamp(0.1, 10).log2(), 0.0)
    if look is not None:
        stretch = stretch + torch.where(cut, cutouts.shapes[look].log2(), 0.0)
    centre, half = _placed(torch.exp2(stretch), anchor, touches, rng)
    angle = uniform(-math.pi, math.pi) * (uniform(0, 1) < 0.5)
    local = _rotated(points - centre.view(-1, 1, 1, 2), angle) / half.view(-1, 1, 1, 2)
    alpha, colour = _shape(local, half, pool, rng)
    if instance is not None:
        alpha, colour = _where(masked, _masked_object(local, instance, pool, half, rng), (alpha, colour))
    if look is not None:
        alpha, colour = _where(cut, _cut_out(local, cutouts.looks[look], half, rng), (alpha, colour))
    behind = (touches & (uniform(0, 1) < BEHIND_SHARE)).view(-1, 1, 1, 1)
    there = uniform(0, 1) < shares.pasted
    alpha = alpha * (1 - anchor.alpha * behind) * there.view(-1, 1, 1, 1)
    return Pasted(pixels * (1 - alpha) + colour * alpha, alpha, there, touches & there)


def _placed(stretch: Tensor, anchor: Anchor, touches: Tensor, rng: Rng) -> tuple[Tensor, Tensor]:
    """Centres and half sides (B, 2) as frame fractions, of things that are `stretch` (B,) times as wide as high."""
    count, device = len(stretch), stretch.device

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return torch.rand(count, *shape, generator=rng, device=device) * (high - low) + low

    root = stretch.clamp(0.05, 20).sqrt()
    free_side = torch.exp2(uniform(math.log2(0.05), math.log2(0.6)))
    middle = (anchor.boxes[:, :2] + anchor.boxes[:, 2:]) / 2
    reach = (anchor.boxes[:, 2:] - anchor.boxes[:, :2]).clamp(min=0.01) / 2
    inside = uniform(0, 1) < INSIDE_SHARE
    times = torch.where(inside, uniform(-1.8, -0.5), uniform(-1.0, 1.0))
    beside_side = ((4 * reach.prod(dim=-1)).sqrt() * torch.exp2(times)).clamp(0.04, 0.9)
    side = torch.where(touches, beside_side, free_side)
    half = torch.stack([side * root, side / root], dim=-1) / 2
    angle = uniform(-math.pi, math.pi)
    way = torch.stack([angle.cos(), angle.sin()], dim=-1)
    # From half over each other to just touching; the direction goes round the anchor's own shape.
    apart = torch.where(inside[:, None], reach * uniform(0.0, 0.8, 1), (reach + half) * uniform(0.5, 1.0, 1))
    return torch.where(touches[:, None], middle + way * apart, uniform(0.02, 0.98, 2)), half


def _any_of(entries: Tensor, chance: Tensor) -> Tensor:
    """Random rows (B,) of a tensor, from chances (B,) in [0, 1)."""
    return (chance * len(entries)).long().clamp(max=len(entries) - 1)


def _where(chosen: Tensor, these: tuple[Tensor, Tensor], others: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    mask = chosen.view(-1, 1, 1, 1)
    return torch.where(mask, these[0], others[0]), torch.where(mask, these[1], others[1])


def _rotated(points: Tensor, angle: Tensor) -> Tensor:
    cosine, sine = angle.cos().view(-1, 1, 1), angle.sin().view(-1, 1, 1)
    x, y = points[..., 0], points[..., 1]
    return torch.stack([x * cosine + y * sine, y * cosine - x * sine], dim=-1)


def _shape(local: Tensor, half: Tensor, pool: Pool, rng: Rng) -> tuple[Tensor, Tensor]:
    """Alpha (B, 1, H, W) and colours (B, 3, H, W) of random shapes, seen in [-1, 1] coordinates."""
    count, device = len(local), local.device
    alpha = random_shape(local, half, rng)
    source = torch.randint(len(pool.pictures), (count,), generator=rng, device=device)
    size = pool.sizes[source]
    reach = size * (torch.rand(count, 1, generator=rng, device=device) * 0.45 + 0.05) / 2
    middle = reach + torch.rand(count, 2, generator=rng, device=device) * (size - 2 * reach)
    spots = middle.view(-1, 1, 1, 2) + local.clamp(-1.2, 1.2) * reach.view(-1, 1, 1, 2)
    colour = recoloured(look_up(pool.pictures[source], spots), rng)
    plain = torch.rand(count, 3, 1, 1, generator=rng, device=device)
    look = torch.rand(count, 1, 1, 1, generator=rng, device=device)
    colour = torch.where(look < 0.35, plain + (colour - 0.5) * 0.15, colour)
    return alpha, torch.where(look > 0.7, random_pattern(local, rng), colour).clamp(0, 1)


def _masked_object(local: Tensor, instance: Tensor, pool: Pool, half: Tensor, rng: Rng) -> tuple[Tensor, Tensor]:
    """Alpha and colours of the pool's masked objects, seen in [-1, 1] coordinates."""
    alpha = sharpened(outline_alpha(pool, instance, local), half, MASK_SIDE)
    box = pool.boxes[instance]
    spots = (box[:, :2] + box[:, 2:]).view(-1, 1, 1, 2) / 2 + local * (box[:, 2:] - box[:, :2]).view(-1, 1, 1, 2) / 2
    return alpha, recoloured(look_up(pool.pictures[pool.image_of[instance]], spots), rng)


def _cut_out(local: Tensor, looks: Tensor, half: Tensor, rng: Rng) -> tuple[Tensor, Tensor]:
    """Alpha and colours of cut-outs (B, 4, S, S), seen in [-1, 1] coordinates."""
    seen = F.grid_sample(looks.float() / 255.0, local, mode="bilinear", padding_mode="zeros", align_corners=False)
    alpha = seen[:, 3:]
    colour = seen[:, :3] / alpha.clamp(min=0.5)  # what lies outside is black, and would darken the border
    return sharpened(alpha, half, looks.shape[-1]), recoloured(colour.clamp(0, 1), rng, strength=0.7)


def outline_alpha(pool: Pool, instance: Tensor, local: Tensor) -> Tensor:
    """Masks (B, 1, H, W) in [0, 1] of the pool's boxes `instance` (B,) at coordinates (B, H, W, 2) of their boxes."""
    masks = pool.masks[pool.mask_of[instance].clamp(min=0)][:, None].float() / 255.0
    return F.grid_sample(masks, local, mode="bilinear", padding_mode="zeros", align_corners=False)


def sharpened(alpha: Tensor, half: Tensor, cells: int) -> Tensor:
    """Alpha (B, 1, H, W) with a border of about one frame pixel; a small texture, enlarged, has a wide grey one.

    half: (B, 2) half its sides, frame fractions; cells: the texture's side
    """
    cell = (half.amax(dim=-1) * 2 * INPUT_SIZE / cells).clamp(min=1).view(-1, 1, 1, 1)
    return ((alpha - 0.5) * cell + 0.5).clamp(0, 1)


def tight_boxes(inside: Tensor) -> tuple[Tensor, Tensor]:
    """(B, H, W) bool -> tight boxes (B, 4) as frame fractions, and whether they are at least 6 pixels a side."""
    boxes = []
    for line in (inside.any(dim=1), inside.any(dim=2)):
        low, high = ends(line)
        boxes.append((low, high))
    (x1, x2), (y1, y2) = boxes
    there = inside.any(dim=2).any(dim=1) & (x2 - x1 >= 6) & (y2 - y1 >= 6)
    return torch.stack([x1, y1, x2, y2], dim=-1).float() / INPUT_SIZE, there


def ends(line: Tensor) -> tuple[Tensor, Tensor]:
    """First True and one past the last of (..., N) bool, (...) each; 0 and N where there is none."""
    values = line.to(torch.int8)
    return values.argmax(dim=-1), line.shape[-1] - values.flip(-1).argmax(dim=-1)
