"""The benchmark of suggestions: what is shown at the automatic threshold, and how long a picture takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from core.evaluation.suggesting import REST, SuggestRow, suggest_on_set
from core.geometry import Box
from core.progress import run
from core.records import Refinement
from core.suggest.suggester import Suggestion
from tests.core.labelled_sets import save_discs

DISCS = Box(30, 20, 90, 80), Box(50, 30, 130, 110)
"""Those of the two pictures: each picture has one of them."""

NOTHING = Box(0, 0, 20, 20)
FIND_S, CACHE_S, SHOW_S = 1.0, 4.0, 16.0
"""Seconds that finds of little chance take, the cache, and what is shown at the automatic threshold."""


class Clock:
    """A clock that goes on only when something takes its time."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


class Found:
    """Finds a right, a wrong and an unlikely object in every picture."""

    trust = SimpleNamespace(threshold=0.5)

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def suggest(self, features: object, refiner: object, *, known: object = (), threshold: float | None = None) -> Any:  # noqa: ANN401
        self._clock.now += SHOW_S if threshold is None else FIND_S
        return [*(suggestion(box, 0.9) for box in DISCS), suggestion(NOTHING, 0.3)]


class Kit:
    """A kit whose heads need nothing to learn from."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def learner(self) -> Kit:
        return self

    def learn(self, labels: Sequence[object], features_of: object) -> Any:  # noqa: ANN401
        yield from ()
        return Found(self._clock)


class Source:
    """Features are the path; encoding takes no time, reading from the cache does."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def of_path(self, path: Path) -> Path:
        return path

    def at_hand(self, path: Path) -> Path:
        self._clock.now += CACHE_S
        return path


def suggestion(box: Box, probability: float) -> Suggestion:
    return Suggestion(box, "disc", probability, Refinement(box, (1.0, 1.0, 1.0, 1.0), 0.9))


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[SuggestRow]:
    clock = Clock()
    monkeypatch.setattr("core.evaluation.suggesting.time", clock)
    data = save_discs(tmp_path, "discs")
    kit: Any = Kit(clock)
    anything: Any = Source(clock)
    return run(suggest_on_set(data / "discs", [REST, 1, 9], kit=kit, source=anything, refiner=anything, limit=1))


def test_sizes_that_leave_no_picture_have_no_row(rows: list[SuggestRow]) -> None:
    assert [(row.pictures, row.tested, row.boxes) for row in rows] == [(1, 1, 1)]


def test_only_what_is_shown_counts_for_precision(rows: list[SuggestRow]) -> None:
    (row,) = rows
    assert (row.precision, row.recall, row.saved) == (0.5, 1.0, 0.0)


def test_the_time_of_a_picture_is_from_the_cache_to_what_is_shown(rows: list[SuggestRow]) -> None:
    assert rows[0].shown_ms == 1000 * (CACHE_S + SHOW_S)
    assert rows[0].find_ms == 1000 * FIND_S
