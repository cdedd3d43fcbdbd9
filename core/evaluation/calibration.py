"""Calibration: the expected calibration error (ECE) of edge confidences and of the predicted IoU.

Guo et al., On Calibration of Modern Neural Networks, 2017 (https://arxiv.org/abs/1706.04599).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.evaluation.labelled_set import Answers
from core.geometry import Boxes, iou
from core.records import DOUBTFUL_BELOW

BINS = 15
CLOSE_SHARE, CLOSE_PIXELS = 0.05, 2.0
BAD_SHARE, GOOD_SHARE, GOOD_PIXELS = 0.1, 0.03, 1.0


@dataclass(frozen=True)
class Bin:
    """One row of a reliability table: the mean prediction from `low` up to `high`, and the mean outcome."""

    low: float
    high: float
    count: int
    claimed: float
    observed: float


@dataclass(frozen=True)
class Reliability:
    """Predictions compared with outcomes; `error` is the ECE: the mean gap of the bins, weighted by their counts."""

    count: int
    claimed: float
    observed: float
    error: float
    bins: list[Bin]


@dataclass(frozen=True)
class Marks:
    """Which edges the window marks as doubtful: of `bad` ones, off by over BAD_SHARE of the side, and of good ones.

    Good edges are off by at most GOOD_SHARE of the side or GOOD_PIXELS; those between count as neither.
    """

    bad: int
    bad_marked: float
    good: int
    good_marked: float


@dataclass(frozen=True)
class CalibrationRow:
    """Calibration of one set under one noise: of the four edge confidences of all boxes, and of refine_score."""

    set: str
    noise: str
    edges: Reliability
    score: Reliability
    marks: Marks


def calibration_row(name: str, noise: str, answers: Answers) -> CalibrationRow:
    """Compare the edge confidences and scores of `answers` with the true boxes."""
    close = edges_close(true=answers.true, found=answers.refined)
    return CalibrationRow(
        name,
        noise,
        edges=reliability(answers.confidence, close),
        score=reliability(answers.score, iou(answers.true, answers.refined)),
        marks=marks(answers),
    )


def reliability(claimed: ArrayLike, observed: ArrayLike, *, bins: int = BINS) -> Reliability:
    """Compare predictions in [0, 1] with outcomes in [0, 1] of the same shape, not empty, in bins of equal width."""
    claims, outcomes = np.asarray(claimed, np.float64).ravel(), np.asarray(observed, np.float64).ravel()
    place = np.minimum((claims * bins).astype(np.int64), bins - 1)
    rows = [
        Bin(at / bins, (at + 1) / bins, int(here.sum()), float(claims[here].mean()), float(outcomes[here].mean()))
        for at in range(bins)
        for here in [place == at]
        if here.any()
    ]
    error = sum(row.count * abs(row.claimed - row.observed) for row in rows) / len(claims)
    return Reliability(len(claims), float(claims.mean()), float(outcomes.mean()), error, rows)


def marks(answers: Answers, *, below: float = DOUBTFUL_BELOW) -> Marks:
    """Count the edges of N > 0 boxes whose confidence is `below`; shares of no edges are 0."""
    side = np.tile(answers.true[:, 2:] - answers.true[:, :2], 2)
    off = np.abs(answers.refined - answers.true)
    bad, good = off > np.maximum(BAD_SHARE * side, GOOD_PIXELS), off <= np.maximum(GOOD_SHARE * side, GOOD_PIXELS)
    marked = answers.confidence < below
    shares = [float(marked[kind].mean()) if kind.any() else 0.0 for kind in (bad, good)]
    return Marks(int(bad.sum()), shares[0], int(good.sum()), shares[1])


def edges_close(*, true: Boxes, found: Boxes) -> NDArray[np.bool_]:
    """(N, 4): whether an edge is within 5 % of the true side or 2 image pixels. Edge confidence predicts this."""
    side = np.tile(true[:, 2:] - true[:, :2], 2)
    close: NDArray[np.bool_] = np.abs(found - true) <= np.maximum(CLOSE_SHARE * side, CLOSE_PIXELS)
    return close
