"""Second looks at many boxes of one picture: crop by crop, so that one crop's features are in memory at a time."""

from __future__ import annotations

from typing import Protocol

from numpy.typing import ArrayLike

from core.encoders.image_features import ImageFeatures
from core.geometry import Frame, as_boxes
from core.records import Refinement
from core.refiner.refine import Refiner
from core.refiner.second_look import crops_for, replace_better


class Framed(Protocol):
    """A picture that can be encoded by frames; see `OpenedPicture`."""

    def of(self, frame: Frame | None = None) -> ImageFeatures: ...


def look_again(
    answers: list[Refinement], drawn: ArrayLike, frame: Frame, *, picture: Framed, refiner: Refiner
) -> set[int]:
    """Put better second answers into `answers`, those to drawn boxes (N, 4) seen in `frame` at first.

    Gives the rows that had a second look. Raises as `Refiner.refine` and `FeatureSource.of_path`.
    """
    boxes = as_boxes(drawn)
    looked: set[int] = set()
    for crop, rows in crops_for(boxes, frame).items():
        replace_better(answers, rows, refiner.refine(picture.of(crop), boxes[rows]))
        looked.update(rows)
    return looked
