"""How boxes were drawn shows in how far all of them would move."""

from __future__ import annotations

import numpy as np
import pytest

from core.geometry import Box, Boxes, as_boxes
from core.inference.guess_drawing import (
    ENOUGH_BOXES,
    GUESSED_OFF,
    LEAST_BOXES,
    MOST_PICTURES,
    Moves,
    guess_for_source,
    spread_out,
)
from core.progress import Job, Progress, run
from core.records import Drawing, HowDrawn, Refinement

COUNT = 40


def drawn() -> Boxes:
    return as_boxes([(100, 100, 300, 200)] * COUNT)


def guess(moves: Boxes, count: int = COUNT) -> HowDrawn:
    """The guess where the edges of the drawn boxes would move by these fractions of the sides."""
    boxes = drawn()[:count]
    found = boxes + moves[:count] * np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    return guess_of(boxes, found)


def guess_of(boxes: Boxes, found: Boxes) -> HowDrawn:
    moves = Moves()
    moves.add(boxes, [Refinement(Box.of(row), (0.9,) * 4, 0.9) for row in found])
    return moves.guess()


def shaken(by: float) -> Boxes:
    return np.random.default_rng(0).normal(size=(COUNT, 4)) * by


def test_boxes_that_hardly_move_were_placed() -> None:
    assert guess(shaken(0.01)) == HowDrawn(Drawing.PLACED, GUESSED_OFF)


def test_boxes_that_move_as_drags_do_are_taken_as_drags() -> None:
    assert guess(shaken(0.06)) == HowDrawn(Drawing.DRAG, 0.0)


def test_boxes_that_move_farther_may_be_anything() -> None:
    assert guess(shaken(0.15)) == HowDrawn()


def test_between_a_box_has_to_be_less_clearly_off() -> None:
    tight = [guess(shaken(by)).clearly_off for by in (0.02, 0.035, 0.04, 0.045, 0.05, 0.1)]
    assert tight == sorted(tight, reverse=True)
    assert 0 < tight[2] < GUESSED_OFF


def test_a_convention_that_all_boxes_share_is_no_move() -> None:
    assert guess(shaken(0.01) - 0.06).drawing is Drawing.PLACED
    assert guess(shaken(0.01) - 0.06, count=5).drawing is not Drawing.PLACED


def test_few_boxes_show_less_and_very_few_nothing() -> None:
    moves = np.full((COUNT, 4), 0.035) * [[-1, 1, 1, -1]] * np.where(np.arange(COUNT) % 2, 1, -1)[:, None]
    tight = [guess(moves, count=count).clearly_off for count in (LEAST_BOXES - 1, LEAST_BOXES, 6, 40)]
    assert tight == sorted(tight)
    assert tight[0] == 0.0 < tight[1] < GUESSED_OFF == tight[-1]


def test_no_boxes_and_boxes_without_an_extent_are_no_trouble() -> None:
    assert Moves().guess() == HowDrawn()
    point = as_boxes([(5, 5, 5, 5)] * COUNT)
    assert np.isfinite(guess_of(point, point).clearly_off)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 10, 64, 100])
def test_pictures_are_looked_at_in_an_order_that_spreads(count: int) -> None:
    order = spread_out(count)
    assert sorted(order) == list(range(count))
    if count >= 64:
        first = sorted(order[:8])
        assert max(np.diff([*first, count])) <= count / 4


def test_a_source_is_looked_at_until_it_is_enough() -> None:
    asked: list[int] = []

    def moves_on(number: int) -> Job[tuple[Boxes, list[Refinement]]]:
        yield Progress(0, 1)
        asked.append(number)
        boxes = drawn()[:a_picture]
        return boxes, [Refinement(Box.of(row), (0.9,) * 4, 0.9) for row in boxes]

    a_picture = 10
    assert run(guess_for_source(list(range(1000)), moves_on)).drawing is Drawing.PLACED
    assert len(asked) == -(-ENOUGH_BOXES // 10)
    asked.clear()
    a_picture = 0
    assert run(guess_for_source(list(range(1000)), moves_on)) == HowDrawn()
    assert len(asked) == MOST_PICTURES
