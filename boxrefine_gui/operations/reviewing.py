"""Operations of the review window: read what it shows, in parts, and store what the user finds of a box."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from boxrefine_gui.operations.box_verbs import apply_widely, choose_settings, show_image
from boxrefine_gui.operations.parts import Parts
from core.geometry import Box
from core.records import Changes
from core.reviews import ReviewItem, Verdict, Version

if TYPE_CHECKING:
    from core.store.project_store import ProjectStore

_AT_ONCE = 2_000

Found = tuple[list[ReviewItem], dict[int, str]]
"""Boxes, and the name of the annotator of each opening of the project."""


def read_items(
    parts: Parts, *, on_part: Callable[[Found], None], on_done: Callable[[], None], is_wanted: Callable[[], bool]
) -> None:
    """Call `on_part` with parts of the boxes of the project, then `on_done`; boxes are stored in between.

    Neither is called any more if another project is opened, or the boxes are not wanted any more.
    """

    def read_from(first: int, last: int) -> None:
        def read(project: ProjectStore) -> Found:
            return project.review_items(first, min(first + _AT_ONCE - 1, last)), project.annotators()

        def done(part: Found) -> None:
            if not is_wanted():
                return
            on_part(part)
            if first + _AT_ONCE <= last:
                read_from(first + _AT_ONCE, last)
            else:
                on_done()

        parts.store.read(read, on_done=done)

    parts.store.read(lambda project: project.last_correction_id(), on_done=lambda last: read_from(1, last))


def read_items_on(parts: Parts, image_ids: Collection[int], *, on_done: Callable[[Found], None]) -> None:
    """Call `on_done` with the boxes of some images."""
    parts.store.read(lambda project: (project.review_items_on(image_ids), project.annotators()), on_done=on_done)


def find(parts: Parts, ids: Sequence[int], verdict: Verdict | None) -> None:
    """Store a verdict on boxes as one undo step; None: they are wrong, and are deleted."""

    def job(project: ProjectStore) -> Changes:
        if verdict is None:
            return project.delete(ids)
        return project.find_good(ids) if verdict is Verdict.GOOD else project.find_to_fix(ids)

    parts.store.write(job, on_done=partial(apply_widely, parts))


def comment(parts: Parts, correction_id: int, text: str) -> None:
    """Store a comment on a box; an empty one removes it."""
    parts.store.write(lambda project: project.comment(correction_id, text), on_done=parts.session.apply)


def travel(parts: Parts, *, undo: bool) -> None:
    """Undo or redo a stored operation; the image that the window shows stays."""
    parts.store.travel(undo=undo, on_done=partial(apply_widely, parts))


def show_box(parts: Parts, image_id: int, correction_id: int) -> None:
    """Open the image of a box, and select the box."""
    session = parts.session
    show_image(parts, image_id)

    def select(_: object) -> None:
        if session.image is not None and session.image.id == image_id and session.can_pick(correction_id):
            session.select(correction_id)

    # The store lane runs this after the read that show_image has queued.
    parts.store.read(lambda project: project.path, on_done=select)


def read_history(parts: Parts, correction_id: int, *, on_done: Callable[[list[Version]], None]) -> None:
    """Call `on_done` with the versions of a box, the earliest first."""
    parts.store.read(lambda project: project.history(correction_id), on_done=on_done)


def go_back(parts: Parts, correction_id: int, box: Box, category_id: int) -> None:
    """Make a version of a box the accepted one, as an undo step."""
    parts.store.write(lambda project: project.go_back(correction_id, box, category_id), on_done=parts.session.apply)


def name_annotator(parts: Parts, name: str) -> None:
    """Set the name of the annotator for what this window stores, and save it for the next start."""
    parts.store.run(
        lambda project: project.name_annotator(name),
        on_done=lambda _: choose_settings(parts, replace(parts.session.settings, annotator=" ".join(name.split()))),
    )
