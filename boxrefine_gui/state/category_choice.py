"""CategoryChoice: the category of the next boxes, which is the last chosen one that exists."""

from __future__ import annotations

from collections.abc import Collection


class CategoryChoice:
    """Remembers earlier choices, so that a category is chosen again when undo restores it."""

    def __init__(self) -> None:
        self._chosen: list[int] = []  # ids, the last choice at the end
        self._used: list[int] = []  # the same, also of categories that were given to stored boxes

    def forget(self) -> None:
        """Drop the choices of a project that is closed."""
        self._chosen.clear()
        self._used.clear()

    @property
    def recent(self) -> list[int]:
        """Ids of the categories that the user has chosen or used, the last one first."""
        return self._used[::-1]

    def use(self, category_id: int) -> None:
        """Record that a box got a category; the next boxes need not get it."""
        self._used = [*(id for id in self._used if id != category_id), category_id]

    def choose(self, category_id: int) -> None:
        """Record a choice of the user."""
        self._chosen = [*(id for id in self._chosen if id != category_id), category_id]
        self.use(category_id)

    def choose_while_gone(self, category_id: int, gone: int) -> None:
        """Let a category replace a removed one (`gone`) until that one is restored."""
        before = [id for id in self._chosen if id not in (category_id, gone)]
        self._chosen = [*before, category_id, gone]

    def among(self, existing: Collection[int], *, now: int | None) -> int | None:
        """Return the last chosen one of the existing categories; without any, the present one (`now`) or the first."""
        otherwise = now if now in existing else next(iter(existing), None)
        return next((id for id in reversed(self._chosen) if id in existing), otherwise)
