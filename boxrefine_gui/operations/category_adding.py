"""Adding a category for the box at hand, which gets it even if the user goes on before the store has added it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from boxrefine_gui.operations.box_verbs import choose_category
from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.state.draft import Draft
from boxrefine_gui.state.project_view import StoreView, read_touched
from boxrefine_gui.state.session import Session
from core.records import Changes, Correction

if TYPE_CHECKING:
    from core.store.project_store import ProjectStore


@dataclass(frozen=True)
class Target:
    """The box that gets a category: the drawn box `key`, the stored box `id`, or, with neither, the next boxes."""

    key: str = ""
    id: int | None = None


def target_of(session: Session) -> Target:
    """The box that gets a category now."""
    if session.draft is not None and session.draft.again is None:
        return Target(key=session.draft.key)
    return Target(id=session.selected_id)


class CategoryAdding:
    """Adds categories, and relabels boxes that were accepted before theirs was added."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._late: dict[str, tuple[int | None, int]] = {}  # key of a drawn box -> its category before, and the new one
        parts.session.accepted.connect(self._accepted)
        parts.session.project_changed.connect(self._late.clear)

    def add(self, name: str, *, tells: bool = False) -> None:
        """Add a category, or find the existing one of that name, and give it to the box at hand."""
        target, before = target_of(self._parts.session), self._parts.session.category_id

        def job(project: ProjectStore) -> tuple[int, StoreView]:
            category = project.add_category(name)
            return category.id, read_touched(project, Changes(categories=True))

        self._parts.store.run(job, on_done=partial(self._added, target, before, tells))

    def _added(self, target: Target, before: int | None, tells: bool, result: tuple[int, StoreView]) -> None:
        session, (category_id, view) = self._parts.session, result
        session.apply(view)
        session.use_category(category_id)
        if target_of(session) == target:
            choose_category(self._parts, category_id, tells=tells)
        elif target.id is not None:
            self._relabel(target.id, category_id)
        else:
            if target.key:
                self._late[target.key] = before, category_id
            session.choose_category(category_id)

    def _accepted(self, draft: Draft, stored: Correction) -> None:
        before, category_id = self._late.pop(draft.key, (None, 0))
        if category_id and stored.category_id in (before, category_id) and stored.category_id != category_id:
            self._relabel(stored.id, category_id)

    def _relabel(self, correction_id: int, category_id: int) -> None:
        session = self._parts.session
        self._parts.store.write(lambda project: project.relabel([correction_id], category_id), on_done=session.apply)
