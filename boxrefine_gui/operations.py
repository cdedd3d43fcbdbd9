"""The verbs: each changes stored data or starts a long job, and says who is told.

All of them are called on the GUI thread; what runs on a lane is the function given to that lane.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from boxrefine_gui.background import QueueLane
from boxrefine_gui.live_refine import LiveRefine
from boxrefine_gui.loaded_models import Models
from boxrefine_gui.session import Draft, Session
from boxrefine_gui.store_lane import StoreLane, StoreView, read_touched
from core.geometry import Box
from core.progress import Progress
from core.records import Changes, Correction
from core.settings import Settings

if TYPE_CHECKING:
    from core.store.project_store import ProjectStore

FIRST_CATEGORY = "object"
"""What a box is labelled as while there is no category: asking first would stop the hand."""

NO_MODEL_YET = "There is no model yet: the status bar says when it is loaded; press the key again then."
"""A key that does nothing and says nothing would look broken."""


@dataclass(frozen=True)
class Parts:
    """What the verbs work with; app.py builds it once."""

    session: Session
    store: StoreLane
    files: QueueLane
    encode: QueueLane
    exports: QueueLane
    live: LiveRefine
    load_models: Callable[[Settings], Models]
    settings_file: Path


class Cancellable(Protocol):
    """A long job that can be cancelled."""

    def cancel(self) -> None: ...


class JobWatcher(Protocol):
    """Who shows a long job and offers to cancel it."""

    def started(self, title: str, ticket: Cancellable) -> None: ...

    def progressed(self, progress: Progress) -> None: ...

    def ended(self) -> None: ...


# Images


def show_image(parts: Parts, image_id: int) -> None:
    """Open an image of the project."""
    session = parts.session
    row, before = session.row_of(image_id), session.row
    if row is None or row == before:
        return
    if before is not None:
        session.direction = 1 if row > before else -1
    if session.draft is not None and session.draft.again is None:
        session.returned.append(session.draft)  # it waits on its image until somebody comes back to it
    session.set_image(session.images[row])
    if image_id > 0:  # the others cannot be read and are not in the project
        parts.store.look_at(image_id, on_done=session.apply)
    show_returned(parts)


def step_image(parts: Parts, step: int) -> None:
    """Open the next (+1) or previous (-1) image."""
    row = parts.session.row
    wanted = 0 if row is None else row + step
    if 0 <= wanted < len(parts.session.images):
        show_image(parts, parts.session.images[wanted].id)


# The box that is drawn


def accept(parts: Parts) -> None:
    """Store what was drawn as a correction, refined where that is wanted and possible."""
    session = parts.session
    draft = session.take_draft() if session.draft is not None else None
    if draft is None:
        return
    seconds = time.monotonic() - draft.pressed_at
    store = partial(_store_draft, parts, seconds=seconds, category_id=session.category_id or 0)
    if parts.live.has_answer(draft):
        store(draft)
    else:
        session.set_pending(waiting=(*session.waiting, draft))
        parts.live.when_answered(draft, store)
    show_returned(parts)


def discard(parts: Parts) -> None:
    """Take the drawn box off the canvas, or else select nothing."""
    if parts.session.draft is not None:
        parts.session.take_draft()
        show_returned(parts)
    else:
        parts.session.select(None)


def refine_again(parts: Parts) -> None:
    """Refine the selected accepted box once more: it becomes the drawn box."""
    correction = parts.session.selected
    if correction is not None and parts.session.models is None:
        parts.session.tell(NO_MODEL_YET)
    elif correction is not None:
        box = parts.session.box_of(correction)
        parts.session.start_draft(box, pressed_at=time.monotonic(), again=correction)


def _store_draft(parts: Parts, draft: Draft, *, seconds: float, category_id: int) -> None:
    session = parts.session
    session.set_pending(waiting=tuple(entry for entry in session.waiting if entry.number != draft.number))
    correction = correction_of(draft, session.models, category_id=category_id, seconds=seconds)
    if draft.again is not None:
        _store_again(parts, draft.again.id, correction)
        return
    session.set_pending(storing=(*session.storing, correction))
    parts.store.write(
        partial(_accept_in, correction=correction),
        on_done=partial(_stored, parts, correction),
        on_error=partial(_not_stored, parts, draft, correction),
    )


def _store_again(parts: Parts, correction_id: int, correction: Correction) -> None:
    """A stored box was refined again: it is to tell what was proposed now; without an answer it was only moved."""
    if correction.refined is None:
        move(parts, correction_id, correction.accepted)
    else:
        _change_edges(
            parts, correction_id, correction.accepted, lambda project: project.refine(correction_id, correction)
        )


def correction_of(draft: Draft, models: Models | None, *, category_id: int, seconds: float) -> Correction:
    """What is stored of a draft; without a refinement it says of no model that it helped."""
    answer = draft.refinement if models is not None and not draft.plain else None
    correction = Correction(draft.image_id, category_id, drawn=draft.drawn, accepted=draft.box, seconds=seconds)
    if answer is None or models is None:
        return correction
    return correction.with_answer(answer, encoder=models.encoder_identity, refiner=models.refiner_identity)


def _accept_in(project: ProjectStore, *, correction: Correction) -> Changes:
    if correction.category_id:
        return project.accept(correction)[1]
    category = project.add_category(FIRST_CATEGORY)
    _, changes = project.accept(replace(correction, category_id=category.id))
    return replace(changes, categories=True)


def _stored(parts: Parts, correction: Correction, view: StoreView) -> None:
    parts.session.set_pending(storing=_without(parts.session.storing, correction))
    parts.session.apply(view)


def _not_stored(parts: Parts, draft: Draft, correction: Correction, error: Exception) -> None:
    """The box is not lost: it is on the canvas again, or follows there when the canvas is free."""
    session = parts.session
    session.set_pending(storing=_without(session.storing, correction))
    if session.image is not None and session.image.id == draft.image_id and session.draft is None:
        session.put_back(draft)
    else:
        session.returned.append(draft)
    session.report(error)


def _without(storing: Sequence[Correction], correction: Correction) -> tuple[Correction, ...]:
    return tuple(entry for entry in storing if entry is not correction)


def show_returned(parts: Parts) -> None:
    """Put a box that could not be stored, or was left without a yes, back on the free canvas of its image."""
    session = parts.session
    if session.draft is None and session.image is not None:
        for draft in session.returned:
            if draft.image_id == session.image.id:
                session.returned.remove(draft)
                session.put_back(draft)
                return


# Stored boxes


def move(parts: Parts, correction_id: int, box: Box) -> None:
    """Give a stored box other edges; what was drawn and refined stays with it."""
    _change_edges(parts, correction_id, box, lambda project: project.move(correction_id, box))


def _change_edges(parts: Parts, correction_id: int, box: Box, write: Callable[[ProjectStore], Changes]) -> None:
    """The box is shown there at once, and goes back if it cannot be stored."""
    session = parts.session
    session.set_pending(moving={**session.moving, correction_id: box})
    parts.store.write(
        write,
        on_done=partial(_moved, session, correction_id, box),
        on_error=partial(_not_moved, session, correction_id),
    )


def _moved(session: Session, correction_id: int, box: Box, view: StoreView) -> None:
    if session.moving.get(correction_id) == box:  # else it was moved on meanwhile
        session.set_pending(moving={key: to for key, to in session.moving.items() if key != correction_id})
    session.apply(view)


def _not_moved(session: Session, correction_id: int, error: Exception) -> None:
    session.set_pending(moving={key: to for key, to in session.moving.items() if key != correction_id})
    session.report(error)


def delete_selected(parts: Parts) -> None:
    """Delete the selected box, or else discard the drawn one: what Delete takes is what is in view."""
    draft, correction = parts.session.draft, parts.session.selected
    if draft is not None:
        discard(parts)
        correction = correction if draft.again is not None else None
    if correction is not None:
        parts.store.write(lambda project: project.delete([correction.id]), on_done=parts.session.apply)


def choose_category(parts: Parts, category_id: int) -> None:
    """Relabel the selected box, or else label the next ones so."""
    draft, correction = parts.session.draft, parts.session.selected
    if correction is None or (draft is not None and draft.again is None):
        parts.session.choose_category(category_id)
    elif correction.category_id != category_id:
        parts.store.write(lambda project: project.relabel([correction.id], category_id), on_done=parts.session.apply)


def add_category(parts: Parts, name: str) -> None:
    """Add a category, or find the one of that name, and choose it as a click on it would."""

    def job(project: ProjectStore) -> tuple[int, StoreView]:
        category = project.add_category(name)
        return category.id, read_touched(project, Changes(categories=True))

    def added(result: tuple[int, StoreView]) -> None:
        category_id, view = result
        parts.session.apply(view)
        choose_category(parts, category_id)

    parts.store.run(job, on_done=added)


def rename_category(parts: Parts, category_id: int, name: str) -> None:
    """Give a category another name; its boxes keep it."""
    parts.store.write(lambda project: project.rename_category(category_id, name), on_done=parts.session.apply)


# History


def undo(parts: Parts) -> None:
    """Take back the drawn box that is not stored yet (the one that it replaced comes back), or the last operation."""
    session, replaced = parts.session, parts.session.replaced
    if session.draft is not None and replaced is not None:
        session.put_back(replaced)
    elif session.draft is not None:
        discard(parts)
    else:
        parts.store.write(lambda project: project.undo(), on_done=partial(_travelled, parts))


def redo(parts: Parts) -> None:
    """Do again what was undone last."""
    parts.store.write(lambda project: project.redo(), on_done=partial(_travelled, parts))


def _travelled(parts: Parts, view: StoreView) -> None:
    """Show what was undone or redone, which may have been on another image."""
    session = parts.session
    apply_widely(parts, view)
    if view.changes.note:
        session.tell(view.changes.note)
    touched = view.changes.image_ids
    if len(touched) == 1 and (session.image is None or session.image.id not in touched):
        show_image(parts, min(touched))  # what touched many is seen from anywhere, and nobody loses their place


def apply_widely(parts: Parts, view: StoreView) -> None:
    """Take over what may have touched very many images, whose boxes were then not read again with it."""
    session = parts.session
    session.apply(view)
    image = session.image
    if view.tallies is not None and image is not None and image.id > 0:
        parts.store.look_at(image.id, on_done=session.apply)


# Choices


def choose_settings(parts: Parts, settings: Settings) -> None:
    """Take other choices and keep them for the next start."""
    from core.settings import save_settings

    parts.session.set_settings(settings)
    parts.files.run(partial(save_settings, settings, parts.settings_file))
