"""Frames: one training batch, made from the pool on the device: pictures, drawn boxes, true boxes and masks."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from core.encoders.light.encoder import MEAN, STD
from core.geometry import MODEL_SIZE
from core.pretraining.config import PretrainConfig
from core.pretraining.cutouts import Cutouts
from core.pretraining.paste import Anchor, Pasted, Shares, ends, outline_alpha, paste, sharpened, tight_boxes
from core.pretraining.pool import MASK_SIDE, Pool
from core.pretraining.style import borrow_looks, mix_channels
from core.records import Drawing
from core.refiner.drawing_vectors import KNOWN_DRAWINGS
from core.refiner.network import grid
from core.training.augment import Rng, View, frame_points, look_up, random_view, recoloured, worn
from core.training.drawing_noise import draw_carelessly, fit

CANDIDATES = 24
PASTES = 2
LEAST_SIDE = 4.0 / 512
LEAST_VISIBLE = 0.85
MOST_COVERED = 0.1
"""Largest covered share of a box without outline: more could hide an edge."""
LEAST_UNCOVERED = 0.4
"""Least visible share of an object with an outline, whose visible part has a known box."""


@dataclass(frozen=True)
class Frames:
    """B frames with K drawn boxes each; boxes are frame pixels.

    pictures: (B, 3, 512, 512), normalized; content: (B, 4) the box of the image in the frame
    true, drawn: (B, K, 4); weight: (B, K), 0 if a frame has no box; pixel: (B, 1, 1) frame pixels an image pixel
    drawing: (B,) how the boxes of each frame are drawn, as for `RefinerNetwork.forward`
    """

    pictures: Tensor
    content: Tensor
    true: Tensor
    drawn: Tensor
    weight: Tensor
    pixel: Tensor
    drawing: Tensor
    _chosen: Tensor
    _masks: _MaskSource

    def masks(self, region: Tensor, cells: int) -> tuple[Tensor, Tensor]:
        """Sample true masks over regions (B, K, 4): (B, K, cells, cells) in [0, 1], and which are known (B, K)."""
        values, known = self._masks.over(region, self._chosen, cells)
        return values, known * self.weight


@dataclass(frozen=True)
class _MaskSource:
    """The masks of a batch's candidates: textures of the pool, and alphas of the pasted objects."""

    view: View
    boxes: Tensor
    textures: Tensor
    texture_known: Tensor
    alphas: Tensor

    def over(self, region: Tensor, chosen: Tensor, cells: int) -> tuple[Tensor, Tensor]:
        count, many = chosen.shape
        x, y = grid(region / MODEL_SIZE, cells)
        x, y = x[:, :, None, :].expand(-1, -1, cells, -1), y[..., None].expand(-1, -1, -1, cells)
        points = torch.stack([x, y], dim=-1)
        pasted = chosen >= CANDIDATES
        row = chosen.clamp(max=CANDIDATES - 1)
        spots = self.view.to_picture(points)
        box = self.boxes.gather(1, row[..., None].expand(-1, -1, 4))[:, :, None, None]
        local = (spots - (box[..., :2] + box[..., 2:]) / 2) / ((box[..., 2:] - box[..., :2]) / 2)
        texture = self.textures[torch.arange(count, device=row.device)[:, None], row].flatten(0, 1)[:, None]
        own = F.grid_sample(texture.float() / 255, local.flatten(0, 1), mode="bilinear", align_corners=False)
        wanted = points.reshape(count, many * cells, cells, 2) * 2 - 1
        alphas = F.grid_sample(self.alphas, wanted, mode="bilinear", align_corners=False)
        alphas = alphas.view(count, PASTES, many, cells, cells).transpose(1, 2)
        uncovered = (1 - alphas).prod(dim=2)
        own = own.view(count, many, cells, cells) * uncovered
        slot = (chosen - CANDIDATES).clamp(min=0)[:, :, None, None, None].expand(-1, -1, 1, cells, cells)
        # The later paste lies on top of the earlier one.
        visible = torch.stack([alphas[:, :, 0] * (1 - alphas[:, :, 1]), alphas[:, :, 1]], dim=2)
        values = torch.where(pasted[:, :, None, None], visible.gather(2, slot)[:, :, 0], own)
        known = pasted | self.texture_known.gather(1, row)
        return values, known.float()


def make_frames(pool: Pool, cutouts: Cutouts, rows: Tensor, config: PretrainConfig, rng: Rng) -> Frames:
    """Make one batch from the pool's pictures `rows` (B,)."""
    device = rows.device
    table = _candidates(pool.box_table[rows], rng)
    known = table >= 0
    boxes = torch.where(
        known[..., None], pool.boxes[table.clamp(min=0)], torch.tensor([0.0, 0.0, 1.0, 1.0], device=device)
    )
    view = random_view(pool.sizes[rows], boxes[:, 0], rng)
    points = frame_points(len(rows), device)
    content = view.content()
    pixels = recoloured(look_up(pool.pictures[rows], view.to_picture(points)), rng)
    anchor = _first_anchor(pool, table[:, 0], boxes[:, 0], view, points)
    pasted = _paste_two(pixels, points, pool, cutouts, anchor, config, rng)
    pixels = pasted[-1].pixels
    pixels = borrow_looks(mix_channels(pixels, rng, share=config.style_share), rng, share=config.style_share)
    pixels = _mask_padding(worn(pixels, rng), points, content)
    textures = pool.mask_of[table.clamp(min=0)]
    masks = _MaskSource(
        view=view,
        boxes=boxes,
        textures=pool.masks[textures.clamp(min=0)] if len(pool.masks) else boxes.new_zeros(*table.shape, 64, 64),
        texture_known=(textures >= 0) & known,
        alphas=torch.cat([entry.alpha for entry in pasted], dim=1),
    )
    true, good = _true_boxes(masks, known, content, pasted)
    chosen, weight = _choose(good, config.boxes_per_image, rng, favored=_touching(pasted))
    true = true.gather(1, chosen[..., None].expand(-1, -1, 4)) * MODEL_SIZE
    content = content * MODEL_SIZE
    pixel = (MODEL_SIZE / view.extent.amax(dim=-1)).view(-1, 1, 1)
    seen = torch.cat([content[:, :2].clamp(min=0), content[:, 2:].clamp(max=MODEL_SIZE)], dim=-1)
    drawing = _drawings(len(rows), config, rng)
    drawn = draw_carelessly(true, rng, pixel=pixel, drawing=drawing)
    drawn = fit(drawn, seen, least=torch.clamp(4 * pixel, max=24.0))
    pictures = (pixels - MEAN) / STD * _inside(points, content)
    return Frames(pictures, content, true, drawn, weight, pixel, drawing, chosen, masks)


def _drawings(count: int, config: PretrainConfig, rng: Rng) -> Tensor:
    """Choose how the boxes of each frame are drawn: (B,) 0 for UNKNOWN, then those of KNOWN_DRAWINGS."""
    share_of = {
        Drawing.DRAG: config.drag_share,
        Drawing.COARSE: config.coarse_share,
        Drawing.PLACED: config.placed_share,
    }
    shares = [share_of[drawing] for drawing in KNOWN_DRAWINGS]
    if not any(shares):
        return torch.zeros(count, dtype=torch.long, device=rng.device)
    weights = torch.tensor([max(0.0, 1 - sum(shares)), *shares], device=rng.device)
    return torch.multinomial(weights, count, replacement=True, generator=rng)


def _paste_two(
    pixels: Tensor, points: Tensor, pool: Pool, cutouts: Cutouts, anchor: Anchor, config: PretrainConfig, rng: Rng
) -> list[Pasted]:
    """Paste two objects one after the other, the second one often against the first."""
    first_shares = Shares(config.paste_share, config.shape_share, config.cutout_share, config.touch_share)
    first = paste(pixels, points, pool, cutouts, rng, shares=first_shares, anchor=anchor)
    box, large = tight_boxes(first.alpha[:, 0] > 0.5)
    on_first = large & (torch.rand(len(box), generator=rng, device=box.device) < 0.6)
    both = Anchor(
        boxes=torch.where(on_first[:, None], box, anchor.boxes),
        there=on_first | anchor.there,
        alpha=torch.where(on_first.view(-1, 1, 1, 1), first.alpha, anchor.alpha * (1 - first.alpha)),
    )
    half_as_often = Shares(config.paste_share * 0.5, config.shape_share, config.cutout_share, config.touch_share)
    return [first, paste(first.pixels, points, pool, cutouts, rng, shares=half_as_often, anchor=both)]


def _first_anchor(pool: Pool, row: Tensor, box: Tensor, view: View, points: Tensor) -> Anchor:
    """Make an anchor of the first candidate of each frame: `row` (B,) and `box` (B, 4) in picture pixels."""
    placed = view.boxes_to_frame(box[:, None])[:, 0]
    side = placed[:, 2:] - placed[:, :2]
    seen = (placed[:, 2:] > 0).all(dim=-1) & (placed[:, :2] < 1).all(dim=-1)
    there = (row >= 0) & (side.amin(dim=-1) > 2 * LEAST_SIDE) & seen
    if not len(pool.masks):
        return Anchor(placed, there, points.new_zeros(len(row), 1, *points.shape[1:3]))
    middle, half = (box[:, :2] + box[:, 2:]).view(-1, 1, 1, 2) / 2, (box[:, 2:] - box[:, :2]).view(-1, 1, 1, 2) / 2
    alpha = outline_alpha(pool, row.clamp(min=0), (view.to_picture(points) - middle) / half)
    outlined = there & (pool.mask_of[row.clamp(min=0)] >= 0)
    return Anchor(placed, there, sharpened(alpha, side / 2, MASK_SIDE) * outlined.view(-1, 1, 1, 1))


def _touching(pasted: list[Pasted]) -> Tensor:
    """(B, 24 + 2): 1.0 for candidates that an object was pasted against, and for these pasted objects."""
    laid = torch.stack([entry.touches for entry in pasted], dim=1)
    favored = torch.zeros(len(laid), CANDIDATES + PASTES, device=laid.device)
    favored[:, 0] = laid.any(dim=1).float()
    favored[:, CANDIDATES] = laid.any(dim=1).float()
    favored[:, CANDIDATES + 1] = laid[:, 1].float()
    return favored


def _candidates(table: Tensor, rng: Rng) -> Tensor:
    """(B, most) rows of boxes -> (B, 24): a random choice, padded with -1 at the end."""
    order = torch.rand(table.shape, generator=rng, device=table.device) + (table < 0).float() * 2
    picked = table.gather(1, order.argsort(dim=1))[:, :CANDIDATES]
    return F.pad(picked, (0, CANDIDATES - picked.shape[1]), value=-1)


def _inside(points: Tensor, content: Tensor) -> Tensor:
    """(B, 1, H, W): 1.0 where a frame pixel belongs to the image; `content` in frame pixels."""
    low, high = content[:, None, None, :2] / MODEL_SIZE, content[:, None, None, 2:] / MODEL_SIZE
    return ((points >= low) & (points < high)).all(dim=-1)[:, None].float()


def _mask_padding(pixels: Tensor, points: Tensor, content: Tensor) -> Tensor:
    return pixels * _inside(points, content * MODEL_SIZE)


def _true_boxes(masks: _MaskSource, known: Tensor, content: Tensor, pasted: list[Pasted]) -> tuple[Tensor, Tensor]:
    """The boxes of all candidates' visible parts (B, 24 + 2, 4), frame fractions, and which are usable for training."""
    seen_low, seen_high = content[:, None, :2].clamp(min=0), content[:, None, 2:].clamp(max=1)
    whole = masks.view.boxes_to_frame(masks.boxes)
    clipped = torch.cat([whole[..., :2].maximum(seen_low), whole[..., 2:].minimum(seen_high)], dim=-1)
    area = (whole[..., 2:] - whole[..., :2]).prod(dim=-1).clamp(min=1e-9)
    visible = (clipped[..., 2:] - clipped[..., :2]).clamp(min=0).prod(dim=-1) / area
    inset, uncovered = _uncovered(masks, whole)
    shown = torch.cat([clipped[..., :2].maximum(inset[..., :2]), clipped[..., 2:].minimum(inset[..., 2:])], dim=-1)
    outlined = masks.texture_known
    clear = torch.where(outlined, uncovered > LEAST_UNCOVERED, _covered(clipped, masks.alphas) < MOST_COVERED)
    true = torch.where(outlined[..., None], shown, clipped)
    large = (true[..., 2:] - true[..., :2]).amin(dim=-1) > LEAST_SIDE
    good = known & (visible > LEAST_VISIBLE) & large & clear
    laid, laid_good = [], []
    for slot, entry in enumerate(pasted):
        left = entry.alpha * (1 - masks.alphas[:, slot + 1 :]).prod(dim=1, keepdim=True)
        box, there = tight_boxes(left[:, 0] > 0.5)
        box = box[:, None]
        inside = torch.cat([box[..., :2].maximum(seen_low), box[..., 2:].minimum(seen_high)], dim=-1)
        fits = (inside - box).abs().amax(dim=-1)[:, 0] < 1e-6
        share = left.sum(dim=(1, 2, 3)) / entry.alpha.sum(dim=(1, 2, 3)).clamp(min=1)
        laid.append(inside)
        laid_good.append((fits & there & entry.there & (share > LEAST_UNCOVERED))[:, None])
    return torch.cat([true, *laid], dim=1), torch.cat([good, *laid_good], dim=1)


def _uncovered(masks: _MaskSource, whole: Tensor) -> tuple[Tensor, Tensor]:
    """The boxes (B, J, 4) of the uncovered parts of candidates with an outline, and the uncovered shares (B, J).

    whole: (B, J, 4) the candidates' boxes, frame fractions. An edge that is not covered keeps its exact position.
    """
    texture = masks.textures.float() / 255
    cells = texture.shape[-1]
    x, y = grid(whole, cells)
    points = torch.stack([x[:, :, None, :].expand(-1, -1, cells, -1), y[..., None].expand(-1, -1, -1, cells)], dim=-1)
    there = masks.view.to_picture(points)
    low, high = masks.boxes[:, :, None, None, :2], masks.boxes[:, :, None, None, 2:]
    # A rotated or mirrored frame samples the texture rotated or mirrored.
    local = (there - (low + high) / 2) / ((high - low) / 2)
    own = F.grid_sample(texture.flatten(0, 1)[:, None], local.flatten(0, 1), mode="bilinear", align_corners=False)
    own = own.view(*whole.shape[:2], cells, cells)
    over = F.grid_sample(masks.alphas, points.flatten(1, 2) * 2 - 1, mode="bilinear", align_corners=False)
    left = own * (1 - over).prod(dim=1).view_as(own)
    edges = []
    for axis in (2, 3):
        first, last = ends((own > 0.5).any(dim=axis))
        first_left, last_left = ends((left > 0.5).any(dim=axis))
        edges.append(((first_left - first).clamp(min=0) / cells, (last - last_left).clamp(min=0) / cells))
    side = whole[..., 2:] - whole[..., :2]
    (left_in, right_in), (top_in, bottom_in) = edges
    inset = torch.stack([left_in, top_in, -right_in, -bottom_in], dim=-1) * torch.cat([side, side], dim=-1)
    return whole + inset, left.sum(dim=(2, 3)) / own.sum(dim=(2, 3)).clamp(min=1)


def _covered(boxes: Tensor, alphas: Tensor) -> Tensor:
    """The share of each box (B, J, 4; frame fractions) that the alphas (B, P, H, W) cover: (B, J)."""
    if alphas.shape[1] == 0:
        return boxes.new_zeros(boxes.shape[:2])
    cells = 12
    x, y = grid(boxes, cells)
    points = torch.stack([x[:, :, None, :].expand(-1, -1, cells, -1), y[..., None].expand(-1, -1, -1, cells)], dim=-1)
    wanted = points.flatten(1, 2) * 2 - 1
    under = F.grid_sample(alphas.amax(dim=1, keepdim=True), wanted, mode="bilinear", align_corners=False)
    return under.view(*boxes.shape[:2], -1).mean(dim=-1)


def _choose(good: Tensor, many: int, rng: Rng, *, favored: Tensor) -> tuple[Tensor, Tensor]:
    """Choose `many` of the good candidates of each frame, repeated if there are fewer: rows and weights, (B, K) each.

    Candidates that are `favored` (B, J), 0 or 1, come first with a probability of one half.
    """
    order = torch.rand(good.shape, generator=rng, device=good.device) + (~good).float() * 2
    first = torch.rand(good.shape, generator=rng, device=good.device) < 0.5
    order = (order - favored * first * good).argsort(dim=1)
    count = good.sum(dim=1, keepdim=True)
    place = torch.arange(many, device=good.device)[None] % count.clamp(min=1)
    return order.gather(1, place), (count > 0).float().expand(-1, many).contiguous()
