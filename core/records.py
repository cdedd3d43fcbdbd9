"""The records of a project, as frozen dataclasses. They need no Qt, torch or SQL, so any module may import them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.categories import Category as Category
from core.categories import CategoryUse as CategoryUse
from core.geometry import Box
from core.origins import Origin as Origin
from core.sources import Source as Source
from core.steps import Step as Step
from core.steps import StepKind as StepKind

EdgeConfidence = tuple[float, float, float, float]
"""Left, top, right, bottom: the probability that the edge is within 5 % of the side (or 2 px), in [0, 1]."""

EdgeMargin = tuple[float, float, float, float]
"""Left, top, right, bottom: how far a margin moved the edge outwards (negative: inwards), in image pixels."""

Outline = tuple[tuple[float, ...], ...]
"""Polygons around an object, each x1, y1, x2, y2, ... in image pixels; empty without a mask."""


class Drawing(StrEnum):
    """How boxes were drawn: DRAG by a coarse mouse drag, COARSE off by tenths of their sides, PLACED mostly right."""

    UNKNOWN = "unknown"
    DRAG = "drag"
    COARSE = "coarse"
    PLACED = "placed"


class DrawnBy(StrEnum):
    """How the user made a box; the values are stored and exported. UNKNOWN is that of earlier versions."""

    UNKNOWN = ""
    DRAG = "drag"
    TWO_CLICKS = "two_clicks"
    FOUR_POINTS = "four_points"
    KEYS = "keys"
    COPIED = "copied"
    IMPORTED = "imported"
    """It came in a file; never stored, since the origin shows it, as with SUGGESTED."""
    SUGGESTED = "suggested"


CLEARLY_OFF = 0.15
"""If the farthest edge of a box would move by this fraction of its side, the box counts as clearly off."""


@dataclass(frozen=True)
class HowDrawn:
    """How boxes were drawn, as the user states or as `core.inference.guess_drawing` finds.

    drawing: for a refiner that was trained for it
    clearly_off: boxes whose farthest edge would move by less than this fraction of its side hardly move; 0: all move
    """

    drawing: Drawing = Drawing.UNKNOWN
    clearly_off: float = 0.0

    @classmethod
    def by(cls, drawing: Drawing) -> HowDrawn:
        """For a user who knows the drawing: placed boxes stay, but for those that are clearly off."""
        return cls(drawing, CLEARLY_OFF if drawing is Drawing.PLACED else 0.0)


DOUBTFUL_BELOW = 0.72
"""Edges with a lower confidence are doubtful: at most about 15 % of the good ones (`benchmark calibration`)."""


@dataclass(frozen=True)
class Candidate:
    """One of several answers to a drawn box, and how probably it is the one that the user means, in [0, 1].

    `edge_confidence` and `score` are as in Refinement, None where the refiner has not judged the
    candidate. `margin` is what was added to the edges, None without a margin.
    """

    box: Box
    probability: float
    edge_confidence: EdgeConfidence | None = None
    score: float | None = None
    margin: EdgeMargin | None = None


@dataclass(frozen=True)
class Choice:
    """The candidates that a user saw, two or more, and the row of the chosen one; the refiner's own answer is first."""

    candidates: tuple[Candidate, ...]
    chosen: int = 0


@dataclass(frozen=True)
class Refinement:
    """The model's answer to a drawn box, in pixels of the upright image.

    `score` is the expected IoU of the refined box with the true one, in [0, 1].
    `mask` (None if the model makes no masks) covers the integer pixels floor(x1, y1) .. ceil(x2, y2) of `box`;
    `outline` is its border. `candidates`, if they were asked for, are up to three answers, of which `box` is the first.
    `margin` is what a margin learned from accepted boxes added to the edges before damping, None without one.
    """

    box: Box
    edge_confidence: EdgeConfidence
    score: float
    mask: NDArray[np.bool_] | None = field(default=None, compare=False, repr=False)
    outline: Outline = field(default=(), compare=False, repr=False)
    candidates: tuple[Candidate, ...] = field(default=(), repr=False)
    margin: EdgeMargin | None = None


@dataclass(frozen=True)
class ImageRecord:
    """An image of a project; `width` and `height` are of the upright image, in pixels."""

    id: int
    path: Path
    width: int
    height: int


@dataclass(frozen=True)
class NewImage:
    """A picture to add to a project; `width` and `height` are of the upright image, in pixels."""

    path: Path
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Correction:
    """One labelled box: as it was drawn, as the model refined it, and as the user accepted it.

    `id` is 0 until it is stored. `refined` is None without a model (`encoder` and `refiner` are then empty).
    `seconds` is the time from the first press to the acceptance. `outline` is that of the refinement's mask, if it has
    one: it belongs to the refined box and does not move with the accepted one. `refined` is always the answer to
    `drawn`: when a stored box is refined again, its previous box becomes the drawn one. `margin` is that of the
    refinement. `origin` is None for a box that the user drew. `choice` is None where the refiner had one answer; else
    `refined` is the chosen candidate.

    `doubtful` are the edges (0 left, 1 top, 2 right, 3 bottom) that were accepted as the refiner left them although it
    was not sure of them, until the user confirms or moves the box. `drawn_by` is how the user made the box first; later
    changes leave it as it is.

    If `confirmed` is false, the user has not reviewed the box: `accepted` is the box as drawn or imported, or as it was
    accepted before a later answer came, and `refined`, if present, is a proposal.
    """

    image_id: int
    category_id: int
    drawn: Box
    accepted: Box
    refined: Box | None = None
    edge_confidence: EdgeConfidence | None = None
    score: float | None = None
    encoder: str = ""
    refiner: str = ""
    seconds: float = 0.0
    outline: Outline = field(default=(), repr=False)
    id: int = 0
    origin: Origin | None = None
    confirmed: bool = True
    margin: EdgeMargin | None = None
    choice: Choice | None = None
    doubtful: tuple[int, ...] = ()
    drawn_by: DrawnBy = DrawnBy.UNKNOWN

    @property
    def made_by(self) -> DrawnBy:
        """How the box came about, by `drawn_by`, else by its origin."""
        if self.drawn_by or self.origin is None:
            return self.drawn_by
        return DrawnBy.SUGGESTED if self.origin.head else DrawnBy.IMPORTED

    @property
    def was_accepted(self) -> bool:
        """Whether the user has accepted the box as it is, perhaps before there was a proposal for it."""
        return self.confirmed or self.origin is None

    @property
    def is_label(self) -> bool:
        """Whether the user has accepted the box, or it came in a file: it is no suggestion of a head."""
        return self.was_accepted or (self.origin is not None and not self.origin.head)

    @property
    def is_suggestion(self) -> bool:
        """Whether a head has suggested the box, and the user has not accepted it."""
        return not self.confirmed and self.origin is not None and bool(self.origin.head)

    @property
    def proposal(self) -> Box | None:
        """The refinement that the user has yet to accept or reject."""
        return None if self.confirmed else self.refined

    def with_answer(self, answer: Refinement, *, encoder: str, refiner: str) -> Correction:
        """A copy with a refinement and the identities of the encoder and refiner that made it."""
        return replace(
            self,
            refined=answer.box,
            edge_confidence=answer.edge_confidence,
            score=answer.score,
            outline=answer.outline,
            margin=answer.margin,
            choice=None,
            encoder=encoder,
            refiner=refiner,
        )

    def with_doubt(self) -> Correction:
        """A copy with the edges that are `doubtful` if the user accepts the box as it is now."""
        return replace(self, doubtful=doubtful_edges(self.accepted, self.refined, self.edge_confidence))


def doubtful_edges(accepted: Box, refined: Box | None, confidence: EdgeConfidence | None) -> tuple[int, ...]:
    """The edges of an accepted box that are where a refinement left them, below DOUBTFUL_BELOW."""
    if refined is None or confidence is None:
        return ()
    edges = enumerate(zip(accepted, refined, confidence, strict=True))
    return tuple(edge for edge, (now, was, sure) in edges if now == was and sure < DOUBTFUL_BELOW)


@dataclass(frozen=True)
class AcceptedAnswer:
    """An accepted box with the answer that the user started from; `margin` is the answer's, the rest the box's."""

    id: int
    image_id: int
    category_id: int
    refined: Box
    accepted: Box
    margin: EdgeMargin | None = None
    choice: Choice | None = None


@dataclass(frozen=True)
class DrawnBox:
    """A drawn box that the user has not accepted or discarded yet; exports and training leave it out.

    `key` is unique across projects. `correction` is what accepting the box stores: its `id` is 0, its `category_id`
    is 0 without a category to choose. `plain`: the user wants no refinement.
    """

    key: str
    correction: Correction
    plain: bool = False


@dataclass(frozen=True, slots=True)
class ImportedBox:
    """A box of an annotation file on an image of the project.

    `category` is a name; the `category_id` of `correction` is 0, because the project may not have the category yet.
    """

    category: str
    correction: Correction


class VerdictKind(StrEnum):
    """The gate's decision on a taught refiner; the values are stored. `core.wording` has the sentences."""

    BETTER = "better"
    FORGETS = "forgets"
    CHANCE = "chance"
    TEXT = "text"
    """Decided by an earlier version, which stored a sentence."""


@dataclass(frozen=True)
class RefinerRecord:
    """A refiner that was taught by a project's corrections, promoted or not: its folder and its provenance.

    `parent` is the identity of the refiner that was in use, `data` the numbers of boxes and pictures that it learned
    from, `verdict` and `figures` are the gate's. `remark` is the sentence that an earlier version stored, for the
    verdict TEXT. `id` is 0 and `created` empty until it is stored.
    """

    folder: Path
    identity: str
    encoder: str
    parent: str
    promoted: bool
    verdict: VerdictKind
    data: Mapping[str, object] = field(default_factory=dict)
    config: Mapping[str, object] = field(default_factory=dict)
    figures: Mapping[str, object] = field(default_factory=dict)
    created: str = ""
    id: int = 0
    remark: str = ""


@dataclass(frozen=True)
class Dataset:
    """All records that an export needs, read in one transaction; it keeps no file open.

    `categories` are in the user's order, which is also the order of classes in an export. Picture names in an export
    are relative to `folder`; None stands for the deepest folder that holds all pictures. `empty` are the ids of the
    images that the user has marked as done and that have no boxes, `done` those of all images that are marked so.
    `sources` are the imported files, the first one first. `corrections` is a tuple, or a `CorrectionTable` of many.
    """

    images: tuple[ImageRecord, ...]
    categories: tuple[Category, ...]
    corrections: Sequence[Correction]
    folder: Path | None = None
    empty: frozenset[int] = frozenset()
    sources: tuple[Source, ...] = ()
    done: frozenset[int] = frozenset()

    def labels(self) -> Dataset:
        """A copy without suggestions that the user has not accepted, see `Correction.is_label`."""
        return replace(self, corrections=_by_status(self.corrections, lambda entry: entry.is_label))

    def accepted(self) -> Dataset:
        """A copy without boxes that the user has never accepted."""
        return replace(self, corrections=_by_status(self.corrections, lambda entry: entry.was_accepted))

    @property
    def boxed(self) -> Set[int]:
        """The ids of the images that have boxes."""
        listed = getattr(self.corrections, "image_ids", None)  # of a table
        return set(listed) if listed is not None else {correction.image_id for correction in self.corrections}

    def labelled(self) -> Dataset:
        """A copy without images that have no boxes and are not known to be empty."""
        kept = self.empty | self.boxed
        return replace(self, images=tuple(image for image in self.images if image.id in kept))


def _by_status(corrections: Sequence[Correction], test: Callable[[Correction], bool]) -> Sequence[Correction]:
    in_table: Callable[..., Sequence[Correction]] | None = getattr(corrections, "by_status", None)
    return in_table(test) if in_table is not None else tuple(entry for entry in corrections if test(entry))


@dataclass(frozen=True)
class Finding:
    """Damage in a project file: the table and row where it is, and what is wrong.

    `id` is 0 if the damage is not in one row.
    """

    table: str
    id: int
    what: str

    def __str__(self) -> str:
        return f"{self.table} {self.id}: {self.what}" if self.id else f"{self.table}: {self.what}"


@dataclass(frozen=True)
class OpenElsewhere:
    """Another process that has the same project open; `host` is the name of its computer."""

    pid: int
    host: str


@dataclass(frozen=True)
class Changes:
    """What a write changed, so that each panel can decide whether it is stale.

    `image_ids` are the images whose corrections or reviews changed, `marked_ids` those whose marks changed. `step` is
    the operation, None if nothing was done. `note` is a sentence on what could not be changed, else empty. `counts` has
    by how much the number of boxes of each category changed.
    """

    step: Step | None = None
    images: bool = False
    categories: bool = False
    image_ids: frozenset[int] = frozenset()
    note: str = ""
    marked_ids: frozenset[int] = frozenset()
    counts: Mapping[int, int] = field(default_factory=dict, compare=False)

    @property
    def anything(self) -> bool:
        return self.images or self.categories or bool(self.image_ids) or bool(self.marked_ids)
