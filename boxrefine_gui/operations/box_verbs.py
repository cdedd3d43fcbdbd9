"""The verbs: each changes stored data or starts a long job, and says who is told.

All of them are called on the GUI thread; what runs on a lane is the function given to that lane.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from boxrefine_gui.operations.drawing import FIRST_CATEGORY, NO_MODEL_YET, bring_back, discard, forget, go_on, show_left
from boxrefine_gui.operations.moving import move
from boxrefine_gui.operations.parts import Cancellable, JobWatcher, Parts
from boxrefine_gui.state.project_view import StoreView, read_touched
from boxrefine_gui.state.session import Session
from core.records import Changes
from core.settings import Settings

if TYPE_CHECKING:
    from core.store.project_store import ProjectStore

__all__ = ["FIRST_CATEGORY", "NO_MODEL_YET", "Cancellable", "JobWatcher", "Parts", "move"]

_LONGEST_NAME = 40

# Images


def show_image(parts: Parts, image_id: int) -> None:
    """Open an image of the project."""
    session = parts.session
    row, before = session.row_of(image_id), session.row
    if row is None or row == before:
        return
    if before is not None:
        session.direction = 1 if row > before else -1
    go_on(parts)
    session.set_image(session.images[row])
    if image_id > 0:  # the others cannot be read and are not in the project
        parts.store.look_at(image_id, on_done=partial(_looked_at, parts))
    show_left(parts)


def _looked_at(parts: Parts, view: StoreView) -> None:
    """The image's boxes are read; one that was drawn and not accepted is in hand again, unless the hand is at work."""
    parts.session.apply(view)
    if parts.session.selected_id is None:
        show_left(parts)


def step_image(parts: Parts, step: int) -> None:
    """Open the next (+1) or previous (-1) image."""
    row = parts.session.row
    wanted = 0 if row is None else row + step
    if 0 <= wanted < len(parts.session.images):
        show_image(parts, parts.session.images[wanted].id)


# Stored boxes


def delete_selected(parts: Parts) -> None:
    """Delete the selected box, or else discard the drawn one: what Delete takes is what is in view."""
    draft, correction = parts.session.draft, parts.session.selected
    if draft is not None:
        discard(parts)
        correction = correction if draft.again is not None else None
    if correction is not None:
        parts.store.write(lambda project: project.delete([correction.id]), on_done=parts.session.apply)


def delete_box(parts: Parts, correction_id: int) -> None:
    """Delete a stored box, whatever is selected or drawn."""
    parts.store.write(lambda project: project.delete([correction_id]), on_done=parts.session.apply)


def choose_category(parts: Parts, category_id: int, *, tells: bool = False) -> None:
    """Relabel the selected box, or else label the next ones so; `tells`: relabelling says what it did."""
    session, draft, correction = parts.session, parts.session.draft, parts.session.selected
    if correction is None or (draft is not None and draft.again is None):
        session.choose_category(category_id)
    elif correction.category_id != category_id:
        done = partial(_relabelled, session, correction.category_id, category_id) if tells else session.apply
        parts.store.write(lambda project: project.relabel([correction.id], category_id), on_done=done)


def _relabelled(session: Session, before: int, after: int, view: StoreView) -> None:
    """Who clicked a category to look at it, or to choose it for the next box, reads what became of the selected one."""
    names = {category.id: category.name for category in session.categories}
    session.apply(view)
    undo = session.keys.get("undo", "")
    told = f"Relabelled 1 box from “{short(names.get(before, ''))}” to “{short(names.get(after, ''))}”."
    session.tell(f"{told} {undo} takes it back." if undo else told)


def short(name: str) -> str:
    """A name no longer than a sentence can bear."""
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"


def add_category(parts: Parts, name: str) -> None:
    """Add a category, or find the one of that name, and choose it as a click on it would."""

    def job(project: ProjectStore) -> tuple[int, StoreView]:
        category = project.add_category(name)
        return category.id, read_touched(project, Changes(categories=True))

    def added(result: tuple[int, StoreView]) -> None:
        category_id, view = result
        parts.session.apply(view)
        choose_category(parts, category_id, tells=True)

    parts.store.run(job, on_done=added)


def rename_category(parts: Parts, category_id: int, name: str) -> None:
    """Give a category another name; its boxes keep it."""
    parts.store.write(lambda project: project.rename_category(category_id, name), on_done=parts.session.apply)


# History


def undo(parts: Parts) -> None:
    """Take back the last that was done: a drawn box discarded, or drawn (one that waits is then in hand), or stored."""
    session, draft = parts.session, parts.session.draft
    back, session.discarded = session.discarded, None
    if back is not None:
        bring_back(parts, back)
    elif draft is not None and session.drew_last:
        forget(parts, draft)
        session.taken_back = draft if draft.again is None else None
        show_left(parts)
    else:
        parts.store.write(lambda project: project.undo(), on_done=partial(_travelled, parts))


def redo(parts: Parts) -> None:
    """Bring back the drawn box that undo took, or do again what was undone last."""
    session = parts.session
    back, session.taken_back = session.taken_back, None
    if back is not None:
        bring_back(parts, back)
    else:
        parts.store.write(lambda project: project.redo(), on_done=partial(_travelled, parts))


def _travelled(parts: Parts, view: StoreView) -> None:
    """Show what was undone or redone, which may have been on another image."""
    session = parts.session
    apply_widely(parts, view)
    if view.changes.note:
        session.tell(view.changes.note)
    touched = view.changes.image_ids
    if len(touched) == 1 and (session.image is None or session.image.id not in touched):
        session.leave_draft()  # going there is no yes to it
        show_image(parts, min(touched))  # what touched many is seen from anywhere, and nobody loses their place


def apply_widely(parts: Parts, view: StoreView) -> None:
    """Take over what may have touched very many images, whose boxes were then not read again with it."""
    session = parts.session
    session.apply(view)
    image = session.image
    if view.tallies is not None and image is not None and image.id > 0:
        parts.store.look_at(image.id, on_done=partial(_looked_at, parts))


# Choices


def choose_settings(parts: Parts, settings: Settings) -> None:
    """Take other choices and keep them for the next start."""
    from core.settings import save_settings

    parts.session.set_settings(settings)
    parts.files.run(partial(save_settings, settings, parts.settings_file))
