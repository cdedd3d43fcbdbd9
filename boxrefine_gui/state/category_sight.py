"""CategorySight: which categories the user has hidden, locked, or shows alone; a view that is not stored."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class CategorySight:
    """Boxes of `hidden` categories are not painted, those of `locked` ones cannot be picked; `solo` is shown alone."""

    hidden: frozenset[int] = frozenset()
    locked: frozenset[int] = frozenset()
    solo: int | None = None

    @property
    def hides_any(self) -> bool:
        return self.solo is not None or bool(self.hidden)

    @property
    def is_plain(self) -> bool:
        """Whether all boxes can be seen and picked."""
        return not self.hides_any and not self.locked

    def shows(self, category_id: int) -> bool:
        """Whether boxes of a category are painted."""
        return category_id == self.solo if self.solo is not None else category_id not in self.hidden

    def lets_pick(self, category_id: int) -> bool:
        """Whether boxes of a category can be selected."""
        return self.shows(category_id) and category_id not in self.locked

    def toggled_hidden(self, category_id: int) -> CategorySight:
        """Hide a category, or show it; another one that was shown alone is so no longer."""
        if self.shows(category_id):
            return replace(self, hidden=self.hidden | {category_id}, solo=None)
        return self.showing(category_id)

    def toggled_locked(self, category_id: int) -> CategorySight:
        """Lock a category, or unlock it."""
        return replace(self, locked=self.locked ^ {category_id})

    def toggled_solo(self, category_id: int) -> CategorySight:
        """Show a category alone, or all again that are not hidden."""
        if self.solo == category_id:
            return replace(self, solo=None)
        return replace(self, solo=category_id, hidden=self.hidden - {category_id})

    def showing(self, category_id: int) -> CategorySight:
        """Show a category; another one that was shown alone is so no longer."""
        if self.shows(category_id):
            return self
        return replace(self, hidden=self.hidden - {category_id}, solo=None)

    def among(self, existing: Collection[int]) -> CategorySight:
        """A copy without the categories that do not exist."""
        solo = self.solo if self.solo in existing else None
        return CategorySight(self.hidden.intersection(existing), self.locked.intersection(existing), solo)
