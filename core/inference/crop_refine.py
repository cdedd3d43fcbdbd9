"""The second look: refines a drawn box again on the features of a crop around it, which magnifies it.

A box that is too small for its frame's feature grid gets a crop that it shares with neighboring boxes; the answer on
the crop replaces the first one. The constants were chosen with the first shipped weights, on held-out pictures of the
training pool, arranged 4 by 4 in pictures of 1792 pixels (mean IoU at hq0.4 and drag, first look and second):

    shorter side, frame pixels    below 12       12 to 20       20 to 28       28 to 40
    hq0.4                         0.654  0.733   0.662  0.769   0.694  0.764   0.665  0.750
    drag                          0.623  0.730   0.667  0.787   0.664  0.792   0.743  0.814

Crops of 2 to 5 times the box differed little, so larger crops are used, which boxes can share. Refining the first
answer instead of the drawn box on the crop was worse for dragged boxes and harmed more good boxes. `boxrefine benchmark
accuracy --large 4` repeats the measurement; the model card has the table for the present weights.

Any other box gets a closer crop, unless the first answer is sure: its expected IoU, which is calibrated for each set of
weights, reaches `Effort.sure`. Surer boxes gain nothing from another look on average. Both answers are then combined
edge by edge, weighted by their confidence, since their errors differ. `boxrefine benchmark accuracy` has rows for one
look and two.

The window encodes the crop of one box at full size (`LIVE`). A batch (`BATCH`) encodes it on an input as small as still
magnifies the box twice, which costs in proportion to its pixels, and neighbors share crops. `boxrefine benchmark looks`
measures what that costs and gains; `resources/docs/experiments/refiner.md` has the figures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.encoders.traits import traits_of
from core.geometry import Box, Boxes, Frame, as_boxes, clip
from core.records import EdgeConfidence, EdgeMargin, Refinement

SMALL_SIDE = 40.0
"""Boxes whose shorter side has fewer frame pixels than this are too small for the feature grid."""

CONTEXT = 4.0
"""Least side of a shared crop as a multiple of the box's longer side; crops over LEAST_CROP stay below twice that."""

LEAST_CROP = 512
"""Side of the smallest shared crop in image pixels: the light encoder's input size; smaller ones would be scaled up."""

LEAST_GAIN = 2.0
"""Least magnification of a shared crop relative to the frame of the first look."""

MARGIN = -0.1
"""The second answer replaces the first one if its expected IoU exceeds the first one's plus this.

Scores from coarse features are noisy, and a second answer is mostly wrong only if its score is much lower.
"""

CLOSER_CONTEXT = 2.2
"""Side of a single box's crop as a multiple of the box's longer side; rounding makes it up to 1.4 times larger."""

LEAST_CLOSER_CROP = 64
"""Side of the smallest single box's crop, in image pixels; such crops may be upsampled."""

LEAST_CLOSER_GAIN = 1.3
"""Least magnification of a single box's crop relative to the frame of the first look."""

LEAST_SMALL_GAIN = 2.0
"""Least magnification of a crop that is encoded on a smaller input, or shared by boxes that could have larger ones."""

ROOM = 0.3
"""Least room around a box in a crop that it shares, as a multiple of the box's longer side."""

MOST_TO_SHARE = 2000
"""Largest number of boxes among which shared crops are sought; the search's memory grows with its square."""

TRUST = 4
"""Exponent of the confidence in the weight of an edge, when two answers are combined."""


class Look(NamedTuple):
    """A second look: the crop, and whether its answer replaces the first one or is combined with it.

    `fill` is the fraction of the model frame that the crop's long side fills; see `SmallEncoder`.
    """

    crop: Frame
    replaces: bool
    fill: float = 1.0


class Effort(NamedTuple):
    """How much a second look may cost.

    sure: boxes whose first answer has at least this expected IoU get none; see `is_sure`
    fills: fractions of the model frame that the crop of a single box may fill, ascending, the last one 1
    shared_times: neighboring boxes may share a crop that is so many times as large as the own crop of each; 1: never
    """

    sure: float
    fills: tuple[float, ...] = (1.0,)
    shared_times: float = 1.0


LIVE = Effort(sure=0.85)
"""For one box in the window: its second look runs in the background."""

BATCH = Effort(sure=0.82, fills=(0.5, 0.625, 0.75, 1.0), shared_times=2.0)
"""For all boxes of a picture."""


def pays_for(encoder: str) -> bool:
    """Whether second looks improve the results with the encoder of this name."""
    return traits_of(encoder).second_look_pays


def look_at(box: ArrayLike, frame: Frame, first: Refinement | None = None, *, effort: Effort = LIVE) -> Look | None:
    """Return the second look at one drawn box (4,) in image pixels; None if the first look in `frame` is enough.

    Without the first answer, it counts as unsure.
    """
    crop = crop_around(box, frame)
    if crop is not None:
        return Look(crop, replaces=True)
    if first is not None and is_sure(first, effort):
        return None
    crop = closer_crop(box, frame)
    return None if crop is None else Look(crop, replaces=False, fill=fill_for(crop, frame, effort.fills))


def is_sure(first: Refinement, effort: Effort) -> bool:
    """Whether a first answer is so good, by its calibrated expected IoU, that a closer crop would hardly improve it."""
    return first.score >= effort.sure


def fill_for(crop: Frame, frame: Frame, fills: Sequence[float]) -> float:
    """Return the smallest of the ascending `fills` at which a crop magnifies enough, else the last one."""
    return next((fill for fill in fills if crop.scale * fill >= LEAST_SMALL_GAIN * frame.scale), fills[-1])


def crop_around(box: ArrayLike, frame: Frame) -> Frame | None:
    """Return the shared crop for one drawn box (4,) in image pixels that is too small for `frame`; else None.

    Crops have few sizes (`LEAST_CROP` times powers of two) and start at multiples of half their side, so that
    neighboring boxes and the states of a drag share one.
    """
    x1, y1, x2, y2 = clip(box, width=frame.image_width, height=frame.image_height)[0]
    if min(x2 - x1, y2 - y1) * frame.scale >= SMALL_SIDE:
        return None
    doublings = math.ceil(math.log2(max(CONTEXT * max(x2 - x1, y2 - y1) / LEAST_CROP, 1.0)))
    side = LEAST_CROP * 2**doublings
    crop = _square(((x1 + x2) / 2, (y1 + y2) / 2), frame, side=side, step=side // 2)
    return crop if crop.scale >= LEAST_GAIN * frame.scale else None


def closer_crop(box: ArrayLike, frame: Frame) -> Frame | None:
    """Return the crop for a single drawn box (4,) in image pixels, of any size; None if it would hardly magnify it.

    Crops have few sizes (two in each doubling) and start at multiples of a quarter of their side, so that slightly
    different drawn boxes get the same one.
    """
    x1, y1, x2, y2 = clip(box, width=frame.image_width, height=frame.image_height)[0]
    wanted = CLOSER_CONTEXT * max(x2 - x1, y2 - y1) / LEAST_CLOSER_CROP
    side = round(LEAST_CLOSER_CROP * 2 ** (math.ceil(2 * math.log2(max(wanted, 1.0))) / 2))
    crop = _square(((x1 + x2) / 2, (y1 + y2) / 2), frame, side=side, step=side // 4)
    return crop if crop.scale >= LEAST_CLOSER_GAIN * frame.scale else None


def looks_for(
    drawn: ArrayLike,
    frame: Frame,
    answers: Sequence[Refinement] | None = None,
    *,
    closer: bool = True,
    effort: Effort = BATCH,
) -> dict[Look, list[int]]:
    """Map each look to the rows of drawn boxes (N, 4) in image pixels that share it, sorted from the upper left crop.

    `answers` (N) are the first ones; without them, all count as unsure. Rows in none of the lists need no second look.
    Without `closer`, only boxes too small for `frame` get one. The order of the boxes does not matter.
    """
    boxes = as_boxes(drawn)
    own: dict[int, Look] = {}
    for row, box in enumerate(boxes):
        look = look_at(box, frame, None if answers is None else answers[row], effort=effort)
        if look is not None and (closer or look.replaces):
            own[row] = look
    single = [row for row, look in own.items() if not look.replaces]
    if effort.shared_times > 1 and 1 < len(single) <= MOST_TO_SHARE:
        crops = share_crops(boxes[single], [own[row].crop for row in single], frame, effort)
        own |= {
            row: Look(crop, False, fill_for(crop, frame, effort.fills)) for row, crop in zip(single, crops, strict=True)
        }
    rows_of: dict[Look, list[int]] = {}
    for row, look in sorted(own.items()):
        rows_of.setdefault(look, []).append(row)
    return dict(sorted(rows_of.items(), key=lambda entry: (_reading_order(entry[0].crop), entry[0].replaces)))


def share_crops(boxes: Boxes, own: Sequence[Frame], frame: Frame, effort: Effort) -> list[Frame]:
    """Return a crop for each of the boxes (N, 4), in image pixels, so that neighbors share one where that costs less.

    `own` are the crops of the single boxes. A box may be in another box's crop, or in one twice as large around it, if
    that holds the box with ROOM, is not too large (see `Effort`) and still magnifies it. A greedy set cover takes the
    crops with the least work a box first; ties go to the smaller, then the upper left crop.
    """
    crops = sorted(
        {crop for each in own for crop in (each, _twice(each))}, key=lambda crop: (_side(crop), _reading_order(crop))
    )
    mine = set(own)
    crops = [crop for crop in crops if crop in mine or crop.scale >= LEAST_SMALL_GAIN * frame.scale]
    holds = _holds(crops, boxes, own, frame, times=effort.shared_times)
    work = np.array([fill_for(crop, frame, effort.fills) ** 2 for crop in crops])
    chosen: list[Frame] = list(own)
    left = holds.sum(axis=1)
    open_rows = np.ones(len(boxes), bool)
    while open_rows.any():
        best = int(np.argmin(work / np.maximum(left, 1e-9)))
        rows = np.flatnonzero(holds[best] & open_rows)
        for row in rows:
            chosen[row] = crops[best]
        open_rows[rows] = False
        left = left - holds[:, rows].sum(axis=1)
    return chosen


def merge_answers(first: Refinement, second: Refinement, look: Look) -> Refinement:
    """Return the answer after a second look; it is `first` itself if the second look changes nothing."""
    return choose_better(first, second) if look.replaces else combine(first, second)


def choose_better(first: Refinement, second: Refinement) -> Refinement:
    """Return the second answer, or the first one if the second one's score is much lower."""
    return second if second.score > first.score + MARGIN else first


def combine(first: Refinement, second: Refinement) -> Refinement:
    """Return the means of two answers: edges weighted by confidence, confidences and score unweighted.

    If the mean is no box, because the answers show different objects, return the answer with the higher score.
    """
    sure = np.array([first.edge_confidence, second.edge_confidence], np.float64)
    weights = np.maximum(sure, 1e-6) ** TRUST
    box = Box.of(np.average([first.box, second.box], axis=0, weights=weights))
    if min(box.width, box.height) < 1:
        return max(first, second, key=lambda answer: answer.score)
    left, top, right, bottom = sure.mean(axis=0).tolist()
    confidence: EdgeConfidence = left, top, right, bottom
    return Refinement(box, confidence, (first.score + second.score) / 2, margin=_mean_margin(first, second, weights))


def _mean_margin(first: Refinement, second: Refinement, weights: NDArray[np.float64]) -> EdgeMargin | None:
    """The mean of both margins with the weights (2, 4) of the edges; None if neither answer has one."""
    if first.margin is None and second.margin is None:
        return None
    margins = [answer.margin or (0.0, 0.0, 0.0, 0.0) for answer in (first, second)]
    left, top, right, bottom = np.average(margins, axis=0, weights=weights).tolist()
    return left, top, right, bottom


def settle(answers: list[Refinement], rows: Sequence[int], seconds: Sequence[Refinement], look: Look) -> None:
    """Merge the second answers of a look into their `rows` of `answers`, in place."""
    for row, second in zip(rows, seconds, strict=True):
        answers[row] = merge_answers(answers[row], second, look)


def _holds(
    crops: Sequence[Frame], boxes: Boxes, own: Sequence[Frame], frame: Frame, *, times: float
) -> NDArray[np.bool_]:
    """Return whether each of M crops may serve each of N boxes: (M, N)."""
    inside = clip(boxes, width=frame.image_width, height=frame.image_height)
    room = ROOM * (inside[:, 2:] - inside[:, :2]).max(axis=1, keepdims=True)
    size = np.array([frame.image_width, frame.image_height])
    low, high = np.maximum(inside[:, :2] - room, 0), np.minimum(inside[:, 2:] + room, size)
    start = np.array([(crop.left, crop.top) for crop in crops])[:, None]
    end = start + np.array([(crop.width, crop.height) for crop in crops])[:, None]
    holds: NDArray[np.bool_] = ((start <= low) & (end >= high)).all(axis=2)
    sides = np.array([_side(crop) for crop in crops])[:, None]
    holds &= sides <= times * np.array([_side(crop) for crop in own])
    place = {crop: at for at, crop in enumerate(crops)}
    holds[[place[crop] for crop in own], np.arange(len(own))] = True
    return holds


def _twice(crop: Frame) -> Frame:
    """Return the crop of twice the side around a crop, inside the image."""
    center = crop.left + crop.width / 2, crop.top + crop.height / 2
    side = 2 * _side(crop)
    return _square(center, crop, side=side, step=side // 4)


def _side(crop: Frame) -> int:
    return max(crop.width, crop.height)


def _reading_order(crop: Frame) -> tuple[int, int, int]:
    return crop.top, crop.left, crop.width


def _square(center: tuple[float, float], frame: Frame, *, side: int, step: int) -> Frame:
    """Return the crop of `side` around `center`, inside the image; it starts at multiples of `step` if possible."""
    left, width = _span(center[0], side=side, step=step, length=frame.image_width)
    top, height = _span(center[1], side=side, step=step, length=frame.image_height)
    return Frame(left, top, width, height, frame.image_width, frame.image_height)


def _span(center: float, *, side: int, step: int, length: int) -> tuple[int, int]:
    """Return start and extent, in pixels, of a crop's side around `center`, within an image's side of `length`."""
    extent = min(side, length)
    start = round((center - side / 2) / step) * step
    return min(max(start, 0), length - extent), extent
