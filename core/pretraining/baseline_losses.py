"""The baseline's loss: pixels of L1 and the boxes' missing overlap, vectorised."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from core.refiner.baseline_network import BaselineAnswer
from core.refiner.losses import pair_iou


def box_iou_loss(boxes: Tensor, true: Tensor) -> Tensor:
    """1 - IoU of boxes (..., 4) pair by pair: (...), in [0, 1]; flat where two boxes do not touch."""
    return 1 - pair_iou(boxes, true)


def baseline_loss(
    answers: Sequence[BaselineAnswer],
    true: Tensor,
    *,
    drawn: Tensor,
    weight: Tensor,
    l1_weight: float,
    iou_weight: float,
) -> dict[str, Tensor]:
    """The loss in the baseline's units, each part a scalar and the mean over all iterations.

    l1: frame pixels an edge is off; iou: 1 - IoU; total: the two as weighted; drawn: what l1 would be if no box moved,
    to measure the others by. true, drawn: (B, K, 4) frame pixels; weight: (B, K) 0 for empty places.
    """
    boxes = torch.stack([answer.boxes for answer in answers])
    share = weight / weight.sum().clamp(min=1)
    l1 = ((boxes - true).abs().mean(dim=-1) * share).sum() / len(answers)
    iou = (box_iou_loss(boxes, true.expand_as(boxes)) * share).sum() / len(answers)
    unmoved = ((drawn - true).abs().mean(dim=-1) * share).sum()
    return {"l1": l1, "iou": iou, "drawn": unmoved, "total": l1_weight * l1 + iou_weight * iou}
