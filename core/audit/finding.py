"""Findings of an audit: what may be wrong, how bad that is, and how it is repaired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from core.geometry import Box
from core.translation import tr


class Kind(StrEnum):
    """What a finding is about. The values stand in JSON."""

    TURNED = "turned"
    SIZE = "size"
    SHIFTED = "shifted"
    OUTSIDE = "outside"
    DUPLICATE = "duplicate"
    COPY = "copy"
    TWO_CLASSES = "two_classes"
    NOTHING = "nothing"
    LOOSE = "loose"
    TINY = "tiny"
    HUGE = "huge"
    OUTLIER = "outlier"
    LOOKALIKE = "lookalike"
    UNUSED = "unused"
    UNREAD = "unread"


TITLES: Mapping[Kind, str] = {
    Kind.TURNED: tr("Boxes of the unturned picture"),
    Kind.SIZE: tr("Size of another picture"),
    Kind.SHIFTED: tr("All boxes off by a pixel"),
    Kind.OUTSIDE: tr("Box beyond the picture"),
    Kind.DUPLICATE: tr("Box that is there twice"),
    Kind.COPY: tr("Picture in two splits"),
    Kind.TWO_CLASSES: tr("Two categories on one object"),
    Kind.NOTHING: tr("Box around nothing"),
    Kind.LOOSE: tr("Loose box"),
    Kind.TINY: tr("Tiny box"),
    Kind.HUGE: tr("Box as large as the picture"),
    Kind.OUTLIER: tr("Unusual for its category"),
    Kind.LOOKALIKE: tr("Looks like another category"),
    Kind.UNUSED: tr("Category without boxes"),
    Kind.UNREAD: tr("Picture that cannot be read"),
}


@dataclass(frozen=True)
class AuditFinding:
    """One finding. `severity` in [0, 1] is the expected harm: 1 spoils what is trained on the labels.

    `image_id` and `correction_id` are 0 where it is about no single picture or box. `moves` (id -> box),
    `deletes` and `relabels` (id -> category as it is, other category) are the repair, which is one of them; empty: it
    has none that a program could choose.
    """

    kind: Kind
    severity: float
    sentence: str
    image_id: int = 0
    picture: str = ""
    correction_id: int = 0
    box: Box | None = None
    moves: Mapping[int, Box] = field(default_factory=dict, repr=False)
    deletes: tuple[int, ...] = ()
    relabels: Mapping[int, tuple[int, int]] = field(default_factory=dict, repr=False)

    @property
    def can_repair(self) -> bool:
        return bool(self.moves or self.deletes or self.relabels)

    def as_json(self) -> dict[str, Any]:
        """The finding for a calling program; edges of the box in pixels."""
        return {
            "kind": self.kind.value,
            "severity": round(self.severity, 3),
            "picture": self.picture,
            "box": None if self.box is None else [round(value, 2) for value in self.box],
            "sentence": self.sentence,
        }
