"""Copy-paste augmentation: cut-outs, masked objects and textured random shapes, pasted over training frames.

Pasted objects have exact outlines of any class and in any number, so the refiner learns which object is in front, where
it ends, and which box belongs to it (Ghiasi et al., Simple Copy-Paste, 2021). Many are placed against an existing
object, in front of it or behind it, because refiners confuse objects that touch.
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
    """Frames after pasting an object into each: pixels (B, 3, 512, 512) and the object's alpha (B, 1, 512, 512).

    there: (B,) whether the frame got an object; touches: (B,) whether that was placed against another one
    """

    pixels: Tensor
    alpha: Tensor
    there: Tensor
    touches: Tensor


@dataclass(frozen=True)
class Anchor:
    """The object of each frame to paste against.

    boxes: (B, 4) frame fractions; there: (B,) whether the frame has one
    alpha: (B, 1, 512, 512), 0 if the outline is not known
    """

    boxes: Tensor
    there: Tensor
    alpha: Tensor


@dataclass(frozen=True)
class Shares:
    """The share of frames with a pasted object, and the shares of its kinds; the rest are the pool's masked objects."""

    pasted: float
    shapes: float
    cutouts: float
    touching: float


def paste(
    pixels: Tensor, points: Tensor, pool: Pool, cutouts: Cutouts, rng: Rng, *, shares: Shares, anchor: Anchor
) -> Pasted:
    """Paste one object into some of the frames (B, 3, 512, 512); `points` are `augment.frame_points`."""
    count, device = len(pixels), pixels.device
    nowhere = torch.zeros(count, dtype=torch.bool, device=device)
    if shares.pasted <= 0:
        return Pasted(pixels, pixels.new_zeros(count, 1, *pixels.shape[2:]), nowhere, nowhere)

    def uniform(low: float, high: float) -> Tensor:
        return torch.rand(count, generator=rng, device=device) * (high - low) + low

    kind = uniform(0, 1)
    shapes = kind < (shares.shapes if len(pool.masked) or len(cutouts.looks) else 1.1)
    cut = ~shapes & (kind < shares.shapes + shares.cutouts) & bool(len(cutouts.looks))
    masked = ~shapes & ~cut & bool(len(pool.masked))
    shapes = ~cut & ~masked
    instance = pool.masked[_any_of(pool.masked, uniform(0, 1))] if len(pool.masked) else None
    look = _any_of(cutouts.shapes, uniform(0, 1)) if len(cutouts.looks) else None
    touches = anchor.there & (uniform(0, 1) < shares.touching)
    stretch = uniform(-0.4, 0.4) + torch.where(shapes & (uniform(0, 1) < 0.35), uniform(-2.4, 2.4), 0.0)
    if instance is not None:
        sides = pool.boxes[instance][:, 2:] - pool.boxes[instance][:, :2]
        stretch = stretch + torch.where(masked, (sides[:, 0] / sides[:, 1].clamp(min=1)).clamp(0.1, 10).log2(), 0.0)
    if look is not None:
        stretch = stretch + torch.where(cut, cutouts.shapes[look].log2(), 0.0)
    center, half = _choose_places(torch.exp2(stretch), anchor, touches, rng)
    angle = uniform(-math.pi, math.pi) * (uniform(0, 1) < 0.5)
    local = _rotate(points - center.view(-1, 1, 1, 2), angle) / half.view(-1, 1, 1, 2)
    alpha, color = _shape(local, half, pool, rng)
    if instance is not None:
        alpha, color = _where(masked, _masked_object(local, instance, pool, half, rng), (alpha, color))
    if look is not None:
        alpha, color = _where(cut, _cut_out(local, cutouts.looks[look], half, rng), (alpha, color))
    behind = (touches & (uniform(0, 1) < BEHIND_SHARE)).view(-1, 1, 1, 1)
    there = uniform(0, 1) < shares.pasted
    alpha = alpha * (1 - anchor.alpha * behind) * there.view(-1, 1, 1, 1)
    return Pasted(pixels * (1 - alpha) + color * alpha, alpha, there, touches & there)


def _choose_places(stretch: Tensor, anchor: Anchor, touches: Tensor, rng: Rng) -> tuple[Tensor, Tensor]:
    """Choose centers and half sides (B, 2), frame fractions, of objects `stretch` (B,) times as wide as high."""
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
    # From half overlapping to just touching; scaled by direction to the shape of the anchor's box.
    apart = torch.where(inside[:, None], reach * uniform(0.0, 0.8, 1), (reach + half) * uniform(0.5, 1.0, 1))
    return torch.where(touches[:, None], middle + way * apart, uniform(0.02, 0.98, 2)), half


def _any_of(entries: Tensor, chance: Tensor) -> Tensor:
    """Convert random numbers (B,) in [0, 1) to rows (B,) of a tensor."""
    return (chance * len(entries)).long().clamp(max=len(entries) - 1)


def _where(chosen: Tensor, these: tuple[Tensor, Tensor], others: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    mask = chosen.view(-1, 1, 1, 1)
    return torch.where(mask, these[0], others[0]), torch.where(mask, these[1], others[1])


def _rotate(points: Tensor, angle: Tensor) -> Tensor:
    cosine, sine = angle.cos().view(-1, 1, 1), angle.sin().view(-1, 1, 1)
    x, y = points[..., 0], points[..., 1]
    return torch.stack([x * cosine + y * sine, y * cosine - x * sine], dim=-1)


def _shape(local: Tensor, half: Tensor, pool: Pool, rng: Rng) -> tuple[Tensor, Tensor]:
    """Render random shapes in local coordinates [-1, 1]: alpha (B, 1, H, W) and colors (B, 3, H, W)."""
    count, device = len(local), local.device
    alpha = random_shape(local, half, rng)
    source = torch.randint(len(pool.pictures), (count,), generator=rng, device=device)
    size = pool.sizes[source]
    reach = size * (torch.rand(count, 1, generator=rng, device=device) * 0.45 + 0.05) / 2
    middle = reach + torch.rand(count, 2, generator=rng, device=device) * (size - 2 * reach)
    spots = middle.view(-1, 1, 1, 2) + local.clamp(-1.2, 1.2) * reach.view(-1, 1, 1, 2)
    color = recoloured(look_up(pool.pictures[source], spots), rng)
    plain = torch.rand(count, 3, 1, 1, generator=rng, device=device)
    look = torch.rand(count, 1, 1, 1, generator=rng, device=device)
    color = torch.where(look < 0.35, plain + (color - 0.5) * 0.15, color)
    return alpha, torch.where(look > 0.7, random_pattern(local, rng), color).clamp(0, 1)


def _masked_object(local: Tensor, instance: Tensor, pool: Pool, half: Tensor, rng: Rng) -> tuple[Tensor, Tensor]:
    """Render the pool's masked objects in local coordinates [-1, 1]: alpha and colors."""
    alpha = sharpened(outline_alpha(pool, instance, local), half, MASK_SIDE)
    box = pool.boxes[instance]
    spots = (box[:, :2] + box[:, 2:]).view(-1, 1, 1, 2) / 2 + local * (box[:, 2:] - box[:, :2]).view(-1, 1, 1, 2) / 2
    return alpha, recoloured(look_up(pool.pictures[pool.image_of[instance]], spots), rng)


def render_cutouts(
    points: Tensor, looks: Tensor, center: Tensor, half: Tensor, angle: Tensor, rng: Rng
) -> tuple[Tensor, Tensor]:
    """Render a cut-out (B, 4, S, S) into each frame: alpha (B, 1, 512, 512) and colors (B, 3, 512, 512).

    points: `augment.frame_points`; center and half: (B, 2) middles and half sides, frame fractions; angle: (B,) radians
    """
    return _cut_out(_rotate(points - center.view(-1, 1, 1, 2), angle) / half.view(-1, 1, 1, 2), looks, half, rng)


def _cut_out(local: Tensor, looks: Tensor, half: Tensor, rng: Rng) -> tuple[Tensor, Tensor]:
    """Render cut-outs (B, 4, S, S) in local coordinates [-1, 1]: alpha and colors."""
    seen = F.grid_sample(looks.float() / 255.0, local, mode="bilinear", padding_mode="zeros", align_corners=False)
    alpha = seen[:, 3:]
    color = seen[:, :3] / alpha.clamp(min=0.5)  # undo the blend with the black outside, which darkens the border
    return sharpened(alpha, half, looks.shape[-1]), recoloured(color.clamp(0, 1), rng, strength=0.7)


def outline_alpha(pool: Pool, instance: Tensor, local: Tensor) -> Tensor:
    """Sample masks (B, 1, H, W) in [0, 1] of the pool's boxes `instance` (B,) at their local points (B, H, W, 2)."""
    masks = pool.masks[pool.mask_of[instance].clamp(min=0)][:, None].float() / 255.0
    return F.grid_sample(masks, local, mode="bilinear", padding_mode="zeros", align_corners=False)


def sharpened(alpha: Tensor, half: Tensor, cells: int) -> Tensor:
    """Sharpen the border of an enlarged texture's alpha (B, 1, H, W) to about one frame pixel.

    half: (B, 2) half the object's sides, frame fractions; cells: the texture's side
    """
    cell = (half.amax(dim=-1) * 2 * INPUT_SIZE / cells).clamp(min=1).view(-1, 1, 1, 1)
    return ((alpha - 0.5) * cell + 0.5).clamp(0, 1)


def tight_boxes(inside: Tensor) -> tuple[Tensor, Tensor]:
    """(B, H, W) bool -> tight boxes (B, 4), frame fractions, and whether both sides have at least 6 pixels."""
    boxes = []
    for line in (inside.any(dim=1), inside.any(dim=2)):
        low, high = ends(line)
        boxes.append((low, high))
    (x1, x2), (y1, y2) = boxes
    there = inside.any(dim=2).any(dim=1) & (x2 - x1 >= 6) & (y2 - y1 >= 6)
    return torch.stack([x1, y1, x2, y2], dim=-1).float() / INPUT_SIZE, there


def ends(line: Tensor) -> tuple[Tensor, Tensor]:
    """The first True and one past the last in (..., N) bool, (...) each; 0 and N if there is none."""
    values = line.to(torch.int8)
    return values.argmax(dim=-1), line.shape[-1] - values.flip(-1).argmax(dim=-1)
