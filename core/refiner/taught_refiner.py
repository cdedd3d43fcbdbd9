"""TaughtRefiner: a refiner that was taught by corrections, and answers for the categories that were in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from numpy.typing import ArrayLike

from core.encoders.image_features import ImageFeatures
from core.records import Refinement
from core.refiner.box_refiner import BoxRefiner
from core.refiner.margins import Margin
from core.refiner.protocol import Refiner

ALL_CATEGORIES = ""
"""The margin of all taught categories together, for boxes whose category nobody knows."""


class TaughtRefiner:
    """One network with a margin for each category it was taught; other categories go to the refiner it came from.

    So what is learned about cups changes nothing for spoons, which nobody has taught. `bare` is the network alone.
    """

    def __init__(
        self, taught: BoxRefiner, margins: Mapping[str, Margin], *, otherwise: Refiner, name: str, identity: str
    ) -> None:
        self.name = name
        self.identity = identity
        self.margins = dict(margins)
        self.bare = taught
        self._otherwise = otherwise
        self._by_category = {category: taught.with_margin(margin) for category, margin in margins.items()}
        self._any = self._by_category.get(ALL_CATEGORIES, taught)

    def refine(self, features: ImageFeatures, drawn: ArrayLike) -> list[Refinement]:
        """See `Refiner.refine`; for boxes whose category is not known."""
        return self._any.refine(features, drawn)

    def of_category(self, category: str) -> Refiner:
        """The refiner for boxes of one category."""
        return self._by_category.get(category, self._otherwise)


@runtime_checkable
class ByCategory(Protocol):
    """A refiner that does not answer for every category alike."""

    def of_category(self, category: str) -> Refiner:
        """The refiner for boxes of one category."""
        ...


def for_category(refiner: Refiner, category: str | None) -> Refiner:
    """The refiner to ask about boxes of a category (None: not known); only a taught one makes a difference."""
    return refiner.of_category(category) if category is not None and isinstance(refiner, ByCategory) else refiner


def rows_by_refiner(refiner: Refiner, categories: Sequence[str | None]) -> list[tuple[Refiner, list[int]]]:
    """Whom to ask about boxes of these categories (N,): each refiner with its rows, all at once where it can be."""
    if not isinstance(refiner, ByCategory):
        return [(refiner, list(range(len(categories))))]
    return [
        (for_category(refiner, category), [row for row, name in enumerate(categories) if name == category])
        for category in dict.fromkeys(categories)
    ]
