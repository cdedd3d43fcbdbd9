"""Losses on boxes, edge distributions and predicted confidences; all are vectorized and masked by `weight`."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from core.refiner.candidates import CandidateAnswer
from core.refiner.network import BINS, StageAnswer


def pair_iou(first: Tensor, second: Tensor) -> Tensor:
    """Return the pairwise IoU of boxes (..., 4): (...), in [0, 1], differentiable."""
    return _overlap(first, second)[0]


def giou_loss(first: Tensor, second: Tensor) -> Tensor:
    """Return 1 - generalized IoU of boxes (..., 4), pairwise: (...), in [0, 2] (Rezatofighi et al., 2019)."""
    iou, union, hull = _overlap(first, second)
    return 1 - iou + (hull - union) / hull.clamp(min=1e-6)


def _overlap(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    inner = torch.minimum(first[..., 2:], second[..., 2:]) - torch.maximum(first[..., :2], second[..., :2])
    outer = torch.maximum(first[..., 2:], second[..., 2:]) - torch.minimum(first[..., :2], second[..., :2])
    shared = _area(inner)
    areas = [_area(box[..., 2:] - box[..., :2]) for box in (first, second)]
    union = areas[0] + areas[1] - shared
    return shared / union.clamp(min=1e-6), union, _area(outer)


def _area(sides: Tensor) -> Tensor:
    """Multiply widths and heights (..., 2): (...). Not by `prod`, whose backward pass synchronizes with the GPU."""
    width, height = sides.clamp(min=0).unbind(dim=-1)
    return width * height


def distribution_loss(edge_logits: Tensor, region: Tensor, true: Tensor) -> Tensor:
    """Cross-entropy of each edge's distribution with the two positions nearest to the true edge: (B, K, 4).

    This is the distribution focal loss (Li et al., 2020). A true edge outside the region counts as its border, NaN as
    its start.
    """
    low, side = region[..., :2].repeat(1, 1, 2), (region[..., 2:] - region[..., :2]).repeat(1, 1, 2)
    at = ((true - low) / side.clamp(min=1e-6) * BINS - 0.5).nan_to_num().clamp(0, BINS - 1 - 1e-4)
    left = at.floor()
    share = at - left
    log_share = edge_logits.float().log_softmax(dim=-1)
    near = log_share.gather(-1, left.long()[..., None])[..., 0]
    far = log_share.gather(-1, left.long()[..., None] + 1)[..., 0]
    return -((1 - share) * near + share * far)


def edge_is_close(boxes: Tensor, true: Tensor, *, pixel: Tensor) -> Tensor:
    """Return 1.0 for edges within 5 % of the true side or 2 image pixels, else 0.0: (B, K, 4).

    `pixel` is as in `stage_loss`.
    """
    side = (true[..., 2:] - true[..., :2]).repeat(1, 1, 2)
    return ((boxes - true).abs() <= torch.maximum(0.05 * side, 2 * pixel)).float()


def stage_loss(answer: StageAnswer, true: Tensor, *, drawn: Tensor, weight: Tensor, pixel: Tensor) -> dict[str, Tensor]:
    """Return the terms of one stage's loss, each a scalar.

    true and drawn: (B, K, 4) frame pixels; weight: (B, K), 0 for padding; pixel: (B, 1, 1) frame pixels per image
    pixel.
    """
    total = weight.sum().clamp(min=1)
    side = (true[..., 2:] - true[..., :2]).repeat(1, 1, 2).clamp(min=4.0)
    found = answer.boxes.detach()
    close = edge_is_close(found, true, pixel=pixel)
    ious = torch.stack([pair_iou(found, true), pair_iou(drawn, true)], dim=-1)

    def mean(values: Tensor) -> Tensor:
        return (values * weight).sum() / total

    return {
        "distribution": mean(distribution_loss(answer.edge_logits, answer.region, true).mean(dim=-1)),
        "l1": mean(((answer.boxes - true).abs() / side).clamp(max=4).mean(dim=-1)),
        "giou": mean(giou_loss(answer.boxes, true)),
        "confidence": mean(
            F.binary_cross_entropy_with_logits(answer.confidence_logits.float(), close, reduction="none").mean(dim=-1)
        ),
        "score": mean(
            F.binary_cross_entropy_with_logits(answer.score_logits.float(), ious, reduction="none").mean(dim=-1)
        ),
    }


def mask_loss(mask_logits: Tensor, mask: Tensor, *, weight: Tensor) -> Tensor:
    """Return the weighted mean, by weight (B, K), of cross-entropy plus Dice loss of masks (B, K, 32, 32).

    Targets may be soft.
    """
    logits = mask_logits.float()
    entropy = F.binary_cross_entropy_with_logits(logits, mask, reduction="none").mean(dim=(-1, -2))
    share = logits.sigmoid()
    shared = (share * mask).sum(dim=(-1, -2))
    dice = 1 - (2 * shared + 1) / (share.sum(dim=(-1, -2)) + mask.sum(dim=(-1, -2)) + 1)
    return ((entropy + dice) * weight).sum() / weight.sum().clamp(min=1)


SHARED_WITH_LOSERS = 0.05
"""Of a box's loss, what goes to the hypotheses that are not the nearest; without it some would never learn."""
_CHOICE_TEMPERATURE = 0.05


def candidate_loss(answer: CandidateAnswer, true: Tensor, *, weight: Tensor) -> dict[str, Tensor]:
    """The parts of the candidate network's loss, each a scalar: the nearest hypothesis learns, and the choice of it.

    true: (B, K, 4) frame pixels; weight: (B, K) 0 for empty places. See `core.refiner.candidates` for the source.
    """
    many = answer.hypotheses.shape[2]
    shape = answer.choice_logits.shape
    aim, region = (value.repeat_interleave(many, dim=1) for value in (true, answer.region))
    boxes = answer.hypotheses.flatten(1, 2)
    side = (aim[..., 2:] - aim[..., :2]).repeat(1, 1, 2).clamp(min=4.0)
    parts = {
        "distribution": distribution_loss(answer.edge_logits.flatten(1, 2), region, aim).mean(dim=-1).view(shape),
        "l1": ((boxes - aim).abs() / side).clamp(max=4).mean(dim=-1).view(shape),
        "giou": giou_loss(boxes, aim).view(shape),
    }
    ious = pair_iou(boxes.detach(), aim).view(shape)
    # Where hypotheses are alike, chance must not decide which one learns: the distribution's loss breaks the tie.
    nearest = (ious - 1e-3 * parts["distribution"].detach()).argmax(dim=-1, keepdim=True)
    share = torch.full_like(ious, SHARED_WITH_LOSERS / (many - 1)).scatter(-1, nearest, 1 - SHARED_WITH_LOSERS)
    wanted = (ious / _CHOICE_TEMPERATURE).softmax(dim=-1)
    choice = -(wanted * answer.choice_logits.float().log_softmax(dim=-1)).sum(dim=-1)
    total = weight.sum().clamp(min=1)
    scalars = {name: ((values * share).sum(dim=-1) * weight).sum() / total for name, values in parts.items()}
    return scalars | {"choice": (choice * weight).sum() / total, "best": (ious.amax(dim=-1) * weight).sum() / total}
