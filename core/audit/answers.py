"""The refiner's answers to the labels of a dataset, from features that are at hand or are made for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.audit.appearance import appearances_of
from core.audit.context import Answer, AuditContext, PictureLook
from core.audit.likeness import Likeness, likeness_of
from core.audit.turning import turned
from core.encoders.image_features import ImageFeatures
from core.errors import GpuError, KnownError
from core.formats.importers.found import SLACK_PX
from core.geometry import Box, as_boxes, iou
from core.progress import Job, Progress
from core.records import Correction, Drawing, HowDrawn, ImageRecord
from core.refiner.conservative import refiner_for
from core.refiner.protocol import Refiner
from core.refiner.taught_refiner import rows_by_refiner
from core.translation import tr

FeaturesOf = Callable[[Path], ImageFeatures | None]
"""The features of the picture in a file; None where there are none at hand."""

MOST_LOOKS = 30_000
"""Boxes whose look is kept, 17 MB; in a larger dataset those of every second picture, or fewer."""


@dataclass
class Answers:
    """Answers by box id; `turned`, `likenesses` and `appearances` as in AuditContext.

    `pictures` is the number of those with features.
    """

    by_box: dict[int, Answer] = field(default_factory=dict)
    turned: dict[int, tuple[float, float]] = field(default_factory=dict)
    likenesses: dict[int, Likeness] = field(default_factory=dict)
    appearances: dict[int, NDArray[np.float16]] = field(default_factory=dict)
    pictures: int = 0


def ask(context: AuditContext, *, features_of: FeaturesOf, refiner: Refiner) -> Job[Answers]:
    """Ask the refiner about all boxes around single objects, picture by picture.

    The labels count as placed well, since that is how labels are meant. Of pictures in splits, the features are kept in
    short, to find copies, and of boxes what they look like. Pictures without features, unreadable ones, and
    those of another size than in the dataset are left out. Raises GpuError.
    """
    asked = refiner_for(refiner, HowDrawn(Drawing.PLACED))
    names = {category.id: category.name for category in context.dataset.categories}
    groups: dict[int, list[Correction]] = {}
    for entry in context.boxes:
        groups.setdefault(entry.image_id, []).append(entry)
    found = Answers()
    every = -(-len(context.boxes) // MOST_LOOKS) if len({entry.category_id for entry in context.boxes}) > 1 else 0
    for done, (image_id, boxes) in enumerate(groups.items()):
        image = context.images[image_id]
        yield Progress(done, len(groups), tr("Asking the refiner about {picture}", picture=image.path.name))
        try:
            features = features_of(image.path)
            if features is None or not _has_size(features, image):
                continue
            of_boxes = _answers(asked, features, [entry.accepted for entry in boxes], _names(boxes, names))
            found.by_box |= {entry.id: answer for entry, answer in zip(boxes, of_boxes, strict=True)}
            found.pictures += 1
            if every and done % every == 0:
                rows = appearances_of(features, as_boxes([entry.accepted for entry in boxes]))
                found.appearances |= {entry.id: row for entry, row in zip(boxes, rows, strict=True)}
            if context.split_of(image):
                found.likenesses[image_id] = likeness_of(features)
            look = context.looks.get(image_id)
            if look is not None and look.orientation != 1:
                found.turned[image_id] = _agreements(asked, features, boxes, names, of_boxes, look)
        except GpuError:
            raise
        except KnownError:
            continue  # what cannot be read is a finding of its own
    return found


def _agreements(
    refiner: Refiner,
    features: ImageFeatures,
    boxes: Sequence[Correction],
    names: dict[int, str],
    of_boxes: Sequence[Answer],
    look: PictureLook,
) -> tuple[float, float]:
    """How well the refiner agrees with boxes as they are, and taken as those of the unturned picture."""
    as_they_are = [entry.accepted for entry in boxes]
    other = [turned(box, look.orientation, width=look.width, height=look.height) for box in as_they_are]
    of_others = _answers(refiner, features, other, _names(boxes, names))
    return agreement(as_they_are, of_boxes), agreement(other, of_others)


def agreement(boxes: Sequence[Box], answers: Sequence[Answer]) -> float:
    """Mean over N boxes of the IoU with the refiner's answer, times the IoU that it expects of the answer; 0..1."""
    if not boxes:
        return 0.0
    values = iou(as_boxes(boxes), as_boxes([answer.box for answer in answers]))
    return float(np.mean(values * [answer.score for answer in answers]))


def _answers(
    refiner: Refiner, features: ImageFeatures, boxes: Sequence[Box], names: Sequence[str | None]
) -> list[Answer]:
    found: dict[int, Answer] = {}
    for asked, rows in rows_by_refiner(refiner, names):
        for row, answer in zip(rows, asked.refine(features, [boxes[row] for row in rows]), strict=True):
            found[row] = Answer(answer.box, answer.score, answer.edge_confidence)
    return [found[row] for row in range(len(boxes))]


def _names(boxes: Sequence[Correction], names: dict[int, str]) -> list[str | None]:
    return [names.get(entry.category_id) for entry in boxes]


def _has_size(features: ImageFeatures, image: ImageRecord) -> bool:
    frame = features.frame
    off = abs(frame.image_width - image.width), abs(frame.image_height - image.height)
    return max(off) <= SLACK_PX
