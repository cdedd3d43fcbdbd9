"""The records of suggesting: the labels of a picture, and the heads that learned from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from core.geometry import Box

Named = tuple[tuple[Box, str], ...]
"""Boxes in image pixels, each with the name of its category."""


SAME_OBJECT, SAME_PLACE = 0.5, 0.75
"""Boxes of one category that overlap by more than the first IoU are one object; of any categories, by the second."""


@dataclass(frozen=True)
class PictureLabels:
    """What a user has stated about one picture.

    `id` is the image's. `boxes` are accepted ones. `done`: nothing else in the picture belongs to any category.
    `rejected` are suggestions that the user did not want.
    """

    id: int
    boxes: Named
    done: bool = False
    rejected: Named = ()

    @property
    def says_something(self) -> bool:
        return bool(self.boxes or self.done or self.rejected)


@dataclass(frozen=True)
class PictureContext:
    """All that suggestions for one picture depend on besides its features.

    `known` are all boxes of the picture that are not suggestions to check: they are not suggested again.
    """

    labels: PictureLabels
    known: Named


@dataclass(frozen=True)
class HeadRecord:
    """A head that was learned from a project's accepted boxes, promoted or not, without what it learned.

    `encoder` is the identity of the encoder and of the network whose cells it reads, `parent` that of the head before
    it. `data` holds the numbers of boxes and images that it learned from, `figures` what was measured on held-out
    images. `pinned`: the user went back to it, so it stays in use when a later one is learned. `id` is 0 and `created`
    empty until it is stored.
    """

    identity: str
    encoder: str
    parent: str = ""
    promoted: bool = True
    data: Mapping[str, object] = field(default_factory=dict)
    figures: Mapping[str, object] = field(default_factory=dict)
    pinned: bool = False
    created: str = ""
    id: int = 0


def may_replace(now: Mapping[str, object], before: Mapping[str, object], *, wanted: float) -> bool:
    """The gate: whether a head with the figures `now` may replace one with the figures `before`.

    Its precision on held-out images must not be lower, unless it still is at least `wanted`.
    """
    return _precision(now) >= min(_precision(before), wanted)


def _precision(figures: Mapping[str, object]) -> float:
    value = figures.get("precision")
    return float(value) if isinstance(value, int | float) else 0.0


def has_enough(labels: Iterable[PictureLabels], *, images: int) -> bool:
    """Whether a category has accepted boxes on so many images."""
    counts: dict[str, int] = {}
    for entry in labels:
        for name in {name for _, name in entry.boxes}:
            counts[name] = counts.get(name, 0) + 1
    return max(counts.values(), default=0) >= images


def numbers_of(labels: Iterable[PictureLabels]) -> dict[str, int]:
    """The numbers of accepted and rejected boxes, and of the images that have some or are done."""
    entries = list(labels)
    boxes, rejected = sum(len(entry.boxes) for entry in entries), sum(len(entry.rejected) for entry in entries)
    return {"boxes": boxes, "images": len(entries), "rejected": rejected}


def difference(before: PictureLabels | None, now: PictureLabels) -> int:
    """The number of labels that were added, changed or removed."""
    old = before or PictureLabels(now.id, ())
    changed = len(set(old.boxes) ^ set(now.boxes)) + len(set(old.rejected) ^ set(now.rejected))
    return changed + (old.done != now.done)
