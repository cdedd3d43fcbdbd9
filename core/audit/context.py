"""What the checks of an audit know: the labels, a look at each picture, and the refiner's answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.audit.comparing import by_image
from core.audit.finding import AuditFinding, Kind
from core.audit.pairing import name_in
from core.geometry import Box
from core.records import Correction, Dataset, EdgeConfidence, ImageRecord
from core.splits import split_of
from core.text import escaped

_LONGEST_NAME = 40


@dataclass(frozen=True)
class PictureLook:
    """What a picture file shows.

    `width` and `height` are of the upright picture, `orientation` is EXIF's, 1 to 8. `shape` (256 bits as a whole
    number) is alike for pictures that look alike, None for a flat picture; `mirrored` is that of the picture with left
    and right exchanged; `content` is the same for the same bytes, empty where no other file has that many. `spreads`
    has the standard deviation of the brightness, 0 to 255, in each box that is large enough to be judged, by the box's
    id. `error` is a sentence where the picture cannot be read.
    """

    width: int = 0
    height: int = 0
    orientation: int = 1
    shape: int | None = None
    mirrored: int | None = None
    content: str = ""
    spreads: Mapping[int, float] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True)
class Answer:
    """The refiner's answer to a label as the drawn box; `score` is its expected IoU with the true box."""

    box: Box
    score: float
    edge_confidence: EdgeConfidence


@dataclass(frozen=True)
class AuditContext:
    """The inputs of the checks.

    `looks` are by image id, empty where pictures were not looked at; `answers` by box id. `turned` has, for pictures
    that EXIF turns, how well the refiner agrees with the boxes as they are, and taken as those of the unturned picture.
    `likenesses` has `core.audit.likeness.likeness_of` of pictures by image id, `appearances` a row of
    `core.audit.appearance.appearances_of` by box id.
    """

    dataset: Dataset
    looks: Mapping[int, PictureLook] = field(default_factory=dict)
    answers: Mapping[int, Answer] = field(default_factory=dict)
    turned: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    likenesses: Mapping[int, NDArray[np.float32]] = field(default_factory=dict)
    appearances: Mapping[int, NDArray[np.float16]] = field(default_factory=dict)

    @cached_property
    def images(self) -> dict[int, ImageRecord]:
        return {image.id: image for image in self.dataset.images}

    @cached_property
    def on_image(self) -> dict[int, list[Correction]]:
        return by_image(self.dataset)

    @cached_property
    def boxes(self) -> list[Correction]:
        """The boxes around single objects, on pictures of the dataset."""
        return [
            entry
            for entry in self.dataset.corrections
            if entry.image_id in self.images and not (entry.origin is not None and entry.origin.is_crowd)
        ]

    @cached_property
    def _names(self) -> dict[int, str]:
        return {category.id: category.name for category in self.dataset.categories}

    def category_of(self, entry: Correction) -> str:
        """The name of a box's category, short enough for a sentence."""
        return short_name(self._names.get(entry.category_id, "?"))

    def split_of(self, image: ImageRecord) -> str:
        """The split of a picture by its folders; empty without one."""
        return split_of(name_in(self.dataset, image))

    def of_box(self, kind: Kind, severity: float, sentence: str, entry: Correction) -> AuditFinding:
        """A finding on a box."""
        image = self.images[entry.image_id]
        found = self.of_picture(kind, severity, sentence, image)
        return replace(found, correction_id=entry.id, box=entry.accepted)

    def of_picture(self, kind: Kind, severity: float, sentence: str, image: ImageRecord) -> AuditFinding:
        """A finding on a picture."""
        return AuditFinding(kind, min(max(severity, 0.0), 1.0), sentence, image.id, name_in(self.dataset, image))


def short_name(name: str) -> str:
    """A name on one line, short enough for a sentence."""
    line = escaped(name)
    return line if len(line) <= _LONGEST_NAME else line[: _LONGEST_NAME - 1] + "…"
