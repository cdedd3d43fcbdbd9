"""The second look: a drawn box is refined again on the features of a crop around it, which shows it larger.

A box that is too small for its frame's feature grid gets a crop that it shares with its neighbours, whose answer
replaces the first one. What is chosen for it was measured with the weights that shipped first, on held-out pictures of
the training pool, laid 4 by 4 into pictures of 1792 pixels (mean IoU at hq0.4 and drag, first look and second):

    shorter side, frame pixels    below 12       12 to 20       20 to 28       28 to 40
    hq0.4                         0.654  0.733   0.662  0.769   0.694  0.764   0.665  0.750
    drag                          0.623  0.730   0.667  0.787   0.664  0.792   0.743  0.814

Crops of 2 to 5 times the box differed little, so the larger, shared ones are taken. Refining the first answer instead
of the drawn box on the crop was worse for dragged boxes and harmed more. `boxrefine benchmark accuracy --large 4`
measures it anew; for the weights that ship now, the model card has its table.

Any other box gets a crop of its own size, and both answers are combined, edge by edge, by how sure they are of it,
since they err in different places. `boxrefine benchmark accuracy` has rows for one look and two.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from core.encoders.traits import traits_of
from core.geometry import Box, Frame, clip
from core.records import EdgeConfidence, Refinement

SMALL_SIDE = 40.0
"""Boxes whose shorter side has fewer frame pixels than this are looked at again."""

CONTEXT = 4.0
"""A crop is at least this many times as long as the box's longer side, and less than twice that where it is larger
than `LEAST_CROP`."""

LEAST_CROP = 512
"""Side of the smallest crop, in image pixels, the light encoder's own input: a smaller one would only be blown up."""

LEAST_GAIN = 2.0
"""A crop must magnify at least this much more than the frame of the first look."""

MARGIN = -0.1
"""The second answer stays where it expects more than the first one's IoU plus this: scores from coarse features say
little, and a second look is wrong mostly where it is much less sure."""


CLOSER_CONTEXT = 2.2
"""The crop that is one box's own is this many times as long as the box's longer side, or up to 1.4 times that."""

LEAST_CLOSER_CROP = 64
"""Side of the smallest of these, in image pixels; they may be blown up."""

LEAST_CLOSER_GAIN = 1.3
"""One of these must magnify at least this much more than the frame of the first look."""

TRUST = 4
"""An edge of either answer counts by its confidence to the power of this."""


class Look(NamedTuple):
    """A second look: the crop, and whether its answer replaces the first one or is combined with it."""

    crop: Frame
    replaces: bool


def pays_for(encoder: str) -> bool:
    """Whether second looks were shown to pay with the encoder of this name."""
    return traits_of(encoder).second_look_pays


def look_at(box: ArrayLike, frame: Frame) -> Look | None:
    """The second look at one drawn box (4,) in image pixels, seen in `frame` at first; None where one is enough."""
    crop = crop_around(box, frame)
    if crop is not None:
        return Look(crop, replaces=True)
    crop = closer_crop(box, frame)
    return None if crop is None else Look(crop, replaces=False)


def crop_around(box: ArrayLike, frame: Frame) -> Frame | None:
    """The crop for one drawn box (4,) in image pixels that is too small for `frame`; None for any other box.

    Crops have few sizes (`LEAST_CROP` times powers of two) and start at multiples of half their side, so that
    neighbouring boxes and small moves of a drag share one.
    """
    x1, y1, x2, y2 = clip(box, width=frame.image_width, height=frame.image_height)[0]
    if min(x2 - x1, y2 - y1) * frame.scale >= SMALL_SIDE:
        return None
    doublings = math.ceil(math.log2(max(CONTEXT * max(x2 - x1, y2 - y1) / LEAST_CROP, 1.0)))
    side = LEAST_CROP * 2**doublings
    crop = _square(((x1 + x2) / 2, (y1 + y2) / 2), frame, side=side, step=side // 2)
    return crop if crop.scale >= LEAST_GAIN * frame.scale else None


def closer_crop(box: ArrayLike, frame: Frame) -> Frame | None:
    """The crop for one drawn box (4,) in image pixels of any size; None where it would hardly magnify it.

    Crops have few sizes (two in each doubling) and start at multiples of a quarter of their side, so that a box that
    was drawn a little otherwise has the same one.
    """
    x1, y1, x2, y2 = clip(box, width=frame.image_width, height=frame.image_height)[0]
    wanted = CLOSER_CONTEXT * max(x2 - x1, y2 - y1) / LEAST_CLOSER_CROP
    side = round(LEAST_CLOSER_CROP * 2 ** (math.ceil(2 * math.log2(max(wanted, 1.0))) / 2))
    crop = _square(((x1 + x2) / 2, (y1 + y2) / 2), frame, side=side, step=side // 4)
    return crop if crop.scale >= LEAST_CLOSER_GAIN * frame.scale else None


def looks_for(drawn: ArrayLike, frame: Frame, *, closer: bool = True) -> dict[Look, list[int]]:
    """Which rows of drawn boxes (N, 4) in image pixels share which look, from the upper left to the lower right one.

    Rows that are not in any list need no second look. Without `closer`, only boxes too small for `frame` get one.
    """
    rows_of: dict[Look, list[int]] = {}
    for row, box in enumerate(np.asarray(drawn, np.float64).reshape(-1, 4)):
        look = look_at(box, frame)
        if look is not None and (closer or look.replaces):
            rows_of.setdefault(look, []).append(row)
    return dict(sorted(rows_of.items(), key=lambda entry: _reading_order(entry[0].crop)))


def settled(first: Refinement, second: Refinement, look: Look) -> Refinement:
    """The answer after a second look; `first` itself where the second look changed nothing."""
    return better_of(first, second) if look.replaces else combined(first, second)


def better_of(first: Refinement, second: Refinement) -> Refinement:
    """The answer that stays: the second one, unless it is much less sure than the first one."""
    return second if second.score > first.score + MARGIN else first


def combined(first: Refinement, second: Refinement) -> Refinement:
    """Each edge where both answers, weighted by their confidence in it, see it; confidences and score are the means.

    Where that leaves no box, because they mean different things, the surer answer stays.
    """
    sure = np.array([first.edge_confidence, second.edge_confidence], np.float64)
    weights = np.maximum(sure, 1e-6) ** TRUST
    box = Box.of(np.average([first.box, second.box], axis=0, weights=weights))
    if min(box.width, box.height) < 1:
        return max(first, second, key=lambda answer: answer.score)
    left, top, right, bottom = sure.mean(axis=0).tolist()
    confidence: EdgeConfidence = left, top, right, bottom
    return Refinement(box, confidence, (first.score + second.score) / 2)


def settle(answers: list[Refinement], rows: Sequence[int], seconds: Sequence[Refinement], look: Look) -> None:
    """Bring the second answers of a look into their `rows` of `answers`."""
    for row, second in zip(rows, seconds, strict=True):
        answers[row] = settled(answers[row], second, look)


def _reading_order(crop: Frame) -> tuple[int, int, int]:
    return crop.top, crop.left, crop.width


def _square(centre: tuple[float, float], frame: Frame, *, side: int, step: int) -> Frame:
    """The crop of `side` about `centre`, inside the image, that starts at multiples of `step` where it can."""
    left, width = _span(centre[0], side=side, step=step, length=frame.image_width)
    top, height = _span(centre[1], side=side, step=step, length=frame.image_height)
    return Frame(left, top, width, height, frame.image_width, frame.image_height)


def _span(centre: float, *, side: int, step: int, length: int) -> tuple[int, int]:
    """Start and extent, in whole pixels, of a crop's side about `centre`, inside an image's side of `length`."""
    extent = min(side, length)
    start = round((centre - side / 2) / step) * step
    return min(max(start, 0), length - extent), extent
