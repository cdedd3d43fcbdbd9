"""Operations on the list of categories: move one, merge it into another, delete it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from boxrefine_gui.operations.box_verbs import Parts, apply_widely, short
from boxrefine_gui.operations.clauses import sentence_of
from boxrefine_gui.state.project_view import StoreView, read_touched
from boxrefine_gui.state.session import Session
from core.records import CategoryUse
from core.translation import tr, tr_plural

if TYPE_CHECKING:
    from core.store.project_store import ProjectStore


def step_category(parts: Parts, category_id: int, step: int) -> None:
    """Move a category up (-1) or down (+1) from its row in the store, since key presses may come faster than views."""

    def job(project: ProjectStore) -> StoreView:
        row = next((row for row, entry in enumerate(project.categories()) if entry.id == category_id), 0)
        return read_touched(project, project.move_category(category_id, row=row + step))

    parts.store.run(job, on_done=parts.session.apply)


def place_category(parts: Parts, category_id: int, row: int) -> None:
    """Move a category to a row, counted from 0."""
    parts.store.write(lambda project: project.move_category(category_id, row=row), on_done=parts.session.apply)


def delete_category(parts: Parts, category_id: int, *, ask: Callable[[CategoryUse], None]) -> None:
    """Delete a category without boxes; `ask` the user first what happens to the boxes of any other one."""

    def job(project: ProjectStore) -> CategoryUse | StoreView | None:
        if all(entry.id != category_id for entry in project.categories()):
            return None  # deleted already: the user pressed the key twice
        use = project.category_use(category_id)
        return use if use.boxes else read_touched(project, project.delete_category(category_id))

    def done(result: CategoryUse | StoreView | None) -> None:
        if isinstance(result, CategoryUse):
            ask(result)
        elif result is not None:
            show(result)

    show = partial(_show_without, parts, tr("{category} is deleted", category=quoted(parts.session, category_id)))
    parts.store.run(job, on_done=done)


def ask_merge(parts: Parts, category_id: int, *, ask: Callable[[CategoryUse], None]) -> None:
    """Count the boxes that a merge would move, then `ask` the user."""
    parts.store.read(lambda project: project.category_use(category_id), on_done=ask)


def merge_category(parts: Parts, category_id: int, use: CategoryUse, into: int) -> None:
    """Move all boxes of a category to another one, and delete it; `use` is what the user was shown of it."""
    name, other = quoted(parts.session, category_id), quoted(parts.session, into)
    if use.boxes:
        report = tr_plural(
            "{count} box of {category} is {other} now",
            "{count} boxes of {category} are {other} now",
            use.boxes,
            category=name,
            other=other,
        )
    else:
        report = tr("{category} is deleted", category=name)
    parts.store.write(
        lambda project: project.merge_category(category_id, into=into),
        on_done=partial(_show_without, parts, report, into=into),
    )


def delete_with_boxes(parts: Parts, category_id: int, use: CategoryUse) -> None:
    """Delete a category and its boxes; `use` is what the user was shown of it."""
    report = tr_plural(
        "{category} is deleted, and its {count} box",
        "{category} is deleted, and its {count} boxes",
        use.boxes,
        category=quoted(parts.session, category_id),
    )
    parts.store.write(
        lambda project: project.delete_category(category_id), on_done=partial(_show_without, parts, report)
    )


def _show_without(parts: Parts, report: str, view: StoreView, *, into: int | None = None) -> None:
    """Show the project without a category; the next boxes get the one that took its boxes, or the first."""
    session = parts.session
    before = session.category_id
    apply_widely(parts, view)
    chosen = session.category_id if into is None else into
    if before is not None and session.category_id != before and chosen is not None:
        session.choose_category(chosen, while_gone=before)
    undo = session.keys.get("undo", "")
    session.tell(sentence_of([report, tr("{key} takes that back", key=undo) if undo else ""]))


def quoted(session: Session, category_id: int) -> str:
    """Return the name of a category in quotes, cut to a length that fits into a sentence."""
    name = next((entry.name for entry in session.categories if entry.id == category_id), "")
    return tr("“{name}”", name=short(name))
