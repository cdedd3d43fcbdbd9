"""A fake of the kit for suggestions: it finds what the test says, in every picture, and learns without a network."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from core.encoders.image_features import ImageFeatures
from core.errors import BadWeightsError
from core.geometry import Box
from core.head_records import PictureLabels
from core.progress import Job, Progress
from core.records import Refinement
from core.refiner.protocol import Refiner

Named = Sequence[tuple[Box, str]]


@dataclass(frozen=True)
class FakeSuggestion:
    found: Box
    category: str
    probability: float
    answer: Refinement


@dataclass(frozen=True)
class FakeTrust:
    """The precision to expect is the threshold."""

    threshold: float = 0.6
    precision: float | None = None

    def expected_precision(self, threshold: float) -> float:
        return threshold if self.precision is None else self.precision

    def expected_share(self, threshold: float) -> float:
        return 0.7


@dataclass(frozen=True)
class FakeSuggester:
    """Finds `finds` (box, category, probability) in every picture."""

    kit: FakeKit
    identity: str
    names: tuple[str, ...]
    trust: FakeTrust = field(default_factory=FakeTrust)

    def suggest(
        self,
        features: ImageFeatures,
        refiner: Refiner,
        *,
        known: Named,
        rejected: Named,
        threshold: float | None = None,
        categories: Sequence[str] | None = None,
    ) -> list[FakeSuggestion]:
        assert self.kit.gate.wait(30)
        self.kit.asked += 1
        self.kit.threads.add(threading.current_thread().name)
        least = self.trust.threshold if threshold is None else threshold
        taken = {(tuple(box), name) for box, name in rejected}
        chosen = [
            (box, name, probability)
            for box, name, probability in self.kit.finds
            if name in self.names and probability >= least and (tuple(box), name) not in taken
        ]
        answers = refiner.refine(features, [box for box, _, _ in chosen]) if chosen else []
        return [FakeSuggestion(*entry, answer) for entry, answer in zip(chosen, answers, strict=True)]


class FakeKit:
    """Heads are called head-1, head-2, ... in the order of learning."""

    identity = "fake-0001 suggest-1"

    def __init__(self) -> None:
        self.finds: list[tuple[Box, str, float]] = []
        self.asked = self.learned = 0
        self.precision: float | None = None
        self.seen: list[Sequence[PictureLabels]] = []
        self.fault: Exception | None = None
        self.steps = 2
        self.threads: set[str] = set()
        self.gate = threading.Event()
        self.gate.set()
        self.on_step: Callable[[], None] = lambda: None

    def from_examples(self, features: ImageFeatures, examples: Named, *, rejected: Named = ()) -> FakeSuggester:
        assert examples
        return FakeSuggester(self, "head-examples", tuple({name for _, name in examples}))

    def learner(self) -> FakeKit:
        return self

    def learn(
        self, labels: Sequence[PictureLabels], features_of: Callable[[int], ImageFeatures | None]
    ) -> Job[FakeSuggester | None]:
        self.threads.add(threading.current_thread().name)
        for step in range(self.steps):
            self.on_step()
            yield Progress(step, self.steps)
        if self.fault is not None:
            raise self.fault
        self.seen.append(labels)
        for entry in labels:
            features_of(entry.id)
        self.learned += 1
        names = tuple(sorted({name for entry in labels for _, name in entry.boxes}))
        trust = FakeTrust(precision=self.precision)
        return FakeSuggester(self, f"head-{self.learned}", names, trust) if names else None

    def pack(self, suggester: object) -> bytes:
        assert isinstance(suggester, FakeSuggester)
        return json.dumps([suggester.identity, suggester.names]).encode()

    def unpack(self, weights: bytes) -> FakeSuggester:
        try:
            identity, names = json.loads(weights)
        except ValueError as error:
            raise BadWeightsError("This head is damaged: it is learned again.") from error
        return FakeSuggester(self, identity, tuple(names))
