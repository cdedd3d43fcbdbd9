"""Which category the next boxes get: the last one that was chosen and is there."""

from __future__ import annotations

from collections.abc import Collection


class CategoryChoice:
    """Remembers what was chosen before, so that a category which undo brings back is chosen again."""

    def __init__(self) -> None:
        self._chosen: list[int] = []  # the last choice stands last

    def forget(self) -> None:
        """Another project is open."""
        self._chosen.clear()

    def choose(self, category_id: int) -> None:
        """The user has chosen one."""
        self._chosen = [*(id for id in self._chosen if id != category_id), category_id]

    def choose_while_gone(self, category_id: int, gone: int) -> None:
        """Another one stands in for a category that has gone, until that one comes back."""
        before = [id for id in self._chosen if id not in (category_id, gone)]
        self._chosen = [*before, category_id, gone]

    def among(self, there: Collection[int], *, now: int | None) -> int | None:
        """The last chosen one of those that are there; where none was ever chosen the one of `now`, or the first."""
        otherwise = now if now in there else next(iter(there), None)
        return next((id for id in reversed(self._chosen) if id in there), otherwise)
