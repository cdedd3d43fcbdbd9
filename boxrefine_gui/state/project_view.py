"""StoreView: a snapshot of the project, or of a part of it, which the store lane reads for the window."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from boxrefine_gui.state.tallies import Tallies, read_tallies, tally_steps
from core.marks import Mark, Work
from core.progress import Job
from core.records import Category, Changes, Correction, DrawnBox, ImageRecord, Step
from core.reviews import Review

if TYPE_CHECKING:
    from core.store.project_store import ProjectStore

MANY_IMAGES = 64
"""If a write touched more images than this, its view holds only counts; boxes are read when an image is shown."""


@dataclass(frozen=True)
class StoreView:
    """The changes of a write, and the changed parts of the project; None for parts that did not change.

    `corrections`, `drawn` (boxes that are not accepted) and `reviews` hold an entry for each touched image, `work` and
    `marks` for those that have boxes or a mark. If more than MANY_IMAGES are touched, all are empty and `tallies` holds
    counts.
    """

    changes: Changes
    images: tuple[ImageRecord, ...] | None = None
    categories: tuple[Category, ...] | None = None
    corrections: Mapping[int, tuple[Correction, ...]] = field(default_factory=dict)
    drawn: Mapping[int, tuple[DrawnBox, ...]] = field(default_factory=dict)
    reviews: Mapping[int, Mapping[int, Review]] = field(default_factory=dict)
    work: Mapping[int, Work] = field(default_factory=dict)
    marks: Mapping[int, Mark] = field(default_factory=dict)
    tallies: Tallies | None = None
    undo_steps: tuple[Step | None, Step | None] = (None, None)


@dataclass(frozen=True)
class OpenedProject:
    """A project that was just opened."""

    path: Path
    view: StoreView


@dataclass(frozen=True)
class Moved:
    """The open project was copied to another file, in which the work continues.

    `is_gone`: the old file is gone; `is_read_only`: it cannot be changed.
    """

    before: Path
    after: Path
    is_gone: bool
    is_read_only: bool = False


def read_whole(project: ProjectStore) -> StoreView:
    """Store lane: read what the window needs of a project that was just opened; boxes follow when they are shown."""
    changes = Changes(images=True, categories=True)
    return StoreView(
        changes,
        tuple(project.images()),
        tuple(project.categories()),
        undo_steps=project.undo_steps(),
        tallies=read_tallies(project),
    )


def read_touched(project: ProjectStore, changes: Changes) -> StoreView:
    """Store lane: read the parts of the project that `changes` names."""
    return _view_of(project, changes, read_tallies(project) if is_wide(changes) else None)


def touched_steps(project: ProjectStore, changes: Changes) -> Job[StoreView]:
    """Store lane: the same as a job, between whose steps other functions run; the view has their writes, too."""
    tallies = (yield from tally_steps(project)) if is_wide(changes) else None
    return _view_of(project, changes, tallies)


def is_wide(changes: Changes) -> bool:
    """Whether a view of `changes` holds only counts."""
    return len(changes.image_ids) > MANY_IMAGES or len(changes.image_ids | changes.marked_ids) > MANY_IMAGES


def _view_of(project: ProjectStore, changes: Changes, tallies: Tallies | None) -> StoreView:
    read = () if tallies is not None else changes.image_ids
    return StoreView(
        changes,
        tuple(project.images()) if changes.images else None,
        tuple(project.categories()) if changes.categories else None,
        **_boxes_on(project, read),
        marks={} if tallies is not None else project.marks(changes.marked_ids),
        tallies=tallies,
        undo_steps=project.undo_steps(),
    )


def read_others_work(project: ProjectStore, *, shown: int | None, known: int) -> Job[StoreView]:
    """Store lane: read all that another window may have changed, with the boxes of the image `shown`, as a job.

    The images are read only if their number differs from `known`, since images are never removed from a project.
    """
    tallies = yield from tally_steps(project)
    has_new = project.image_count() != known
    image_ids = frozenset(() if shown is None else (shown,))
    return StoreView(
        Changes(images=has_new, categories=True, image_ids=image_ids),
        tuple(project.images()) if has_new else None,
        tuple(project.categories()),
        **_boxes_on(project, image_ids),
        tallies=tallies,
        undo_steps=project.undo_steps(),
    )


class _Boxes(TypedDict):
    corrections: dict[int, tuple[Correction, ...]]
    drawn: dict[int, tuple[DrawnBox, ...]]
    reviews: dict[int, dict[int, Review]]
    work: dict[int, Work]


def _boxes_on(project: ProjectStore, image_ids: Collection[int]) -> _Boxes:
    return {
        "corrections": {image_id: tuple(project.corrections(image_id)) for image_id in image_ids},
        "drawn": {image_id: tuple(project.drawn_boxes(image_id)) for image_id in image_ids},
        "reviews": project.reviews_on(image_ids),
        "work": project.work_on(image_ids) if image_ids else {},
    }
