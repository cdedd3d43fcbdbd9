"""The verbs of checking: going to boxes that nobody has said yes to, and saying yes or no to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boxrefine_gui.operations import drawing
from boxrefine_gui.operations.box_verbs import Parts, apply_widely, show_image
from boxrefine_gui.state.project_view import StoreView, read_touched
from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets import theme
from core.records import Correction

if TYPE_CHECKING:
    from core.store.project_store import ProjectStore

ALL_CHECKED = "No box of this project is left to check or to accept."
NO_PROPOSAL = "There is no proposal in this project."
SURE_SCORE = 0.85
"""The refiner is sure of a proposal that it expects to have this IoU with the true box, and no pink edge."""


def accept(parts: Parts) -> None:
    """Store what was drawn, or else say yes to the selected box: to what is proposed for it, or to what it is.

    With nothing in hand, a drawn box that waits is, so that the next yes is for what is in view.
    """
    if parts.session.draft is not None:
        drawing.accept(parts)
    elif parts.session.selected is None:
        drawing.show_left(parts)
    else:
        _confirm_selected(parts, take=True)


def keep(parts: Parts) -> None:
    """Say yes to the selected box as it is, and so no to what is proposed for it."""
    if parts.session.draft is None:
        _confirm_selected(parts, take=False)


def _confirm_selected(parts: Parts, *, take: bool) -> None:
    session = parts.session
    selected = session.selected
    if selected is None or selected.confirmed:
        return
    left = [entry for entry in in_reading_order(session) if entry.id != selected.id]
    after = [entry for entry in left if _place(entry) > _place(selected)]
    session.select((after or left)[0].id if left else selected.id)  # at once, so that keys may follow each other fast
    parts.store.write(lambda project: project.confirm([selected.id], take=take), on_done=session.apply)


def accept_all_here(parts: Parts) -> None:
    """Say yes to every box of the open image that is to check, as one undo step."""
    session = parts.session
    ids = [correction.id for correction in session.corrections if not correction.confirmed]
    if ids:
        parts.store.write(lambda project: project.confirm(ids, take=True), on_done=session.apply)
    else:
        session.tell("No box of this image is left to check.")


def accept_all_proposals(parts: Parts) -> None:
    """Say yes to every proposal of the project, as one undo step."""
    _accept_proposals(parts, least_score=0.0, least_edge=0.0)


def accept_sure_proposals(parts: Parts) -> None:
    """The same for those that the refiner is sure of, so that the hand has the doubtful ones alone."""
    _accept_proposals(parts, least_score=SURE_SCORE, least_edge=theme.DOUBTFUL_BELOW)


def _accept_proposals(parts: Parts, *, least_score: float, least_edge: float) -> None:
    def job(project: ProjectStore) -> tuple[int, int, StoreView]:
        before = sum(project.to_check().values())
        left, changes = project.confirm_proposals(least_score=least_score, least_edge=least_edge)
        return before - sum(project.to_check().values()), left, read_touched(project, changes)

    def done(result: tuple[int, int, StoreView]) -> None:
        accepted, left, view = result
        apply_widely(parts, view)
        if not accepted and not left:
            parts.session.tell(NO_PROPOSAL)
            return
        words = f"{'1 proposal is' if accepted == 1 else f'{accepted} proposals are'} accepted"
        rest = f"; {'1 is' if left == 1 else f'{left} are'} left to check" if left else ""
        parts.session.tell(f"{words}{rest}.")

    parts.store.run(job, on_done=done)


def discard_all_proposals(parts: Parts) -> None:
    """Take every proposal of the project away, as one undo step; the boxes stay as they are."""

    def done(view: StoreView) -> None:
        apply_widely(parts, view)
        count = len(view.changes.image_ids)
        images = "1 image" if count == 1 else f"{count} images"
        parts.session.tell(f"All proposals on {images} are discarded." if count else NO_PROPOSAL)

    parts.store.write(lambda project: project.withdraw_proposals(), on_done=done)


def next_to_check(parts: Parts) -> None:
    """Select the next box to check: of the open image, or else of the next image that has some, or drawn ones."""
    session = parts.session
    selected, here = session.selected, in_reading_order(session)
    after = [entry for entry in here if selected is None or _place(entry) > _place(selected)]
    drawing.go_on(parts)  # a stored box that was refined again stays as it was
    if after:
        session.select(after[0].id)
        return
    image_id = _next_image(session)
    if image_id is not None:
        show_image(parts, image_id)
        # What show_image asked of the store lane comes before this.
        parts.store.read(lambda project: project.path, on_done=lambda _: _select_first(session, image_id))
    elif here:
        session.select(here[0].id)
    elif session.image is not None and session.drawn_on(session.image.id):
        drawing.show_left(parts)
    else:
        session.tell(ALL_CHECKED)


def in_reading_order(session: Session) -> list[Correction]:
    """The boxes of the open image that are to check, from the top left."""
    return sorted((entry for entry in session.corrections if not entry.confirmed), key=_place)


def _place(correction: Correction) -> tuple[float, float, int]:
    return correction.accepted.y1, correction.accepted.x1, correction.id


def _next_image(session: Session) -> int | None:
    """The image after the open one with boxes that wait for a yes, or else the first one; None: there is no other."""
    waiting = session.to_check.keys() | {image_id for image_id in session.left.images() if session.drawn_on(image_id)}
    found = ((session.row_of(image_id), image_id) for image_id in waiting)
    rows = sorted((row, image_id) for row, image_id in found if row is not None and row != session.row)
    later = [image_id for row, image_id in rows if session.row is None or row > session.row]
    return later[0] if later else rows[0][1] if rows else None


def _select_first(session: Session, image_id: int) -> None:
    here = in_reading_order(session)
    if session.image is not None and session.image.id == image_id and session.draft is None and here:
        session.select(here[0].id)
