"""Second looks at many boxes of one picture: crops are encoded in batches; few features are in memory at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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

    @property
    def crops_at_once(self) -> int: ...

    def all_once(self, crops: Sequence[Frame], *, fill: float = 1.0) -> list[ImageFeatures]: ...


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
    frame get a second look; `effort` bounds its cost. Reports progress for each batch of crops. Raises the errors of
    `Refiner.refine` and `FeatureSource.of_path`.
    """
    boxes = as_boxes(drawn)
    looked: set[int] = set()
    looks = looks_for(boxes, frame, answers, closer=closer, effort=effort)
    total = sum(map(len, looks.values()))
    for group in in_batches(looks, picture.crops_at_once):
        yield Progress(len(looked), total)
        for look, features in zip(group, features_for_all(group, picture), strict=True):
            settle(answers, looks[look], refiner.refine(features, boxes[looks[look]]), look)
            looked.update(looks[look])
    return looked


def in_batches(looks: Iterable[Look], most: int) -> list[list[Look]]:
    """Group looks whose crops are encoded together: at most `most` of one input size, each shared one alone.

    With more than one, shared ones come first, and the order of the looks stays within each size only.
    """
    if most == 1:
        return [[look] for look in looks]
    batches: list[list[Look]] = []
    by_fill: dict[float, list[Look]] = {}
    for look in looks:
        if look.replaces:
            batches.append([look])
        else:
            by_fill.setdefault(look.fill, []).append(look)
    for same in by_fill.values():
        batches += [same[start : start + most] for start in range(0, len(same), most)]
    return batches


def features_for_all(group: Sequence[Look], picture: Framed) -> list[ImageFeatures]:
    """Encode the crops of a group of `in_batches`. Raises the errors of `FeatureSource.of_path`."""
    if group[0].replaces:
        return [features_for(group[0], picture)]
    return picture.all_once([look.crop for look in group], fill=group[0].fill)
