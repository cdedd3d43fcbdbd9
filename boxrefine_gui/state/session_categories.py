"""SessionCategories: the part of the session for how categories look, which of them are seen, and their numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from boxrefine_gui.state.category_sight import CategorySight
from boxrefine_gui.state.session_state import SessionState
from core.categories import Category, colors_of, keys_of
from core.name_search import NameSearch
from core.records import Correction


class SessionCategories(SessionState):
    """Colors, keys, and sight of categories; numbers of their boxes."""

    _search: NameSearch | None = None

    def select(self, correction_id: int | None, also: Iterable[int] = ()) -> None:
        """Select boxes of the open image that can be picked, or none."""
        raise NotImplementedError

    @property
    def shown(self) -> tuple[Correction, ...]:
        """The stored boxes of the open image that are painted."""
        if not self.sight.hides_any:
            return self.corrections
        return tuple(entry for entry in self.corrections if self.sight.shows(entry.category_id))

    @property
    def pickable(self) -> tuple[Correction, ...]:
        """The stored boxes of the open image that can be selected."""
        if self.sight.is_plain:
            return self.corrections
        return tuple(entry for entry in self.corrections if self.sight.lets_pick(entry.category_id))

    def can_pick(self, correction_id: int | None) -> bool:
        """Whether a box can be selected: a box that is not known is left to the caller."""
        found = next((entry for entry in self.corrections if entry.id == correction_id), None)
        return found is None or self.sight.lets_pick(found.category_id)

    def set_sight(self, sight: CategorySight) -> None:
        """Set what is hidden, locked, or shown alone; a selected box that cannot be picked is selected no longer."""
        if sight != self.sight:
            self.sight = sight
            self._drop_what_cannot_be_picked()
            self.sight_changed.emit()

    def _drop_what_cannot_be_picked(self) -> None:
        chosen = [id for id in (self.selected_id, *self.also_ids) if id is not None]
        if not all(map(self.can_pick, chosen)):
            self.select(self.selected_id, chosen)

    def use_category(self, category_id: int) -> None:
        """Record that the user has given a category to a box, so that it is offered first."""
        self._choice.use(category_id)

    @property
    def recent_categories(self) -> list[int]:
        """Ids of the categories that the user has chosen, the last one first; some may be gone."""
        return self._choice.recent

    @property
    def category_search(self) -> NameSearch:
        """The search among the categories, built when it is needed first."""
        if self._search is None:
            self._search = NameSearch(((entry.id, entry.name) for entry in self.categories), self.category_keys)
        return self._search

    def category_of_key(self, key: str) -> int | None:
        """The id of the category that has a key."""
        return next((id for id, held in self.category_keys.items() if held == key), None)

    def _set_categories(self, categories: tuple[Category, ...]) -> None:
        self.categories = categories
        self.colors, self.category_keys, self._search = colors_of(categories), keys_of(categories), None
        ids = {category.id for category in categories}
        self.category_id = self._choice.among([category.id for category in categories], now=self.category_id)
        self.set_sight(self.sight.among(ids))

    def _count_boxes(self, whole: Mapping[int, int] | None, steps: Mapping[int, int]) -> None:
        """Take over the number of boxes of each category, or by how much it changed."""
        if whole is not None:
            self.category_counts = dict(whole)
            return
        for id, step in steps.items():
            self.category_counts[id] = self.category_counts.get(id, 0) + step
