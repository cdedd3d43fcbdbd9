"""Harm: how much refinement changes boxes that are already tight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.evaluation.labelled_set import Answers
from core.geometry import iou

MOVED_SHARE = LOST_IOU = 0.02


@dataclass(frozen=True)
class HarmRow:
    """One set whose boxes were drawn tightly: means and shares in [0, 1].

    moved: share of boxes with an edge that moved by more than 2 % of the box's side
    harmed: share of boxes that lost more than 0.02 IoU
    """

    set: str
    noise: str
    boxes: int
    iou_before: float
    iou_after: float
    moved: float
    harmed: float


def harm_row(name: str, noise: str, answers: Answers) -> HarmRow:
    """Compare the refined boxes of `answers` with the drawn ones."""
    before, after = iou(answers.true, answers.drawn), iou(answers.true, answers.refined)
    side = np.tile(answers.drawn[:, 2:] - answers.drawn[:, :2], 2)
    moved = (np.abs(answers.refined - answers.drawn) > MOVED_SHARE * side).any(axis=1)
    return HarmRow(
        name,
        noise,
        boxes=len(before),
        iou_before=float(before.mean()),
        iou_after=float(after.mean()),
        moved=float(moved.mean()),
        harmed=float((after < before - LOST_IOU).mean()),
    )
