"""The job that learns a head, which runs on a lane step by step."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from boxrefine_gui.state.loaded_models import Source
from boxrefine_gui.state.suggesting_state import HeadLearner, Suggester, SuggestKit
from core.head_records import PictureLabels
from core.progress import Job

if TYPE_CHECKING:
    from core.encoders.image_features import ImageFeatures


@dataclass(frozen=True)
class LearnedHead:
    """The learned head and its stored form, None if there was nothing to learn; `missing` images had no features."""

    suggester: Suggester | None
    weights: bytes
    missing: frozenset[int]


def learn_head(
    learner: HeadLearner,
    kit: SuggestKit,
    labels: Sequence[PictureLabels],
    source: Source,
    paths: dict[int, Path],
    may_go: threading.Event,
) -> Job[LearnedHead]:
    """Learn lane: learn from the images whose features are in the cache; `may_go` holds it."""
    missing = set()

    def features_of(image_id: int) -> ImageFeatures | None:
        features = source.at_hand(paths[image_id]) if image_id in paths else None
        if features is None:
            missing.add(image_id)
        return features

    suggester = yield from steadily(lambda: learner.learn(labels, features_of), may_go)
    return LearnedHead(suggester, b"" if suggester is None else kit.pack(suggester), frozenset(missing))


def steadily(start: Callable[[], Job[Suggester | None]], may_go: threading.Event) -> Job[Suggester | None]:
    """Run a job, but no step of it while `may_go` is cleared; it can be cancelled then as well."""
    job = start()
    try:
        while True:
            try:
                progress = next(job)
            except StopIteration as end:
                result: Suggester | None = end.value
                return result
            yield progress
            while not may_go.wait(0.05):
                yield progress
    finally:
        job.close()
