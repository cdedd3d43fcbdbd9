"""SuggestingState: the heads of the open project and the one in use, and what the window asks of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from core.geometry import Box
from core.head_records import HeadRecord, PictureLabels
from core.progress import Job
from core.records import Refinement

if TYPE_CHECKING:
    from core.encoders.image_features import ImageFeatures
    from core.refiner.protocol import Refiner


class Suggestion(Protocol):
    """A box that a head has found; see core.suggest.suggester."""

    @property
    def found(self) -> Box: ...

    @property
    def category(self) -> str: ...

    @property
    def probability(self) -> float: ...

    @property
    def answer(self) -> Refinement: ...


class Trust(Protocol):
    """How far a head can be trusted, from held-out images; see core.suggest.trust."""

    @property
    def threshold(self) -> float: ...

    def expected_precision(self, threshold: float) -> float: ...

    def expected_share(self, threshold: float) -> float: ...


class Suggester(Protocol):
    """A head with its network, which threads may share; see core.suggest.suggester."""

    @property
    def identity(self) -> str: ...

    @property
    def names(self) -> tuple[str, ...]: ...

    @property
    def trust(self) -> Trust: ...

    def suggest(
        self,
        features: ImageFeatures,
        refiner: Refiner,
        *,
        known: Sequence[tuple[Box, str]],
        rejected: Sequence[tuple[Box, str]],
        threshold: float | None = None,
        categories: Sequence[str] | None = None,
    ) -> Sequence[Suggestion]: ...


class HeadLearner(Protocol):
    """Learns the heads of one project, on one thread; see core.suggest.learner."""

    def learn(
        self, labels: Sequence[PictureLabels], features_of: Callable[[int], ImageFeatures | None]
    ) -> Job[Suggester | None]: ...


class SuggestKit(Protocol):
    """The network for suggestions on an encoder's features; see core.suggest.kit."""

    @property
    def identity(self) -> str: ...

    def from_examples(
        self,
        features: ImageFeatures,
        examples: Sequence[tuple[Box, str]],
        *,
        rejected: Sequence[tuple[Box, str]] = (),
    ) -> Suggester: ...

    def learner(self) -> HeadLearner: ...

    def pack(self, suggester: object) -> bytes: ...

    def unpack(self, weights: bytes) -> Suggester: ...


@dataclass(frozen=True)
class SuggestingState:
    """The heads that were learned in this project for this encoder, the oldest first.

    `head_id` is the one in use, None before the first; `suggester` is that head, None until it is loaded. `percent` is
    the progress of learning. `sentence` is what came of the last learning, where the user asked for it.
    """

    heads: tuple[HeadRecord, ...] = ()
    head_id: int | None = None
    suggester: Suggester | None = None
    is_learning: bool = False
    percent: int = 0
    sentence: str = ""

    @property
    def used(self) -> HeadRecord | None:
        """The head in use."""
        return next((head for head in self.heads if head.id == self.head_id), None)


def figures_of(suggester: Suggester) -> Mapping[str, float]:
    """What was measured of a head, at its automatic threshold, for its record."""
    trust = suggester.trust
    at = trust.threshold
    return {"threshold": at, "precision": trust.expected_precision(at), "share": trust.expected_share(at)}
