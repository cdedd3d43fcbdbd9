"""Operations on categories: move, merge, delete, hide and lock them, choose their colors and keys."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from boxrefine_gui.operations.box_verbs import Parts, apply_widely, choose_category, short
from boxrefine_gui.operations.clauses import sentence_of
from boxrefine_gui.state.category_sight import CategorySight
from boxrefine_gui.state.project_view import StoreView, read_touched
from boxrefine_gui.state.session import Session
from core.categories import category_key
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


# What is seen of categories, which is not stored


def toggle_hidden(parts: Parts, category_id: int) -> None:
    """Hide the boxes of a category, or show them again."""
    parts.session.set_sight(parts.session.sight.toggled_hidden(category_id))


def toggle_locked(parts: Parts, category_id: int) -> None:
    """Lock the boxes of a category, so that they cannot be selected, or unlock them."""
    parts.session.set_sight(parts.session.sight.toggled_locked(category_id))


def toggle_solo(parts: Parts, category_id: int) -> None:
    """Show the boxes of this category only, or all again."""
    parts.session.set_sight(parts.session.sight.toggled_solo(category_id))


def show_all(parts: Parts) -> None:
    """Show and unlock the boxes of all categories."""
    parts.session.set_sight(CategorySight())


def show_accepted(parts: Parts, category_id: int) -> None:
    """Show a category again of which a box was accepted, since the box would vanish under the user's hand."""
    session = parts.session
    if not session.sight.shows(category_id):
        session.set_sight(session.sight.showing(category_id))
        name = quoted(session, category_id)
        session.tell(tr("{category} is shown again, because you accepted a box of it.", category=name))


# Colors and keys


def choose_color(parts: Parts, category_id: int, color: str) -> None:
    """Give a category a color (`#RRGGBB`), or the automatic one (empty)."""
    parts.store.write(lambda project: project.set_category_color(category_id, color), on_done=parts.session.apply)


def choose_key(parts: Parts, category_id: int, key: str) -> None:
    """Give a category a key, or the automatic one (empty); the category that had the key loses it."""
    parts.store.write(lambda project: project.set_category_key(category_id, key), on_done=parts.session.apply)


def type_key(parts: Parts, text: str) -> bool:
    """Choose the category that has the typed key; return False if there is none."""
    key = category_key(text)
    found = parts.session.category_of_key(key) if key else None
    if found is not None:
        parts.session.use_category(found)
        choose_category(parts, found)
    return found is not None
