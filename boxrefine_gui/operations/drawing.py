"""The verbs of the drawn box: accepting, leaving and discarding it, and keeping it until then.

All of them are called on the GUI thread; what runs on a lane is the function given to that lane.
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

if TYPE_CHECKING:
    from core.store.project_store import ProjectStore

FIRST_CATEGORY = "object"
"""What a box is labelled as while there is no category: asking first would stop the hand."""

NO_MODEL_YET = "There is no model yet: the status bar says when it is loaded; press the key again then."
"""A key that does nothing and says nothing would look broken."""


def let_go(parts: Parts) -> None:
    """The hand has drawn a box; one that was drawn before it is accepted or left, as the settings say."""
    session = parts.session
    before = session.release_draft()
    if before is not None and not before.was_left and session.settings.accept_when_going_on:
        session.left.take(before.image_id, before.key)
        _accept(parts, before, unanswered=partial(_leave, parts))
    if session.settings.auto_accept:
        accept(parts)


def go_on(parts: Parts) -> None:
    """The hand goes on to another box or image: what is drawn is accepted or left, as the settings say.

    A drawn box whose refinement is still to come is left, since nobody has seen what would be stored of it, and so is
    one that was left before.
    """
    session, draft, is_yes = parts.session, parts.session.draft, False
    if draft is not None and draft.is_held:
        session.release_draft()
    elif draft is not None and draft.again is None and not draft.was_left and parts.live.has_answer(draft):
        is_yes = session.settings.accept_when_going_on
    if draft is not None and is_yes:
        _accept(parts, _take_as_seen(parts, draft))
    elif draft is not None:
        session.leave_draft()


def accept(parts: Parts) -> None:
    """Store what was drawn as a correction, refined where that is wanted and possible."""
    draft = parts.session.draft
    if draft is None:
        return
    _accept(parts, _take_as_seen(parts, draft))
    show_left(parts)


def _take_as_seen(parts: Parts, draft: Draft) -> Draft:
    """The draft off the canvas, as the eye has seen it: an answer that has only just come is put off for later."""
    session = parts.session
    session.accepting.emit(draft)
    seen = session.draft or draft
    session.take_draft()
    return seen


def _accept(parts: Parts, draft: Draft, *, unanswered: Callable[[Draft], None] | None = None) -> None:
    """Store a draft, at once or when its refinement has come; where none comes it is stored as drawn.

    `unanswered` is called then instead: somebody who said no yes must not find a box that nobody saw.
    """
    session = parts.session
    session.taken_back, session.discarded = None, None
    seconds = time.monotonic() - draft.pressed_at
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
    """Before another project is opened: what is drawn, or accepted and waits for its refinement, stays in this one."""
    draft = parts.session.draft
    if draft is not None and not draft.is_held:
        keep(parts, draft)
    parts.live.store_waiting_as_drawn()


def keep(parts: Parts, draft: Draft) -> None:
    """Keep a drawn box in the project's file as it is now, so that it outlives the window."""
    left = parts.session.left
    if draft.again is not None or draft.image_id <= 0 or left.kept.get(draft.key) == draft:
        return
    left.kept[draft.key] = draft

    def stored(_: None) -> None:
        if draft.key in left.kept:  # else it was settled meanwhile
            left.stored(draft.key)

    def failed(error: Exception) -> None:
        if left.kept.get(draft.key) == draft:
            left.not_written(draft.key)  # the next change of it tries again, and so does the next write that works
        parts.session.report(error)

    box = kept_form(draft)
    parts.store.run(lambda project: project.keep_drawn(box), on_done=stored, on_error=failed)


def keep_unwritten(parts: Parts, *, then: Callable[[], None] | None = None) -> None:
    """Try once more to keep what could not be written: a disk may have room again, or the project another place.

    `then` is called when that is done, at once where there is nothing to write.
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
    """Take the drawn box off the canvas, until undo brings it back, or else select nothing."""
    session, draft = parts.session, parts.session.draft
    if draft is None:
        session.select(None)
        return
    forget(parts, draft)
    session.discarded = draft if draft.again is None else None
    show_left(parts)


def bring_back(parts: Parts, draft: Draft) -> None:
    """A drawn box that was discarded, or that undo took, is in hand again; the one before it waits."""
    parts.session.leave_draft()
    parts.session.put_back(draft)
    keep(parts, draft)


def forget(parts: Parts, draft: Draft) -> None:
    """The drawn box in hand is no more, in the file either."""
    session = parts.session
    session.left.settle(draft.key)
    session.take_draft()
    if draft.again is None and not draft.is_held:
        parts.store.run(lambda project: project.discard_drawn(draft.key))


def give_up_drag(parts: Parts) -> None:
    """The box that the hand is drawing is no more, and the one before it is in hand again."""
    session, replaced = parts.session, parts.session.replaced
    session.take_draft()
    before = session.left.take(replaced.image_id, replaced.key) if replaced is not None else None
    if before is not None:
        session.put_back(before)
    else:
        show_left(parts)


def take_in_hand(parts: Parts, draft: Draft) -> None:
    """Another drawn box of the image is the one to accept now; the one before it waits."""
    session = parts.session
    if session.left.take(draft.image_id, draft.key) is not None:
        session.leave_draft()
        session.put_back(draft)


def refine_again(parts: Parts) -> None:
    """Refine the selected accepted box once more: it becomes the drawn box."""
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
    """A stored box was refined again: it is to tell what was proposed now; without an answer it was only moved."""
    if correction.refined is None:
        move(parts, correction_id, correction.accepted)
    else:
        change_edges(
            parts, correction_id, correction.accepted, lambda project: project.refine(correction_id, correction)
        )


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
    """The box is not lost: it is on the canvas again, or follows there when the canvas is free.

    Of a project that is open no more, its file has it as a drawn box.
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
    """Put a drawn box that waits on the open image, or could not be stored, on the free canvas."""
    session = parts.session
    draft = session.left.take(session.image.id) if session.draft is None and session.image is not None else None
    if draft is not None:
        session.put_back(draft)
