"""The baseline's loss: the L1 distance in frame pixels plus 1 - IoU, vectorized."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from core.refiner.baseline_network import BaselineAnswer
from core.refiner.losses import pair_iou


def box_iou_loss(boxes: Tensor, true: Tensor) -> Tensor:
    """1 - IoU of boxes (..., 4) pair by pair: (...), in [0, 1]. The gradient is zero if two boxes do not touch."""
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
    """The parts of the loss in the baseline's units by name: scalars, each the mean over all iterations.

    true, drawn: (B, K, 4) frame pixels; weight: (B, K), 0 for padding

    The parts: `l1` is the mean distance of an edge from the true one in frame pixels, `iou` is 1 - IoU, `total` their
    weighted sum. `drawn` is the l1 of the drawn boxes, as a reference.
    """
    boxes = torch.stack([answer.boxes for answer in answers])
    share = weight / weight.sum().clamp(min=1)
    l1 = ((boxes - true).abs().mean(dim=-1) * share).sum() / len(answers)
    iou = (box_iou_loss(boxes, true.expand_as(boxes)) * share).sum() / len(answers)
    unmoved = ((drawn - true).abs().mean(dim=-1) * share).sum()
    return {"l1": l1, "iou": iou, "drawn": unmoved, "total": l1_weight * l1 + iou_weight * iou}
