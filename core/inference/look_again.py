"""Second looks at many boxes: crops are encoded in batches, across pictures; few features are in memory at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol, TypeVar

from numpy.typing import ArrayLike

from core.encoders.image_features import Cut, Encoder, ImageFeatures, crops_at_once, encode_all_filling
from core.geometry import Boxes, Frame, as_boxes
from core.inference.crop_refine import BATCH, Effort, Look, looks_for, settle
from core.progress import Job, Progress
from core.records import Refinement
from core.refiner.protocol import Refiner
from core.refiner.together import Drawn, refine_together

Whose = TypeVar("Whose")


class Framed(Protocol):
    """A picture that can be encoded by frames; see `core.features.feature_source.OpenedPicture`."""

    def of(self, frame: Frame | None = None) -> ImageFeatures: ...

    def once(self, crop: Frame, *, fill: float = 1.0) -> ImageFeatures: ...

    @property
    def encoder(self) -> Encoder: ...

    def cut(self, crop: Frame) -> Cut: ...


class Again(NamedTuple):
    """Drawn boxes (N, 4) of one picture in image pixels, and the answers (N) of the first look, in `frame`."""

    answers: list[Refinement]
    drawn: Boxes
    frame: Frame
    picture: Framed


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
    part = Again(answers, as_boxes(drawn), frame, picture)
    [looked] = yield from look_again_at_all([part], refiner, closer=closer, effort=effort)
    return looked


def look_again_at_all(
    parts: Sequence[Again], refiner: Refiner, *, closer: bool = True, effort: Effort = BATCH
) -> Job[list[set[int]]]:
    """As `look_again` for some pictures of one encoder, whose crops share batches."""
    looked: list[set[int]] = [set() for _ in parts]
    rows_of = [looks_for(each.drawn, each.frame, each.answers, closer=closer, effort=effort) for each in parts]
    looks = [(number, look) for number, found in enumerate(rows_of) for look in found]
    total = sum(len(rows) for found in rows_of for rows in found.values())
    for group in in_batches(looks, crops_at_once(parts[0].picture.encoder) if parts else 1):
        yield Progress(sum(map(len, looked)), total)
        seen = features_for_all([(parts[number].picture, look) for number, look in group])
        rows = [rows_of[number][look] for number, look in group]
        asked = [
            Drawn(features, parts[number].drawn[some])
            for features, (number, _), some in zip(seen, group, rows, strict=True)
        ]
        for (number, look), some, seconds in zip(group, rows, refine_together(refiner, asked), strict=True):
            settle(parts[number].answers, some, seconds, look)
            looked[number].update(some)
    return looked


def in_batches(looks: Iterable[tuple[Whose, Look]], most: int) -> list[list[tuple[Whose, Look]]]:
    """Group looks, each with whose it is, whose crops are encoded together: at most `most` of one input size.

    With more than one, the order of the looks stays within each size only.
    """
    if most == 1:
        return [[each] for each in looks]
    by_fill: dict[float, list[tuple[Whose, Look]]] = {}
    for whose, look in looks:
        by_fill.setdefault(look.fill, []).append((whose, look))
    return [same[start : start + most] for same in by_fill.values() for start in range(0, len(same), most)]


def features_for_all(group: Sequence[tuple[Framed, Look]]) -> list[ImageFeatures]:
    """Encode the crops of a group of `in_batches`. Raises the errors of `FeatureSource.of_path`.

    Only a look alone asks the cache for a shared crop: a GPU encodes a batch in less time than files are read.
    """
    if len(group) == 1:
        return [features_for(look, picture) for picture, look in group]
    picture, look = group[0]
    return encode_all_filling(picture.encoder, [each.cut(own.crop) for each, own in group], fill=look.fill)
