"""How a project looks to the window: what the store lane reads back after each write, and how it reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from core.records import Category, Changes, Correction, DrawnBox, ImageRecord, Step

if TYPE_CHECKING:
    from core.store.project_store import ProjectStore

MANY_IMAGES = 64
"""A write that touched more images than this is told by their numbers of boxes alone; the boxes are read when seen."""


@dataclass(frozen=True)
class Tallies:
    """Image id -> how many boxes it has, how many of them are still to check, how many nobody has ever accepted, and
    how many are only drawn.

    Only images that have some.
    """

    boxes: Mapping[int, int]
    to_check: Mapping[int, int]
    unaccepted: Mapping[int, int]
    drawn: Mapping[int, int]


@dataclass(frozen=True)
class StoreView:
    """What a write touched and how the touched things look now; None: not touched, so not read again.

    `corrections` and `drawn`, the boxes that nobody has accepted, hold an entry for each touched image; where those are
    very many, `tallies` stands for them.
    """

    changes: Changes
    images: tuple[ImageRecord, ...] | None = None
    categories: tuple[Category, ...] | None = None
    corrections: Mapping[int, tuple[Correction, ...]] = field(default_factory=dict)
    drawn: Mapping[int, tuple[DrawnBox, ...]] = field(default_factory=dict)
    tallies: Tallies | None = None
    undo_steps: tuple[Step | None, Step | None] = (None, None)


@dataclass(frozen=True)
class OpenedProject:
    """A project as it was just opened."""

    path: Path
    view: StoreView


@dataclass(frozen=True)
class Moved:
    """The open project is another file now, which has all that the one before had; `is_gone`: that one is gone."""

    before: Path
    after: Path
    is_gone: bool


def read_whole(project: ProjectStore) -> StoreView:
    """Store lane: all that the window needs of a project that was just opened, but for the corrections."""
    changes = Changes(images=True, categories=True)
    return StoreView(
        changes,
        tuple(project.images()),
        tuple(project.categories()),
        undo_steps=project.undo_steps(),
        tallies=_tallies(project),
    )


def read_touched(project: ProjectStore, changes: Changes) -> StoreView:
    """Store lane: what `changes` touched, read again."""
    is_wide = len(changes.image_ids) > MANY_IMAGES
    read = () if is_wide else changes.image_ids
    return StoreView(
        changes,
        tuple(project.images()) if changes.images else None,
        tuple(project.categories()) if changes.categories else None,
        {image_id: tuple(project.corrections(image_id)) for image_id in read},
        {image_id: tuple(project.drawn_boxes(image_id)) for image_id in read},
        _tallies(project) if is_wide else None,
        project.undo_steps(),
    )


def read_others_work(project: ProjectStore, *, shown: int | None, known: int) -> StoreView:
    """Store lane: all that another window may have changed, with the boxes of the image `shown`.

    The images are read only where there are others than the `known` ones, for they are never removed.
    """
    has_new = project.image_count() != known
    image_ids = frozenset(() if shown is None else (shown,))
    return StoreView(
        Changes(images=has_new, categories=True, image_ids=image_ids),
        tuple(project.images()) if has_new else None,
        tuple(project.categories()),
        {image_id: tuple(project.corrections(image_id)) for image_id in image_ids},
        {image_id: tuple(project.drawn_boxes(image_id)) for image_id in image_ids},
        _tallies(project),
        project.undo_steps(),
    )


def _tallies(project: ProjectStore) -> Tallies:
    return Tallies(project.counts(), project.to_check(), project.unaccepted(), project.drawn_counts())
