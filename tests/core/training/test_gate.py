"""The gate: what is promoted, what is not, and what it says."""

from __future__ import annotations

import numpy as np
import pytest

from core.training.gate import Held, bootstrap, judge

RANDOM = np.random.default_rng(1)


def held(ious: np.ndarray[tuple[int, ...], np.dtype[np.float64]], per_picture: int = 2) -> Held:
    return Held(ious, np.arange(len(ious)) // per_picture)


def verdict(gain: float, *, spread: float, boxes: int = 40, old_after: float = 0.9) -> object:
    before = RANDOM.uniform(0.5, 0.8, boxes)
    after = before + gain + RANDOM.normal(0, spread, boxes)
    return judge(held(before), held(after), old_before=0.9, old_after=old_after, confidence=0.9, tolerance=0.01, seed=0)


def test_a_clear_gain_is_promoted_with_its_figures() -> None:
    found = verdict(0.05, spread=0.02)
    assert found.promoted  # type: ignore[attr-defined]
    assert found.sentence.startswith("Better: mean IoU rises from 0.")  # type: ignore[attr-defined]
    assert "40 boxes held out" in found.sentence  # type: ignore[attr-defined]


def test_a_gain_that_may_be_chance_is_not_promoted() -> None:
    found = verdict(0.002, spread=0.2)
    assert not found.promoted  # type: ignore[attr-defined]
    assert "may be chance; the refiner in use stays" in found.sentence  # type: ignore[attr-defined]


def test_what_stays_the_same_is_not_said_to_fall() -> None:
    found = verdict(-0.00001, spread=0.0)
    assert "(+0.000, between +0.000 and +0.000)" in found.sentence  # type: ignore[attr-defined]


def test_a_loss_is_not_promoted() -> None:
    assert not verdict(-0.05, spread=0.01).promoted  # type: ignore[attr-defined]


def test_what_forgets_is_not_promoted_however_much_better_it_is() -> None:
    found = verdict(0.1, spread=0.01, old_after=0.85)
    assert not found.promoted  # type: ignore[attr-defined]
    assert "it forgets" in found.sentence and "0.900 to 0.850" in found.sentence  # type: ignore[attr-defined]


def test_boxes_of_one_picture_are_resampled_together() -> None:
    gains = np.repeat(RANDOM.normal(0.01, 0.1, 10), 20)  # all boxes of a picture gain alike
    together = bootstrap(gains, np.arange(200) // 20, confidence=0.9, seed=0)
    alone = bootstrap(gains, np.arange(200), confidence=0.9, seed=0)
    assert together[1] - together[0] > 2 * (alone[1] - alone[0])


def test_few_pictures_are_resampled_box_by_box() -> None:
    low, high = bootstrap(RANDOM.normal(0.0, 0.1, 30), np.zeros(30, np.int64), confidence=0.9, seed=0)
    assert high - low > 0.01


def test_the_bounds_are_the_same_every_time() -> None:
    gains = RANDOM.normal(0, 0.1, 30)
    picture = np.arange(30)
    assert bootstrap(gains, picture, confidence=0.9, seed=3) == pytest.approx(
        bootstrap(gains, picture, confidence=0.9, seed=3)
    )
