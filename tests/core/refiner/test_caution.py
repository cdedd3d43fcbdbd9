"""What becomes of the network's answer: doubtful edges move less, and the score is that of the box returned."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
import torch

from core.refiner.box_refiner import Calibration, cautious, decided
from core.refiner.margins import PIXELS, Margin

DRAWN = torch.tensor([[[100.0, 100.0, 200.0, 200.0]]])
FOUND = torch.tensor([[[120.0, 80.0, 230.0, 170.0]]])
SURE = torch.full((1, 1, 4), 20.0)


def test_sure_edges_go_all_the_way() -> None:
    assert torch.allclose(cautious(FOUND, SURE, DRAWN, Calibration(caution=0.5)), FOUND)


def test_a_doubtful_edge_stays_near_the_drawn_one_and_moves_no_other() -> None:
    doubt = SURE.clone()
    doubt[..., 2] = -20.0
    left, top, right, bottom = cautious(FOUND, doubt, DRAWN, Calibration(caution=0.5))[0, 0].tolist()
    assert right == pytest.approx(200.0, abs=0.01)
    assert (left, top, bottom) == pytest.approx((120.0, 80.0, 170.0))


def test_half_sure_edges_go_by_the_root_of_their_confidence() -> None:
    moved = cautious(FOUND, torch.zeros(1, 1, 4), DRAWN, Calibration(caution=0.5))
    assert torch.allclose(moved, DRAWN + (FOUND - DRAWN) * 0.5**0.5)


def test_without_caution_doubt_moves_nothing_back() -> None:
    assert torch.allclose(cautious(FOUND, -SURE, DRAWN, Calibration(caution=0.0)), FOUND)


@pytest.mark.parametrize(("refined", "drawn"), [(2.0, -2.0), (-2.0, 2.0), (0.0, 0.1)])
def test_the_score_is_that_of_the_box_returned(refined: float, drawn: float) -> None:
    scores = torch.tensor([[[refined, drawn]]])
    boxes, _, score = decided(FOUND, SURE, scores, DRAWN, Calibration(keep_margin=-0.1))
    stays = bool((boxes == DRAWN).all())
    assert stays == (refined == -2.0)
    assert score.item() == pytest.approx(torch.tensor(drawn if stays else refined).sigmoid().item())


@pytest.mark.parametrize("doubt", [20.0, 0.0, -3.0])
def test_a_box_that_was_drawn_with_the_margin_stays(doubt: float) -> None:
    scores, confidence = torch.zeros(1, 1, 2), torch.full((1, 1, 4), doubt)
    widen = partial(Margin(6, 6, 6, 6, PIXELS).widen, pixel=1.0)
    calibration = Calibration(keep_margin=-1.0, caution=0.75, least_move=0.015)
    found, _, _ = decided(widen(FOUND), confidence, scores, widen(FOUND), calibration)
    assert torch.allclose(found, widen(FOUND))


def test_boxes_too_small_for_the_features_move_less() -> None:
    calibration = Calibration(sure_side=400.0)
    assert torch.allclose(cautious(FOUND, SURE, DRAWN, calibration), DRAWN + (FOUND - DRAWN) * 0.25)
    assert torch.allclose(cautious(FOUND, SURE, DRAWN, replace(calibration, sure_side=90.0)), FOUND)


def test_small_moves_fade_away_and_large_ones_do_not() -> None:
    calibration = Calibration(least_move=0.02)
    near = DRAWN + torch.tensor([0.5, -0.5, 2.0, 20.0])
    moved = (cautious(near, SURE, DRAWN, calibration) - DRAWN)[0, 0]
    assert moved[:2].abs().max() < 0.05
    assert moved[2].item() == pytest.approx(1.0)
    assert moved[3].item() == pytest.approx(20.0, rel=0.02)


def test_an_edge_never_jumps_as_a_proposal_goes_on() -> None:
    steps = torch.linspace(-30, 30, 601)
    found = DRAWN.expand(1, 601, 4) + steps[None, :, None]
    sure = SURE.expand(1, 601, 4)
    left = cautious(found, sure, DRAWN.expand(1, 601, 4), Calibration(least_move=0.02))[0, :, 0]
    assert (left.diff() >= 0).all()
    assert left.diff().max() < 0.13
