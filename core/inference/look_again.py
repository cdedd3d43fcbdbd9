"""Second looks at many boxes of one picture, crop by crop: only one crop's features are in memory at a time."""

from __future__ import annotations

from typing import Protocol

from numpy.typing import ArrayLike

from core.encoders.image_features import ImageFeatures
from core.geometry import Frame, as_boxes
from core.inference.crop_refine import BATCH, Effort, Look, looks_for, settle
from core.progress import Job, Progress
from core.records import Refinement
from core.refiner.protocol import Refiner


class Framed(Protocol):
    """A picture that can be encoded by frames; see `core.features.feature_source.OpenedPicture`."""

    def of(self, frame: Frame | None = None) -> ImageFeatures: ...

    def once(self, crop: Frame, *, fill: float = 1.0) -> ImageFeatures: ...


def features_for(look: Look, picture: Framed) -> ImageFeatures:
    """Encode the crop of a look; features of a shared crop are kept for the next box.

    Raises the errors of `FeatureSource.of_path`.
    """
    return picture.of(look.crop) if look.replaces else picture.once(look.crop, fill=look.fill)


def look_again(
    answers: list[Refinement],
    drawn: ArrayLike,
    frame: Frame,
    *,
    picture: Framed,
    refiner: Refiner,
    closer: bool = True,
    effort: Effort = BATCH,
) -> Job[set[int]]:
    """Merge second answers into `answers` (N), in place; the job returns the rows that had a second look.

    `drawn` (N, 4) are in image pixels, `answers` come from `frame`. Without `closer`, only boxes too small for the
    frame get a second look; `effort` bounds its cost. Reports progress for each crop. Raises the errors of
    `Refiner.refine` and `FeatureSource.of_path`.
    """
    boxes = as_boxes(drawn)
    looked: set[int] = set()
    looks = looks_for(boxes, frame, answers, closer=closer, effort=effort)
    total = sum(map(len, looks.values()))
    for look, rows in looks.items():
        yield Progress(len(looked), total)
        settle(answers, rows, refiner.refine(features_for(look, picture), boxes[rows]), look)
        looked.update(rows)
    return looked
