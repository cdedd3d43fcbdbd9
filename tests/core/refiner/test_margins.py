"""Margins: applied, taken away, and learned from few corrections."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.refiner.margins import PIXELS, SIDE, Margin
from core.refiner.taught_refiner import ALL_CATEGORIES
from core.training.margin_fit import fit_margins

RANDOM = np.random.default_rng(0)


def boxes(count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    low = RANDOM.uniform(0, 200, (count, 2))
    return np.concatenate([low, low + RANDOM.uniform(30, 200, (count, 2))], axis=1)


@pytest.mark.parametrize("unit", [SIDE, PIXELS])
def test_narrowing_undoes_widening(unit: str) -> None:
    margin = Margin(0.1, 0.2, 0.05, -0.1, unit)
    true = boxes(20)
    widened = margin.widen(torch.from_numpy(true), pixel=1.0).numpy()
    assert np.allclose(margin.narrow(widened), true)


def test_a_margin_in_pixels_counts_image_pixels_in_any_frame() -> None:
    wide = Margin(3, 3, 3, 3, PIXELS).widen(torch.tensor([[10.0, 10, 50, 50]]), pixel=2.0)
    assert wide.tolist() == [[4, 4, 56, 56]]


def test_a_margin_inwards_never_turns_a_box_inside_out() -> None:
    narrow = Margin(-30, -30, -30, -30, PIXELS).widen(torch.tensor([[10.0, 10, 50, 50]]), pixel=1.0)[0]
    assert narrow[0] <= narrow[2] and narrow[1] <= narrow[3]
    tight = Margin(30, 30, 30, 30, PIXELS).narrow([[10.0, 10, 50, 50]])[0]
    assert tight[2] - tight[0] == pytest.approx(1.0)


def test_three_pixels_more_are_learned_from_twenty_corrections() -> None:
    true = boxes(20)
    answers = true + RANDOM.normal(0, 2.0, true.shape)
    accepted = true + [-3, -3, 3, 3]
    margin = fit_margins(answers, accepted, ["cup"] * 20, shrink=10.0)["cup"]
    assert margin.unit == PIXELS
    assert all(2.0 < edge < 4.0 for edge in margin.edges)


def test_a_share_of_the_side_is_told_from_pixels() -> None:
    true = boxes(40)
    side = np.tile(true[:, 2:] - true[:, :2], 2)
    accepted = true + 0.1 * side * [-1, -1, 1, 1]
    margin = fit_margins(true, accepted, ["cup"] * 40, shrink=0.0)[ALL_CATEGORIES]
    assert margin.unit == SIDE
    assert margin.edges == pytest.approx((0.1, 0.1, 0.1, 0.1))


def test_each_category_has_its_own_margin_and_a_rare_one_leans_on_all() -> None:
    true = boxes(41)
    accepted = true.copy()
    accepted[:40] += [-4, -4, 4, 4]
    accepted[40] += [-40, -40, 40, 40]
    margins = fit_margins(true, accepted, ["cup"] * 40 + ["spoon"], shrink=10.0)
    assert margins["cup"].left == pytest.approx(4.0, abs=0.5)
    assert margins["spoon"].left < 10.0


def test_a_few_wrong_boxes_change_nothing() -> None:
    true = boxes(20)
    accepted = true.copy()
    accepted[:4] += 80.0
    assert fit_margins(true, accepted, ["cup"] * 20, shrink=10.0)["cup"].edges == (0, 0, 0, 0)


def test_no_margin_is_learned_where_the_configuration_says_so() -> None:
    true = boxes(20)
    assert fit_margins(true, true + 5, ["cup"] * 20, shrink=-1.0)["cup"] == Margin()
