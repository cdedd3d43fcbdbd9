"""The verbs that change the list of categories: moving one, merging it into another, deleting it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from boxrefine_gui.operations.box_verbs import Parts, apply_widely, short
from boxrefine_gui.state.project_view import StoreView, read_touched
from boxrefine_gui.state.session import Session
from core.records import CategoryUse

if TYPE_CHECKING:
    from core.store.project_store import ProjectStore


def step_category(parts: Parts, category_id: int, step: int) -> None:
    """Move a category up (-1) or down (+1) from where the store has it by then: keys may follow each other fast."""

    def job(project: ProjectStore) -> StoreView:
        row = next((row for row, entry in enumerate(project.categories()) if entry.id == category_id), 0)
        return read_touched(project, project.move_category(category_id, row=row + step))

    parts.store.run(job, on_done=parts.session.apply)


def place_category(parts: Parts, category_id: int, row: int) -> None:
    """Put a category where it was dropped, `row` counted from 0."""
    parts.store.write(lambda project: project.move_category(category_id, row=row), on_done=parts.session.apply)


def delete_category(parts: Parts, category_id: int, *, ask: Callable[[CategoryUse], None]) -> None:
    """Delete a category that has no boxes; of one that has some, `ask` what is to become of them."""

    def job(project: ProjectStore) -> CategoryUse | StoreView | None:
        if all(entry.id != category_id for entry in project.categories()):
            return None  # the key was pressed twice
        use = project.category_use(category_id)
        return use if use.boxes else read_touched(project, project.delete_category(category_id))

    def done(result: CategoryUse | StoreView | None) -> None:
        if isinstance(result, CategoryUse):
            ask(result)
        elif result is not None:
            gone(result)

    gone = partial(_gone, parts, f"{quoted(parts.session, category_id)} is deleted")
    parts.store.run(job, on_done=done)


def ask_merge(parts: Parts, category_id: int, *, ask: Callable[[CategoryUse], None]) -> None:
    """Find out how many boxes another category would get, and `ask`."""
    parts.store.read(lambda project: project.category_use(category_id), on_done=ask)


def merge_category(parts: Parts, category_id: int, use: CategoryUse, into: int) -> None:
    """Give all boxes of a category to another one, and delete it; `use` is what was told of it."""
    name, other = quoted(parts.session, category_id), quoted(parts.session, into)
    sentence = f"{many(use.boxes, 'box')} of {name} {'is' if use.boxes == 1 else 'are'} {other} now"
    parts.store.write(
        lambda project: project.merge_category(category_id, into=into),
        on_done=partial(_gone, parts, sentence if use.boxes else f"{name} is deleted", into=into),
    )


def delete_with_boxes(parts: Parts, category_id: int, use: CategoryUse) -> None:
    """Delete a category and the boxes that it has; `use` is what was told of it."""
    sentence = f"{quoted(parts.session, category_id)} is deleted, and its {many(use.boxes, 'box')}"
    parts.store.write(lambda project: project.delete_category(category_id), on_done=partial(_gone, parts, sentence))


def _gone(parts: Parts, sentence: str, view: StoreView, *, into: int | None = None) -> None:
    """A category is there no more: the next boxes get the one that took its boxes, or the first."""
    session = parts.session
    before = session.category_id
    apply_widely(parts, view)
    chosen = session.category_id if into is None else into
    if before is not None and session.category_id != before and chosen is not None:
        session.choose_category(chosen, while_gone=before)
    undo = session.keys.get("undo", "")
    session.tell(f"{sentence}; {undo} takes that back." if undo else f"{sentence}.")


def quoted(session: Session, category_id: int) -> str:
    """The name of a category in quotes, no longer than a sentence can bear."""
    return f"“{short(next((entry.name for entry in session.categories if entry.id == category_id), ''))}”"


def many(number: int, noun: str) -> str:
    """A number of boxes or images in words."""
    plural = {"box": "boxes", "image": "images"}[noun]
    return f"{number} {noun if number == 1 else plural}"
