"""Episodes: small labelling sessions, made from the pool on the device, from which suggesting is learned.

In each episode a user has labelled a few objects of one category, in one picture or in several, and the others are to
be found: in the rest of that picture, and in the next ones. The categories are those of the pool's sets, and cut-outs
that are pasted many times each, of which there is no end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from core.encoders.light.encoder import MEAN, STD
from core.geometry import MODEL_SIZE
from core.pretraining.cutouts import Cutouts
from core.pretraining.paste import render_cutouts, tight_boxes
from core.pretraining.pool import Pool
from core.pretraining.style import borrow_looks, mix_channels
from core.pretraining.suggest_config import SuggestConfig
from core.training.augment import Rng, frame_points, look_up, random_view, recoloured, worn

BOXES = 64
"""Boxes of a picture that an episode knows of: those of its category first."""

LEAST_VISIBLE = 0.6
"""Objects that the frame's border cuts more are neither to be found nor to be left alone."""

LEAST_SIDE = 10.0
"""Objects with a shorter side, in frame pixels, are neither examples nor to be found: about the side of a cell."""


@dataclass(frozen=True)
class Episodes:
    """E episodes of P pictures each, as F = E * P frames; boxes are frame pixels.

    pictures: (F, 3, 512, 512), normalized; content: (F, 4) the box of the image in the frame
    boxes: (F, 64, 4); wanted: (F, 64) those of the episode's category; others: (F, 64) those of other categories
    vague: (F, 64) boxes that are neither to be found nor to be left alone
    shown: (F, 64) the wanted boxes that are examples; done: (F,) pictures in which all that is wanted is shown
    """

    pictures: Tensor
    content: Tensor
    boxes: Tensor
    wanted: Tensor
    others: Tensor
    vague: Tensor
    shown: Tensor
    done: Tensor


class EpisodeMaker:
    """Makes episodes of a pool; it holds which pictures have which categories."""

    def __init__(self, pool: Pool, cutouts: Cutouts, config: SuggestConfig) -> None:
        self._pool, self._cutouts, self._config = pool, cutouts, config
        device = pool.boxes.device
        box_class, box_image = pool.class_of.cpu(), pool.image_of.cpu()
        usable = ~pool.held_out.cpu()[box_image]
        classes = int(box_class.max()) + 1 if len(box_class) else 0
        self._pictures: list[Tensor] = []
        self._class_of: list[int] = []
        counts, sets = [], []
        for number in range(classes):
            pictures = box_image[(box_class == number) & usable].unique()
            if len(pictures) >= 2:
                self._pictures.append(pictures.to(device))
                self._class_of.append(number)
                counts.append(len(pictures))
                sets.append(int(pool.set_of[pictures[0]]))
        size = torch.tensor(counts, dtype=torch.float64)
        of_set = torch.tensor(sets)
        per_set = torch.zeros(len(pool.sets), dtype=torch.float64).index_add_(0, of_set, size.sqrt())
        in_set = torch.bincount(pool.set_of.cpu(), minlength=len(pool.sets)).double() ** config.set_power
        proposed = torch.tensor([config.set_weights.get(name, 1.0) for name in pool.sets], dtype=torch.float64)
        self._weights = (proposed * in_set)[of_set] * size.sqrt() / per_set[of_set]

    def make(self, rng: Rng) -> Episodes:
        """Make the episodes of one step."""
        config, pool, device = self._config, self._pool, self._pool.boxes.device
        many, each = config.episodes, config.pictures
        pasted = round(many * config.cutout_share) if len(self._cutouts.looks) else 0
        # One generator on the device decides everything, so that a run can be repeated.
        picks = torch.multinomial(self._weights.to(device), many, True, generator=rng)
        rows, classes = [], []
        for pick in picks.tolist():
            found = self._pictures[pick]
            order = torch.rand(len(found), generator=rng, device=device).argsort()[:each]
            rows.append(found[order.repeat(each)[:each]])
            classes += [self._class_of[pick]] * each
        row, wanted_class = torch.cat(rows), torch.tensor(classes, device=device)
        of_paste = torch.arange(many * each, device=device) < pasted * each
        any_row = torch.randint(len(pool.pictures), row.shape, generator=rng, device=device)
        row = torch.where(of_paste, any_row, row)
        wanted_class = torch.where(of_paste, -1, wanted_class)
        table = _first_rows(pool, row, wanted_class, rng)
        known = table >= 0
        place = table.clamp(min=0)
        boxes = torch.where(known[..., None], pool.boxes[place], pool.boxes.new_tensor([0.0, 0.0, 1.0, 1.0]))
        of_class = known & (pool.class_of[place] == wanted_class[:, None])
        view = random_view(pool.sizes[row], boxes[:, 0], rng)
        points, content = frame_points(len(row), device), view.content()
        pixels = recoloured(look_up(pool.pictures[row], view.to_picture(points)), rng, strength=0.5)
        placed = view.boxes_to_frame(boxes)
        whole = (placed[..., 2:] - placed[..., :2]).prod(dim=-1).clamp(min=1e-9)
        seen = content.clamp(0, 1)[:, None]
        placed = torch.cat([placed[..., :2].maximum(seen[..., :2]), placed[..., 2:].minimum(seen[..., 2:])], dim=-1)
        side = (placed[..., 2:] - placed[..., :2]).clamp(min=0)
        visible = side.prod(dim=-1) / whole
        clear = (visible > LEAST_VISIBLE) & (side.amin(dim=-1) * MODEL_SIZE >= LEAST_SIDE)
        wanted, others, vague = of_class & clear, known & ~of_class & clear, known & ~clear & (visible > 0)
        if pasted:
            top = pasted * each
            laid = self._paste(pixels[:top], points[:top], content[:top], rng)
            pixels = torch.cat([laid[0], pixels[top:]])
            placed = torch.cat([laid[1], placed[top:]])
            wanted = torch.cat([laid[2] & laid[4], wanted[top:]])
            others = torch.cat([laid[2] & ~laid[4], others[top:]])
            vague = torch.cat([laid[3], vague[top:]])
        pixels = borrow_looks(mix_channels(pixels, rng, share=config.style_share), rng, share=config.style_share)
        inside = ((points >= content[:, None, None, :2]) & (points < content[:, None, None, 2:])).all(dim=-1)[:, None]
        pixels = (worn(pixels * inside, rng) - MEAN) / STD * inside
        shown, done = _show(wanted, many, each, config, rng)
        return Episodes(pixels, content * MODEL_SIZE, placed * MODEL_SIZE, wanted, others, vague, shown, done)

    def _paste(
        self, pixels: Tensor, points: Tensor, content: Tensor, rng: Rng
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Paste one cut-out several times into the frames of an episode, and others between; each lies on the former.

        Returns pixels, boxes (F, 64, 4) as fractions, and (F, 64) bool: usable, vague, and of the episode's cut-out.
        """
        config, device, count = self._config, pixels.device, len(pixels)
        looks, shapes = self._cutouts.looks, self._cutouts.shapes

        def uniform(low: float, high: float, *shape: int) -> Tensor:
            return torch.rand(*shape, generator=rng, device=device) * (high - low) + low

        episodes = count // config.pictures
        own = torch.randint(len(looks), (episodes,), generator=rng, device=device).repeat_interleave(config.pictures)
        usual = torch.exp2(uniform(math.log2(0.05), math.log2(0.35), episodes)).repeat_interleave(config.pictures)
        turns = (uniform(0, 1, episodes) < 0.5).repeat_interleave(config.pictures)
        most = uniform(0, 1, count) ** 2 * config.pastes
        alphas, is_own, there = [], [], []
        for slot in range(config.pastes):
            mine = uniform(0, 1, count) < 0.6
            mine = mine | (slot == 0)
            other = torch.randint(len(looks), (count,), generator=rng, device=device)
            look = torch.where(mine, own, other)
            root = (shapes[look] * torch.exp2(uniform(-0.2, 0.2, count))).clamp(0.05, 20).sqrt()
            side = (
                usual
                * torch.exp2(uniform(-0.5, 0.5, count))
                * torch.where(mine, 1.0, torch.exp2(uniform(-1, 1, count)))
            )
            half = torch.stack([side * root, side / root], dim=-1).clamp(max=0.9) / 2
            low, high = content[:, :2].clamp(0, 1), content[:, 2:].clamp(0, 1)
            center = low + uniform(0, 1, count, 2) * (high - low)
            angle = uniform(-math.pi, math.pi, count) * turns + uniform(-0.15, 0.15, count)
            alpha, color = render_cutouts(points, looks[look], center, half, angle, rng)
            laid = (slot <= most).view(-1, 1, 1, 1)
            alpha = alpha * laid
            pixels = pixels * (1 - alpha) + color * alpha
            alphas.append(alpha[:, 0] > 0.5)
            is_own.append(mine)
            there.append(slot <= most)
        return pixels, *_visible_boxes(alphas, torch.stack(is_own, 1), torch.stack(there, 1), content)


def _visible_boxes(
    alphas: list[Tensor], is_own: Tensor, there: Tensor, content: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    boxes, usable, vague = [], [], []
    over = torch.zeros_like(alphas[0])
    for slot in reversed(range(len(alphas))):
        left = alphas[slot] & ~over
        over = over | alphas[slot]
        box, large = tight_boxes(left)
        share = left.sum(dim=(1, 2)) / alphas[slot].sum(dim=(1, 2)).clamp(min=1)
        at_border = (box[:, :2] <= content[:, :2].clamp(min=0) + 1e-3).any(-1)
        at_border |= (box[:, 2:] >= content[:, 2:].clamp(max=1) - 1e-3).any(-1)
        long = (box[:, 2:] - box[:, :2]).amin(-1) * MODEL_SIZE >= LEAST_SIDE
        clear = large & (share > LEAST_VISIBLE) & long & ~at_border
        boxes.append(box)
        usable.append(clear & there[:, slot])
        vague.append(~clear & there[:, slot] & left.any(dim=2).any(dim=1))
    room = (0, BOXES - len(alphas))
    stacked = torch.stack(boxes[::-1], 1)
    stacked = torch.nn.functional.pad(stacked, (0, 0, *room))
    flags = [torch.nn.functional.pad(torch.stack(each, 1), room) for each in (usable[::-1], vague[::-1])]
    return stacked, flags[0], flags[1], torch.nn.functional.pad(is_own, room)


def _first_rows(pool: Pool, row: Tensor, wanted_class: Tensor, rng: Rng) -> Tensor:
    """Rows (F, 64) of boxes of the pictures `row` (F,), those of the wanted class first, padded with -1."""
    table = pool.box_table[row]
    order = torch.rand(table.shape, generator=rng, device=table.device)
    order = order - (pool.class_of[table.clamp(min=0)] == wanted_class[:, None]).float() + (table < 0).float() * 4
    picked = table.gather(1, order.argsort(dim=1))[:, :BOXES]
    return torch.nn.functional.pad(picked, (0, BOXES - picked.shape[1]), value=-1)


def _show(wanted: Tensor, many: int, each: int, config: SuggestConfig, rng: Rng) -> tuple[Tensor, Tensor]:
    """Which wanted boxes (F, 64) are examples, and which pictures (F,) are done.

    In some episodes one to three objects of the first picture are examples, in the others all of several pictures.
    """
    device = wanted.device
    one_picture = torch.rand(many, generator=rng, device=device) < config.same_picture_share
    count = 1 + (torch.rand(many, generator=rng, device=device) ** 2 * 3).long()
    pictures = 1 + (torch.rand(many, generator=rng, device=device) * (each - 1)).long().clamp(max=each - 2)
    grid = wanted.view(many, each, -1)
    order = torch.rand(grid.shape, generator=rng, device=device) + (~grid).float() * 2
    rank = order.argsort(dim=2).argsort(dim=2)
    number = torch.arange(each, device=device)[None]
    few = grid & (rank < count[:, None, None]) & (number == 0)[..., None]
    done = (number < pictures[:, None]) & ~one_picture[:, None]
    shown = torch.where(one_picture[:, None, None], few, grid & done[..., None])
    return shown.flatten(0, 1), done.flatten()
