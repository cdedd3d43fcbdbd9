"""Operations on images, stored boxes, the undo history and the settings.

Call all of them on the GUI thread; each hands the functions that touch files or the project to a lane.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from boxrefine_gui.operations.drawing import FIRST_CATEGORY, NO_MODEL_YET, bring_back, discard, forget, go_on, show_left
from boxrefine_gui.operations.moving import move
from boxrefine_gui.operations.parts import Cancellable, JobWatcher, Parts
from boxrefine_gui.state.project_view import StoreView, read_touched
from boxrefine_gui.state.session import Session
from core.records import Changes, Correction
from core.settings import Settings
from core.translation import tr, tr_plural

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
    session.direction = session.direction_to(row)
    go_on(parts)
    session.set_image(session.images[row])
    if image_id > 0:  # ids below 0 are of unreadable pictures, which are not in the project
        parts.store.look_at(image_id, on_done=partial(_show_boxes, parts))
    show_left(parts)


def _show_boxes(parts: Parts, view: StoreView) -> None:
    """Show the stored boxes of an image; activate a waiting drawn box if none is active and none is selected."""
    parts.session.apply(view)
    if parts.session.selected_id is None:
        show_left(parts)


def step_image(parts: Parts, step: int) -> None:
    """Open the next (+1) or previous (-1) image of the list."""
    record = parts.session.neighbor(step)
    if record is not None:
        show_image(parts, record.id)


# Stored boxes


def delete_selected(parts: Parts) -> None:
    """Discard the drawn box if there is one, else delete the selected boxes; both if the draft refines one of them."""
    draft, ids = parts.session.draft, [entry.id for entry in parts.session.selection]
    if draft is not None:
        discard(parts)
        ids = ids if draft.again is not None else []
    if ids:
        parts.store.write(lambda project: project.delete(ids), on_done=parts.session.apply)


def delete_boxes(parts: Parts, ids: Sequence[int]) -> None:
    """Delete stored boxes; the selection and the drawn box do not matter."""
    parts.store.write(lambda project: project.delete(ids), on_done=parts.session.apply)


def choose_category(parts: Parts, category_id: int, *, tells: bool = False) -> None:
    """Relabel the selected boxes, or without one label the next boxes so; `tells` reports the relabeling."""
    session, draft, chosen = parts.session, parts.session.draft, parts.session.selection
    others = [entry for entry in chosen if entry.category_id != category_id]
    if not chosen or (draft is not None and draft.again is None):
        session.choose_category(category_id)
    elif others:
        done = partial(_report_relabel, session, others, category_id) if tells or len(others) > 1 else session.apply
        parts.store.write(lambda project: project.relabel([entry.id for entry in others], category_id), on_done=done)


def _report_relabel(session: Session, changed: Sequence[Correction], after: int, view: StoreView) -> None:
    """Report the relabeling: a user who clicked a category for the next box may not expect it."""
    names = {category.id: short(category.name) for category in session.categories}
    session.apply(view)
    old, new, undo = names.get(changed[0].category_id, ""), names.get(after, ""), session.keys.get("undo", "")
    if len({entry.category_id for entry in changed}) == 1:
        text = tr_plural(
            "Relabelled {count} box from “{old}” to “{new}”.",
            "Relabelled {count} boxes from “{old}” to “{new}”.",
            len(changed),
            old=old,
            new=new,
        )
    else:
        text = tr_plural(
            "Relabelled {count} box to “{new}”.", "Relabelled {count} boxes to “{new}”.", len(changed), new=new
        )
    session.tell(tr("{sentence} {key} takes it back.", sentence=text, key=undo) if undo else text)


def short(name: str) -> str:
    """Cut a name to a length that fits into a sentence."""
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"


def add_category(parts: Parts, name: str) -> None:
    """Add a category, or find the existing one of that name, and choose it as a click on it does."""

    def job(project: ProjectStore) -> tuple[int, StoreView]:
        category = project.add_category(name)
        return category.id, read_touched(project, Changes(categories=True))

    def added(result: tuple[int, StoreView]) -> None:
        category_id, view = result
        parts.session.apply(view)
        choose_category(parts, category_id, tells=True)

    parts.store.run(job, on_done=added)


def rename_category(parts: Parts, category_id: int, name: str) -> None:
    """Rename a category; its boxes stay with it."""
    parts.store.write(lambda project: project.rename_category(category_id, name), on_done=parts.session.apply)


# History


def undo(parts: Parts) -> None:
    """Undo the last action: restore a discarded drawn box, remove the drawn box, or undo a stored operation."""
    session, draft = parts.session, parts.session.draft
    back, session.discarded = session.discarded, None
    if back is not None:
        bring_back(parts, back)
    elif draft is not None and session.drew_last:
        forget(parts, draft)
        session.taken_back = draft if draft.again is None else None
        show_left(parts)
    else:
        parts.store.travel(undo=True, on_done=partial(_show_step, parts))


def redo(parts: Parts) -> None:
    """Restore the drawn box that undo removed, or redo the last undone operation."""
    session = parts.session
    back, session.taken_back = session.taken_back, None
    if back is not None:
        bring_back(parts, back)
    else:
        parts.store.travel(undo=False, on_done=partial(_show_step, parts))


def _show_step(parts: Parts, view: StoreView) -> None:
    """Show what undo or redo changed; open its image if that is the only one."""
    session = parts.session
    apply_widely(parts, view)
    if view.changes.note:
        session.tell(view.changes.note)
    touched = view.changes.image_ids | view.changes.marked_ids
    if len(touched) == 1 and (session.image is None or session.image.id not in touched):
        session.leave_draft()  # undo must not accept the drawn box
        show_image(parts, min(touched))


def apply_widely(parts: Parts, view: StoreView) -> None:
    """Apply a view; where it holds only counts because it touched many images, read the open image's boxes again."""
    session = parts.session
    session.apply(view)
    image = session.image
    if view.tallies is not None and image is not None and image.id > 0:
        parts.store.look_at(image.id, on_done=partial(_show_boxes, parts))


# Settings


def choose_settings(parts: Parts, settings: Settings) -> None:
    """Apply settings and save them for the next start."""
    from core.settings import save_settings

    parts.session.set_settings(settings)
    parts.files.run(partial(save_settings, settings, parts.settings_file))
