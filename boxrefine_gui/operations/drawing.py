"""Operations on drawn boxes: accept, leave and discard them, and save them in the project file until then.

One drawn box is active, on the canvas; others wait on their images. Call all functions on the GUI thread; they hand the
functions that touch the project to the store lane.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from boxrefine_gui.operations.moving import change_edges, move
from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.state.draft import Draft, correction_of, kept_form
from boxrefine_gui.state.project_view import StoreView, read_touched
from core.errors import NoLongerDrawnError
from core.records import Correction
from core.translation import tr

if TYPE_CHECKING:
    from core.store.project_store import ProjectStore

FIRST_CATEGORY = "object"
"""Category of a box while the project has none; a question would interrupt the drawing. Stored, so not translated."""

NO_MODEL_YET = tr("There is no model yet: the status bar says when it is loaded; press the key again then.")


def let_go(parts: Parts, *, may_accept: bool = True) -> None:
    """Handle the end of a drag: accept or leave the previous drawn box, depending on the settings.

    `may_accept`: a setting may accept the new one, too, at once.
    """
    session = parts.session
    settle_replaced(parts, session.release_draft())
    if may_accept and session.settings.auto_accept:
        accept(parts)


def settle_replaced(parts: Parts, before: Draft | None) -> None:
    """Accept or leave the box that was drawn before this drag, depending on the settings."""
    session = parts.session
    if before is not None and not before.was_left and session.settings.accept_when_going_on:
        session.left.take(before.image_id, before.key)
        _accept(parts, before, unanswered=partial(_leave, parts))


def go_on(parts: Parts) -> None:
    """Accept or leave the drawn box, depending on the settings, before the user goes on to another box or image.

    A box without its refinement is always left, since the user has not seen what would be stored. So is a box that was
    left before. A box between two clicks is given up: it is half drawn.
    """
    session, is_yes = parts.session, False
    if session.is_clicking and session.draft is not None and session.draft.is_held:
        give_up_drag(parts)
    draft = session.draft
    if draft is not None and draft.is_held:
        session.release_draft()
    elif draft is not None and draft.again is None and not draft.was_left and parts.live.has_answer(draft):
        is_yes = session.settings.accept_when_going_on
    if draft is not None and is_yes:
        _accept(parts, _take_as_seen(parts, draft))
    elif draft is not None:
        session.leave_draft()


def accept(parts: Parts) -> None:
    """Store the drawn box as a correction, refined if the user wants that and a model is loaded."""
    draft = parts.session.draft
    if draft is None:
        return
    _accept(parts, _take_as_seen(parts, draft))
    show_left(parts)


def _take_as_seen(parts: Parts, draft: Draft) -> Draft:
    """Take the draft off the canvas as the user saw it; a refinement that came just now is proposed later."""
    session = parts.session
    session.accepting.emit(draft)
    seen = session.draft or draft
    session.take_draft()
    return seen


def _accept(parts: Parts, draft: Draft, *, unanswered: Callable[[Draft], None] | None = None) -> None:
    """Store a draft, at once or when its refinement arrives; if none arrives, store it as drawn.

    `unanswered`, where given, is called instead if none arrives: a box that the user did not accept explicitly must not
    be stored unseen.
    """
    session = parts.session
    session.taken_back, session.discarded = None, None
    seconds = time.monotonic() - draft.pressed_at if session.settings.keep_times else 0.0
    store = partial(_store_draft, parts, seconds=seconds, category_id=session.category_of(draft) or 0)
    if parts.live.has_answer(draft):
        store(draft)
    else:
        keep(parts, draft)
        session.set_pending(waiting=(*session.waiting, draft))
        parts.live.when_answered(draft, store, unanswered=unanswered)


def _leave(parts: Parts, draft: Draft) -> None:
    session = parts.session
    session.set_pending(waiting=tuple(entry for entry in session.waiting if entry.number != draft.number))
    session.left.add(draft)
    session.left_changed.emit(draft.image_id)


def keep_in_hand(parts: Parts) -> None:
    """Save drawn boxes, and accepted ones without refinement, in this project before another one is opened."""
    draft = parts.session.draft
    if draft is not None and not draft.is_held:
        keep(parts, draft)
    keep_unwritten(parts)
    parts.live.store_waiting_as_drawn()


def keep(parts: Parts, draft: Draft) -> None:
    """Save a drawn box in the project file as it is now, so that it survives a crash."""
    left = parts.session.left
    if draft.again is not None or draft.image_id <= 0 or left.kept.get(draft.key) == draft:
        return
    left.kept[draft.key] = draft

    def stored(_: None) -> None:
        if draft.key in left.kept:  # else it was accepted or discarded meanwhile
            left.stored(draft.key)

    def failed(error: Exception) -> None:
        if left.kept.get(draft.key) == draft:
            left.not_written(draft.key)  # retried at its next change, and after the next successful write
        parts.session.report(error)

    box = kept_form(draft)
    parts.store.run(lambda project: project.keep_drawn(box), on_done=stored, on_error=failed)


def keep_unwritten(parts: Parts, *, then: Callable[[], None] | None = None) -> None:
    """Retry the drawn boxes that could not be written: the disk may have room again, or the project may have moved.

    `then` is called afterwards, at once if there is nothing to write.
    """
    session = parts.session
    is_wanted = bool(session.left.unwritten)
    in_hand = () if session.draft is None or session.draft.is_held else (session.draft,)
    for draft in (*in_hand, *session.waiting, *session.left.all()):
        if draft.key in session.left.unwritten:
            keep(parts, draft)
    if then is not None and is_wanted:
        parts.store.run(lambda _: None, on_done=lambda _: then())
    elif then is not None:
        then()


def discard(parts: Parts) -> None:
    """Discard the drawn box (undo restores it); without one, clear the selection."""
    session, draft = parts.session, parts.session.draft
    if draft is None:
        session.select(None)
        return
    forget(parts, draft)
    session.discarded = draft if draft.again is None else None
    show_left(parts)


def bring_back(parts: Parts, draft: Draft) -> None:
    """Activate a drawn box that the user or undo had removed; the box that was active waits."""
    parts.session.leave_draft()
    parts.session.put_back(draft)
    keep(parts, draft)


def forget(parts: Parts, draft: Draft) -> None:
    """Remove the active drawn box, from the project file as well."""
    session = parts.session
    session.left.settle(draft.key)
    session.take_draft()
    if draft.again is None and not draft.is_held:
        parts.store.run(lambda project: project.discard_drawn(draft.key))


def give_up_drag(parts: Parts) -> None:
    """Cancel the drag: remove its box, and activate the one that was active before."""
    session, replaced = parts.session, parts.session.replaced
    session.take_draft()
    before = session.left.take(replaced.image_id, replaced.key) if replaced is not None else None
    if before is not None and replaced is not None:
        session.put_back(replace(before, was_left=replaced.was_left))
    else:
        show_left(parts)


def take_in_hand(parts: Parts, draft: Draft) -> None:
    """Activate a waiting drawn box of the image; the box that was active waits."""
    session = parts.session
    if session.left.take(draft.image_id, draft.key) is not None:
        session.leave_draft()
        session.put_back(draft)


def refine_again(parts: Parts) -> None:
    """Refine the selected stored box again: it becomes the drawn box."""
    correction = parts.session.selected
    if correction is not None and parts.session.models is None:
        parts.session.tell(NO_MODEL_YET)
    elif correction is not None:
        go_on(parts)
        box = parts.session.box_of(correction)
        parts.session.start_draft(box, pressed_at=time.monotonic(), again=correction)


def _store_draft(parts: Parts, draft: Draft, *, seconds: float, category_id: int) -> None:
    session = parts.session
    session.set_pending(waiting=tuple(entry for entry in session.waiting if entry.number != draft.number))
    correction = correction_of(draft, category_id=category_id, seconds=seconds)
    if draft.again is not None:
        _store_again(parts, draft.again.id, correction)
        return
    was_kept = draft.key in session.left.in_file
    session.settle_draft(draft)
    session.set_pending(storing=(*session.storing, correction))
    parts.store.run(
        partial(_accept_in, correction=correction, key=draft.key, was_kept=was_kept),
        on_done=partial(_stored, parts, draft, correction),
        on_error=partial(_not_stored, parts, draft, correction, session.project_path),
    )


def _store_again(parts: Parts, correction_id: int, correction: Correction) -> None:
    """Update a stored box that was refined again; without a refinement it was only moved."""
    if correction.refined is None:
        move(parts, {correction_id: correction.accepted})
    else:
        moved = {correction_id: correction.accepted}
        change_edges(parts, moved, lambda project: project.refine(correction_id, correction))


def _accept_in(project: ProjectStore, *, correction: Correction, key: str, was_kept: bool) -> tuple[int, StoreView]:
    if correction.category_id:
        stored, changes = project.accept(correction, key, was_kept)
    else:
        category = project.add_category(FIRST_CATEGORY)
        stored, changes = project.accept(replace(correction, category_id=category.id), key, was_kept)
        changes = replace(changes, categories=True)
    return stored.id, read_touched(project, changes)


def _stored(parts: Parts, draft: Draft, correction: Correction, result: tuple[int, StoreView]) -> None:
    session, (id, view) = parts.session, result
    session.set_pending(storing=_without(session.storing, correction))
    session.apply(view)
    stored = next((entry for entry in view.corrections.get(draft.image_id, ()) if entry.id == id), None)
    if stored is not None:
        session.accepted.emit(draft, stored)
    keep_unwritten(parts)


def _not_stored(parts: Parts, draft: Draft, correction: Correction, project: Path | None, error: Exception) -> None:
    """Return a box that could not be stored to the canvas, or let it wait until the canvas is free.

    If another project was opened meanwhile, the box is still in its project's file as a drawn box.
    """
    session = parts.session
    session.set_pending(storing=_without(session.storing, correction))
    if project != session.project_path:
        session.report(error)
        return
    if isinstance(error, NoLongerDrawnError):
        session.report(error)
        parts.store.look_at(draft.image_id, on_done=session.apply)
        return
    if session.image is not None and session.image.id == draft.image_id and session.draft is None:
        session.put_back(draft)
    else:
        session.left.add(draft)
        session.left_changed.emit(draft.image_id)
    session.left.not_written(draft.key)
    session.report(error)


def _without(storing: Sequence[Correction], correction: Correction) -> tuple[Correction, ...]:
    return tuple(entry for entry in storing if entry is not correction)


def show_left(parts: Parts) -> None:
    """Activate a waiting drawn box of the open image, if none is active."""
    session = parts.session
    draft = session.left.take(session.image.id) if session.draft is None and session.image is not None else None
    if draft is not None:
        session.put_back(draft)
