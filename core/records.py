"""The nouns of a project: frozen, without Qt, torch or SQL; everyone may import them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.geometry import Box

EdgeConfidence = tuple[float, float, float, float]
"""Left, top, right, bottom: the probability that the edge is within 5 % of the side (or 2 px), in [0, 1]."""

Outline = tuple[tuple[float, ...], ...]
"""Polygons around an object, each x1, y1, x2, y2, ... in image pixels; empty where no mask was made."""


@dataclass(frozen=True)
class Refinement:
    """The model's answer to a drawn box.

    `score` is the IoU that the refined box is expected to have with the true one, in [0, 1].
    `mask`, where the model makes one, covers the integer pixels floor(x1, y1) .. ceil(x2, y2) of `box`; `outline` is
    its border.
    """

    box: Box
    edge_confidence: EdgeConfidence
    score: float
    mask: NDArray[np.bool_] | None = field(default=None, compare=False, repr=False)
    outline: Outline = field(default=(), compare=False, repr=False)


@dataclass(frozen=True)
class ImageRecord:
    """An image of a project; `width` and `height` are of the upright image, in pixels."""

    id: int
    path: Path
    width: int
    height: int


@dataclass(frozen=True)
class NewImage:
    """A picture that a project does not hold yet; `width` and `height` are of the upright image, in pixels."""

    path: Path
    width: int
    height: int


@dataclass(frozen=True)
class Category:
    """What a box is labelled as; `id` never changes and is never used again."""

    id: int
    name: str


@dataclass(frozen=True)
class CategoryUse:
    """How many boxes of the project have a category, and on how many images they are."""

    boxes: int
    images: int


@dataclass(frozen=True)
class Origin:
    """The annotation file that a box was imported from, by its name alone, and the box as that file had it."""

    file: str
    box: Box


@dataclass(frozen=True)
class Correction:
    """One labelled box: what was drawn, what was proposed, what was accepted.

    `id` is 0 until it is stored. `refined` is None where the box was drawn without the model (`encoder` and
    `refiner` are then empty). `seconds` is the time from the first press to the acceptance. `outline` is that of the
    refinement's mask, if there was one: it belongs to the refined box and does not move with the accepted one.
    `refined` always answers `drawn`: where a stored box is refined again, the box that it was is the drawn one.
    `origin` is None for a box that was drawn here. Not `confirmed`: nobody has said yes to it yet, so `accepted` is the
    box as it was drawn or imported, or as it was accepted before a later answer came, and `refined`, if there is one,
    is a proposal.
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

    @property
    def was_accepted(self) -> bool:
        """Whether somebody has said yes to the box as it is, perhaps before there was a proposal for it."""
        return self.confirmed or self.origin is None

    @property
    def proposal(self) -> Box | None:
        """The refinement that waits for a yes or no."""
        return None if self.confirmed else self.refined

    def with_answer(self, answer: Refinement, *, encoder: str, refiner: str) -> Correction:
        """The same with a refinement and the identities of who made it."""
        return replace(
            self,
            refined=answer.box,
            edge_confidence=answer.edge_confidence,
            score=answer.score,
            outline=answer.outline,
            encoder=encoder,
            refiner=refiner,
        )


@dataclass(frozen=True)
class DrawnBox:
    """A box that was drawn and that nobody has accepted or discarded yet; no export and no lesson holds it.

    `key` is its own, in every project. `correction` is what accepting it stores: its `id` is 0, and so is its
    `category_id` where there was no category to choose. `plain`: the user wants no refinement.
    """

    key: str
    correction: Correction
    plain: bool = False


@dataclass(frozen=True)
class ImportedBox:
    """A box of an annotation file on an image of the project: a correction without its category's id, and its name."""

    category: str
    correction: Correction


class VerdictKind(StrEnum):
    """What the gate found of a taught refiner; the values are stored. `core.wording` has the sentences."""

    BETTER = "better"
    FORGETS = "forgets"
    CHANCE = "chance"
    TEXT = "text"
    """A version that stored sentences judged it."""


@dataclass(frozen=True)
class RefinerRecord:
    """A refiner that was taught by a project's corrections, promoted or not: where it lies and where it came from.

    `parent` is the identity of the refiner that was in use, `data` how many boxes and pictures it learned from,
    `figures` the gate's, `verdict` what the gate found. `remark` is what an earlier version said of it, for the verdict
    TEXT. `id` is 0 and `created` empty until it is stored.
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
    """All that an export needs, read in one go: records only, no open file.

    `categories` stand in the order that the user gave them, which is that of classes in an export.
    `folder` is the one that picture names are relative to in an export; None: the deepest that holds all pictures.
    """

    images: tuple[ImageRecord, ...]
    categories: tuple[Category, ...]
    corrections: tuple[Correction, ...]
    folder: Path | None = None

    def accepted(self) -> Dataset:
        """The same without boxes that nobody has ever said yes to."""
        return replace(self, corrections=tuple(entry for entry in self.corrections if entry.was_accepted))


@dataclass(frozen=True)
class Finding:
    """Damage in a project file that SQLite does not see: which row of which table, and what is wrong with it.

    `id` is 0 where the damage is not of one row.
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


class StepKind(StrEnum):
    """What an operation does; the values are stored in undo steps. `core.wording` has the titles."""

    ACCEPT = "accept"
    KEEP = "keep"
    MOVE = "move"
    REFINE = "refine"
    RELABEL = "relabel"
    DELETE = "delete"
    IMPORT = "import"
    PROPOSE = "propose"
    WITHDRAW = "withdraw"
    ADD_IMAGES = "add_images"
    ADD_CATEGORIES = "add_categories"
    ADD_CATEGORY = "add_category"
    RENAME_CATEGORY = "rename_category"
    MOVE_CATEGORY = "move_category"
    MERGE_CATEGORY = "merge_category"
    DELETE_CATEGORY = "delete_category"
    TEXT = "text"
    """A version that stored titles made the step; its title is the name."""


@dataclass(frozen=True)
class Step:
    """One operation as the undo menu tells it.

    `count` is a number of boxes or proposals, `name` that of a category or an imported file, `into` that of the
    category that takes over the boxes.
    """

    kind: StepKind
    count: int = 0
    name: str = ""
    into: str = ""


@dataclass(frozen=True)
class Changes:
    """What a write touched, so that each panel can decide whether it is stale.

    `image_ids` are the images whose corrections changed. `step` is the operation, None where nothing was done. `note`
    is a sentence on what was left as it is, empty where all was done.
    """

    step: Step | None = None
    images: bool = False
    categories: bool = False
    image_ids: frozenset[int] = frozenset()
    note: str = ""

    @property
    def anything(self) -> bool:
        return self.images or self.categories or bool(self.image_ids)
