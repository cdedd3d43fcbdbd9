"""The second look: a box too small for its frame's feature grid is refined again on the features of a crop around it.

What is chosen here was measured with the weights that shipped first, on held-out pictures of the training pool, laid
4 by 4 into pictures of 1792 pixels (mean IoU at hq0.4 and drag, first look and second):

    shorter side, frame pixels    below 12       12 to 20       20 to 28       28 to 40
    hq0.4                         0.654  0.733   0.662  0.769   0.694  0.764   0.665  0.750
    drag                          0.623  0.730   0.667  0.787   0.664  0.792   0.743  0.814

Above 40 frame pixels it helped there and harmed elsewhere; in pictures of 448 and 640 pixels, where the first look
loses nothing, it changed nothing. Crops of 2 to 5 times the box differed little, so the larger, shared ones are taken.
Refining the first answer instead of the drawn box on the crop was worse for dragged boxes and harmed more.
`boxrefine benchmark accuracy --large 4` measures it anew; for the weights that ship now, the model card has its table.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from core.geometry import Frame, clip
from core.records import Refinement

ENCODERS = frozenset({"light"})
"""Names of the encoders whose second look was measured and pays; the others' boxes are looked at once."""

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


def pays_for(encoder: str) -> bool:
    """Whether second looks were shown to pay with the encoder of this name."""
    return encoder in ENCODERS


def crop_around(box: ArrayLike, frame: Frame) -> Frame | None:
    """The crop for one drawn box (4,) in image pixels, seen in `frame` at first; None where one look is enough.

    Crops have few sizes (`LEAST_CROP` times powers of two) and start at multiples of half their side, so that
    neighbouring boxes and small moves of a drag share one.
    """
    x1, y1, x2, y2 = clip(box, width=frame.image_width, height=frame.image_height)[0]
    if min(x2 - x1, y2 - y1) * frame.scale >= SMALL_SIDE:
        return None
    doublings = math.ceil(math.log2(max(CONTEXT * max(x2 - x1, y2 - y1) / LEAST_CROP, 1.0)))
    side = LEAST_CROP * 2**doublings
    left, width = _span((x1 + x2) / 2, side=side, length=frame.image_width)
    top, height = _span((y1 + y2) / 2, side=side, length=frame.image_height)
    crop = Frame(left, top, width, height, frame.image_width, frame.image_height)
    return crop if crop.scale >= LEAST_GAIN * frame.scale else None


def crops_for(drawn: ArrayLike, frame: Frame) -> dict[Frame, list[int]]:
    """Which rows of drawn boxes (N, 4) in image pixels share which crop, from the upper left to the lower right one.

    Rows that are not in any list need no second look.
    """
    rows_of: dict[Frame, list[int]] = {}
    for row, box in enumerate(np.asarray(drawn, np.float64).reshape(-1, 4)):
        crop = crop_around(box, frame)
        if crop is not None:
            rows_of.setdefault(crop, []).append(row)
    return dict(sorted(rows_of.items(), key=lambda entry: (entry[0].top, entry[0].left, entry[0].width)))


def better_of(first: Refinement, second: Refinement) -> Refinement:
    """The answer that stays: the second one, unless it is much less sure than the first one."""
    return second if second.score > first.score + MARGIN else first


def replace_better(answers: list[Refinement], rows: Sequence[int], seconds: Sequence[Refinement]) -> None:
    """Put second answers into their `rows` of `answers` where they stay."""
    for row, second in zip(rows, seconds, strict=True):
        answers[row] = better_of(answers[row], second)


def _span(centre: float, *, side: int, length: int) -> tuple[int, int]:
    """Start and extent, in whole pixels, of a crop's side about `centre`, inside an image's side of `length`."""
    step = side // 2
    extent = min(side, length)
    start = round((centre - side / 2) / step) * step
    return min(max(start, 0), length - extent), extent
