"""Operations of the review: go to unreviewed boxes, and accept or keep them."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from boxrefine_gui.operations import drawing, many
from boxrefine_gui.operations.box_verbs import Parts, apply_widely, show_image
from boxrefine_gui.operations.clauses import sentence_of
from boxrefine_gui.state.project_view import StoreView, read_touched
from boxrefine_gui.state.session import Session
from core.records import DOUBTFUL_BELOW, Correction
from core.translation import tr, tr_plural

if TYPE_CHECKING:
    from core.store.project_store import ProjectStore

ALL_CHECKED = tr("No box of this project is left to check or to accept.")
NO_DOUBT = tr("No accepted box of this project has an edge in doubt.")
NOTHING_TO_FIX = tr("No box of this project is marked to fix.")
NO_PROPOSAL = tr("There is no proposal in this project.")
REST_IS_OUT_OF_SIGHT = tr("The boxes that are left to check are of categories that you have hidden or locked.")
SURE_SCORE = 0.85
"""Expected IoU with the true box from which on the refiner is sure of a proposal without a doubtful edge."""


def accept(parts: Parts) -> None:
    """Accept the drawn box, else the selected box with its proposal, else activate a waiting drawn box.

    A waiting box is only activated, so that the user sees it before accepting it.
    """
    if parts.session.draft is not None:
        drawing.accept(parts)
    elif parts.session.selected is None:
        drawing.show_left(parts)
    elif parts.session.also_ids:
        many.confirm(parts, take=True)
    else:
        _confirm_selected(parts, take=True)


def keep(parts: Parts) -> None:
    """Accept the selected boxes as they are: reject their proposals, or find their doubtful edges right."""
    if parts.session.draft is None and parts.session.also_ids:
        many.confirm(parts, take=False)
    elif parts.session.draft is None:
        _confirm_selected(parts, take=False)


def _confirm_selected(parts: Parts, *, take: bool) -> None:
    session = parts.session
    selected = session.selected
    if selected is None or not is_to_look_at(session, selected):
        return
    is_to_fix = selected.confirmed and not selected.doubtful
    like = _ones_to_fix if is_to_fix else _doubtful_ones if selected.confirmed else in_reading_order
    left = [entry for entry in like(session) if entry.id != selected.id]
    after = [entry for entry in left if _place(entry) > _place(selected)]
    session.select((after or left)[0].id if left else selected.id)  # at once, since key presses may follow fast
    take = take and not selected.confirmed
    parts.store.write(lambda project: project.confirm([selected.id], take=take), on_done=session.apply)


def accept_all_here(parts: Parts) -> None:
    """Accept every unreviewed box of the open image, as one undo step."""
    session = parts.session
    ids = [correction.id for correction in session.pickable if not correction.confirmed]
    if ids:
        parts.store.write(lambda project: project.confirm(ids, take=True), on_done=session.apply)
    else:
        hidden = any(not entry.confirmed for entry in session.corrections)
        session.tell(REST_IS_OUT_OF_SIGHT if hidden else tr("No box of this image is left to check."))


def accept_all_proposals(parts: Parts) -> None:
    """Accept every proposal of the project, as one undo step."""
    _accept_proposals(parts, least_score=0.0, least_edge=0.0)


def accept_sure_proposals(parts: Parts) -> None:
    """Accept the proposals that the refiner is sure of, so that the user reviews only the doubtful ones."""
    _accept_proposals(parts, least_score=SURE_SCORE, least_edge=DOUBTFUL_BELOW)


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
        report = tr_plural("{count} proposal is accepted", "{count} proposals are accepted", accepted)
        rest = tr_plural("{count} is left to check", "{count} are left to check", left) if left else ""
        parts.session.tell(sentence_of([report, rest]))

    parts.store.run(job, on_done=done)


def discard_all_proposals(parts: Parts) -> None:
    """Withdraw every proposal of the project, as one undo step; the boxes stay as they are."""

    def done(view: StoreView) -> None:
        apply_widely(parts, view)
        count = len(view.changes.image_ids)
        report = tr_plural(
            "All proposals on {count} image are discarded.", "All proposals on {count} images are discarded.", count
        )
        parts.session.tell(report if count else NO_PROPOSAL)

    parts.store.write(lambda project: project.withdraw_proposals(), on_done=done)


def next_to_check(parts: Parts) -> None:
    """Select the next unreviewed box of the open image, else go to the next image with unreviewed or drawn boxes."""
    session = parts.session
    drawn = {image_id for image_id in session.left.images() if session.drawn_on(image_id)}
    if _go_to_next(parts, in_reading_order, session.to_check.keys() | drawn):
        return
    if session.image is not None and session.drawn_on(session.image.id):
        drawing.show_left(parts)
    else:
        session.tell(ALL_CHECKED if session.sight.is_plain or not session.to_check else REST_IS_OUT_OF_SIGHT)


def next_doubtful(parts: Parts) -> None:
    """Select the next box that was accepted with a doubtful edge, on the open image or on another one."""
    if not _go_to_next(parts, _doubtful_ones, parts.session.doubtful.keys()):
        parts.session.tell(NO_DOUBT)


def next_to_fix(parts: Parts) -> None:
    """Select the next box that is marked to fix, on the open image or on another one."""
    if not _go_to_next(parts, _ones_to_fix, parts.session.to_fix.keys()):
        parts.session.tell(NOTHING_TO_FIX)


def is_to_look_at(session: Session, correction: Correction) -> bool:
    """Whether the user is yet to look at a box of the open image: it is to check, in doubt or marked to fix."""
    return not correction.confirmed or bool(correction.doubtful) or session.is_to_fix(correction.id)


def _go_to_next(parts: Parts, of: Callable[[Session], list[Correction]], images: AbstractSet[int]) -> bool:
    """Select the next box that `of` lists, on the open image, then on one of `images`; return False without one."""
    session = parts.session
    selected, here = session.selected, of(session)
    after = [entry for entry in here if selected is None or _place(entry) > _place(selected)]
    drawing.go_on(parts)  # the result for a stored box that was being refined again is dropped
    if after:
        session.select(after[0].id)
        return True
    image_id = _next_image(session, images)
    if image_id is not None:
        show_image(parts, image_id)
        # The store lane runs this after the read that show_image has queued.
        parts.store.read(lambda project: project.path, on_done=lambda _: _select_first(session, of, image_id))
    elif here:
        session.select(here[0].id)
    return image_id is not None or bool(here)


def in_reading_order(session: Session) -> list[Correction]:
    """Return the unreviewed boxes of the open image, sorted by their top left corner."""
    return sorted((entry for entry in session.pickable if not entry.confirmed), key=_place)


def _doubtful_ones(session: Session) -> list[Correction]:
    return sorted((entry for entry in session.pickable if entry.doubtful), key=_place)


def _ones_to_fix(session: Session) -> list[Correction]:
    return sorted((entry for entry in session.pickable if session.is_to_fix(entry.id)), key=_place)


def _place(correction: Correction) -> tuple[float, float, int]:
    return correction.accepted.y1, correction.accepted.x1, correction.id


def _next_image(session: Session, images: AbstractSet[int]) -> int | None:
    """Return the next one of some images after the open one, else the first of them, else None."""
    found = ((session.row_of(image_id), image_id) for image_id in images)
    rows = sorted((row, image_id) for row, image_id in found if row is not None and row != session.row)
    later = [image_id for row, image_id in rows if session.row is None or row > session.row]
    return later[0] if later else rows[0][1] if rows else None


def _select_first(session: Session, of: Callable[[Session], list[Correction]], image_id: int) -> None:
    here = of(session)
    if session.image is not None and session.image.id == image_id and session.draft is None and here:
        session.select(here[0].id)
