"""TaughtRefiner: a refiner fine-tuned on corrections, for the categories of these corrections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from numpy.typing import ArrayLike

from core.encoders.image_features import ImageFeatures
from core.records import Drawing, Refinement
from core.refiner.box_refiner import BoxRefiner
from core.refiner.by_drawing import for_drawing
from core.refiner.margins import Margin
from core.refiner.protocol import Refiner
from core.refiner.together import Drawn

ALL_CATEGORIES = ""
"""Key of the margin of all taught categories together, for boxes of unknown category."""


class TaughtRefiner:
    """One network with a margin for each taught category; `otherwise` refines boxes of other categories.

    So training on cups changes nothing for spoons that were not in it. `bare` is the network without margins.
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
        """See `Refiner.refine`; for boxes of unknown category."""
        return self._any.refine(features, drawn)

    def refine_together(self, asked: Sequence[Drawn]) -> list[list[Refinement]]:
        """See `RefinesTogether`; for boxes of unknown category."""
        return self._any.refine_together(asked)

    def of_drawing(self, drawing: Drawing) -> Refiner:
        """See `ByDrawing`."""
        return TaughtRefiner(
            self.bare.of_drawing(drawing),
            self.margins,
            otherwise=for_drawing(self._otherwise, drawing),
            name=self.name,
            identity=self.identity,
        )

    def of_category(self, category: str) -> Refiner:
        """Return the refiner for boxes of one category."""
        return self._by_category.get(category, self._otherwise)


@runtime_checkable
class ByCategory(Protocol):
    """A refiner that depends on the category."""

    def of_category(self, category: str) -> Refiner:
        """Return the refiner for boxes of one category."""
        ...


def for_category(refiner: Refiner, category: str | None) -> Refiner:
    """Return the refiner for boxes of a category (None: unknown); `refiner` itself unless it is a ByCategory."""
    return refiner.of_category(category) if category is not None and isinstance(refiner, ByCategory) else refiner


def rows_by_refiner(refiner: Refiner, categories: Sequence[str | None]) -> list[tuple[Refiner, list[int]]]:
    """Group boxes of these categories (N,) by refiner; return each refiner with its rows."""
    if not isinstance(refiner, ByCategory):
        return [(refiner, list(range(len(categories))))]
    return [
        (for_category(refiner, category), [row for row, name in enumerate(categories) if name == category])
        for category in dict.fromkeys(categories)
    ]
