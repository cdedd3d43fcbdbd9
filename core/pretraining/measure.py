"""Measure a network on the pool's held-out pictures, framed as in the app, and calibrate its confidences and scores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.box_noise import coarsen
from core.encoders.light.encoder import INPUT_SIZE, MEAN, STD
from core.geometry import MODEL_SIZE
from core.pretraining.pool import Pool
from core.refiner.box_refiner import Calibration, cautious, decided
from core.refiner.losses import edge_is_close, pair_iou
from core.training.augment import View, frame_points, look_up
from core.training.precision import Precision

BATCH = 16


@dataclass(frozen=True)
class Answers:
    """The last stage's answers to M held-out boxes, all (M, ...), frame pixels.

    candidates: (M, H, 4) all boxes that the network proposes; H is 1 for networks with a single answer
    """

    true: Tensor
    drawn: Tensor
    boxes: Tensor
    candidates: Tensor
    confidence_logits: Tensor
    score_logits: Tensor
    pixel: Tensor
    set_of: Tensor


def answers(
    encoder: nn.Module, refiner: nn.Module, pool: Pool, precision: Precision, *, noise: str, seed: int = 0
) -> Answers:
    """Refine every held-out box once, drawn with `noise` (see box_noise). Puts the networks into evaluation mode."""
    encoder.eval()
    refiner.eval()
    random = np.random.default_rng(seed)
    parts = [_answer_rows(encoder, refiner, pool, rows, precision, noise, random) for rows in _held_out_rows(pool)]
    return Answers(**{name: torch.cat([getattr(part, name) for part in parts]) for name in vars(parts[0])})


def summary(found: Answers, calibration: Calibration) -> dict[str, float]:
    """Mean IoU before and after, share of 0.9 and above, share that lost more than 0.02 IoU; means over sets."""
    boxes, _, _ = decided(
        found.boxes[None], found.confidence_logits[None], found.score_logits[None], found.drawn[None], calibration
    )
    before, after = pair_iou(found.drawn, found.true), pair_iou(boxes[0], found.true)
    columns = {
        "before": before,
        "after": after,
        "ge90": (after >= 0.9).float(),
        "harmed": (after < before - 0.02).float(),
    }
    if found.candidates.shape[1] > 1:
        best = pair_iou(found.candidates, found.true[:, None].expand_as(found.candidates)).amax(dim=-1)
        columns |= {"best": best, "best ge90": (best >= 0.9).float()}
    groups = [found.set_of == index for index in found.set_of.unique()]
    return {name: float(torch.stack([values[g].mean() for g in groups]).mean()) for name, values in columns.items()}


def calibrated(found: list[Answers], start: Calibration) -> Calibration:
    """Fit Platt scaling (Platt, 1999) of confidences and scores to held-out answers.

    The other values of `start`, which limit how far boxes move, are applied first and stay as they are.
    """
    found = [replace(a, boxes=cautious(a.boxes, a.confidence_logits, a.drawn, start)) for a in found]
    close = torch.cat([edge_is_close(a.boxes, a.true, pixel=a.pixel[:, None]) for a in found])
    logits = torch.cat([a.confidence_logits for a in found])
    confidence_scale, confidence_shift = _platt(logits.flatten(), close.flatten())
    ious = torch.cat([torch.stack([pair_iou(a.boxes, a.true), pair_iou(a.drawn, a.true)], dim=-1) for a in found])
    score_scale, score_shift = _platt(torch.cat([a.score_logits for a in found]).flatten(), ious.flatten())
    return replace(
        start,
        confidence_scale=confidence_scale,
        confidence_shift=confidence_shift,
        score_scale=score_scale,
        score_shift=score_shift,
    )


def constant(found: list[Answers]) -> Calibration:
    """Make a constant calibration for a network without confidence: its share of close edges and its mean IoU."""
    close = torch.cat([edge_is_close(a.boxes, a.true, pixel=a.pixel[:, None]) for a in found]).mean()
    quality = torch.cat([pair_iou(a.boxes, a.true) for a in found]).mean()
    return Calibration(
        confidence_scale=0.0,
        confidence_shift=float(close.logit(eps=1e-3)),
        score_scale=0.0,
        score_shift=float(quality.logit(eps=1e-3)),
    )


def _platt(logits: Tensor, wanted: Tensor) -> tuple[float, float]:
    values, target = logits.double().cpu(), wanted.double().cpu()
    line = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([line], max_iter=50)

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = F.binary_cross_entropy_with_logits(values * line[0] + line[1], target)
        value.backward()
        return value

    optimizer.step(loss)
    scale, shift = line.detach().tolist()
    return scale, shift


def _held_out_rows(pool: Pool) -> Iterator[Tensor]:
    rows = torch.nonzero(pool.held_out & (pool.box_table[:, 0] >= 0)).flatten()
    yield from rows.split(BATCH)


@torch.no_grad()
def _answer_rows(
    encoder: nn.Module,
    refiner: nn.Module,
    pool: Pool,
    rows: Tensor,
    precision: Precision,
    noise: str,
    random: np.random.Generator,
) -> Answers:
    sizes = pool.sizes[rows]
    extent = sizes.amax(dim=-1, keepdim=True).expand(-1, 2)
    no = torch.zeros(len(rows), dtype=torch.bool, device=rows.device)
    view = View(torch.zeros_like(sizes), extent, sizes, no, no)
    points = frame_points(len(rows), rows.device)
    content = view.content()
    inside = (points < content[:, None, None, 2:] + 0.5 / INPUT_SIZE).all(dim=-1)[:, None]
    pictures = (look_up(pool.pictures[rows], view.to_picture(points)) - MEAN) / STD * inside
    table = pool.box_table[rows]
    table = table[
        :, : int((table >= 0).sum(dim=1).amax())
    ]  # trim the padding, which is as long as the pool's fullest picture needs
    known = table >= 0
    boxes = pool.boxes[table.clamp(min=0)]
    size = sizes.cpu().numpy()[:, None].repeat(table.shape[1], axis=1)[known.cpu().numpy()]
    coarse = coarsen(boxes[known].cpu().numpy(), noise, random, width=size[:, 0], height=size[:, 1])
    drawn = boxes.clone()
    drawn[known] = torch.from_numpy(coarse).to(boxes)
    scale = (MODEL_SIZE / extent[:, :1])[:, None]
    with precision.forward():
        embedding, detail = encoder(pictures.contiguous(memory_format=torch.channels_last))
        last = refiner(embedding, detail, drawn * scale, content * MODEL_SIZE)[-1]
    return Answers(
        true=(boxes * scale)[known],
        drawn=(drawn * scale)[known],
        boxes=last.boxes.float()[known],
        candidates=getattr(last, "hypotheses", last.boxes[:, :, None]).float()[known],
        confidence_logits=last.confidence_logits.float()[known],
        score_logits=last.score_logits.float()[known],
        pixel=scale[:, 0].expand(-1, table.shape[1])[known],
        set_of=pool.set_of[rows][:, None].expand(-1, table.shape[1])[known],
    )
