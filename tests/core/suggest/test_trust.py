"""How far a head is trusted follows from what it found on pictures that it had not learned."""

from __future__ import annotations

import numpy as np
import pytest

from core.suggest.trust import (
    LEAST_PROBABILITY,
    MOST_PROBABILITY,
    WANTED_PRECISION,
    Tried,
    Trust,
    match_finds,
    trust_from_examples,
    trust_in,
)


def tried(logits: list[float], right: list[bool], *, categories: list[str] | None = None, objects: int = 50) -> Tried:
    names = categories or ["a"] * len(logits)
    return Tried(np.array(logits, float), np.array(right, bool), tuple(names), objects)


def test_nothing_was_tried() -> None:
    trust = trust_in([])
    assert trust.threshold == WANTED_PRECISION
    assert trust.expected_precision(0.5) == pytest.approx(0.7)
    assert trust.expected_share(0.5) == 0


def test_with_perfect_finds_the_threshold_is_low_and_with_bad_ones_high() -> None:
    good = trust_in([tried([2.0] * 20 + [-3.0] * 5, [True] * 20 + [False] * 5)])
    bad = trust_in([tried([2.0] * 20, [False] * 20)])
    assert good.probability(np.array([2.0]), ["a"])[0] >= good.threshold
    assert bad.probability(np.array([2.0]), ["a"])[0] < bad.threshold


def test_the_expected_precision_at_the_threshold_is_high_enough() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, 200)
    right = random.random(200) < 1 / (1 + np.exp(-1.5 * logits))
    trust = trust_in([tried(logits.tolist(), right.tolist())])
    assert LEAST_PROBABILITY <= trust.threshold <= MOST_PROBABILITY
    assert trust.expected_precision(trust.threshold) >= WANTED_PRECISION
    shown = trust.probability(logits, ["a"] * 200) >= trust.threshold
    assert right[shown].mean() >= WANTED_PRECISION - 0.05


def test_a_few_finds_of_which_some_are_wrong_do_not_make_the_threshold_unreachable() -> None:
    few = trust_in([tried([1.5, 1.2, 1.0, 0.4], [False, True, True, True], objects=6)])
    assert few.expected_precision(MOST_PROBABILITY) < WANTED_PRECISION
    assert few.threshold == MOST_PROBABILITY
    assert few.probability(np.array([1.2]), ["a"])[0] >= few.threshold


def test_the_lowest_threshold_that_is_precise_enough_is_chosen() -> None:
    good = trust_in([tried([0.0] * 30, [True] * 27 + [False] * 3)])
    assert good.threshold == LEAST_PROBABILITY


def test_a_category_that_is_often_wrong_is_trusted_less() -> None:
    logits, names = [1.0] * 40, ["good"] * 20 + ["bad"] * 20
    trust = trust_in([tried(logits, [True] * 20 + [False] * 20, categories=names)])
    good, bad = trust.probability(np.array([1.0, 1.0]), ["good", "bad"])
    assert good > 0.7 > 0.3 > bad


def test_a_higher_logit_is_never_less_likely_right() -> None:
    trust = trust_in([tried([3.0] * 10 + [-3.0] * 10, [False] * 10 + [True] * 10)])
    low, high = trust.probability(np.array([-1.0, 1.0]), ["a", "a"])
    assert high > low


def test_extreme_logits_give_numbers() -> None:
    assert np.isfinite(Trust().probability(np.array([-1e9, 1e9]), ["a", "b"])).all()


def test_each_labelled_box_is_found_once_and_only_by_its_category() -> None:
    true = np.array([[0, 0, 10, 10], [20, 0, 30, 10]], np.float64)
    boxes = np.array([[0, 0, 10, 9], [0, 0, 10, 10], [20, 0, 30, 10]], np.float64)
    found = match_finds(boxes, ["a", "a", "a"], true=true, true_categories=["a", "b"])
    assert found.tolist() == [0, -1, -1]
    assert match_finds(np.zeros((0, 4)), [], true=true, true_categories=["a", "b"]).tolist() == []


def test_a_find_that_the_refiner_will_move_onto_its_object_is_right() -> None:
    true = np.array([[0, 0, 10, 10]], np.float64)
    close, far = np.array([[0, 0, 10, 4.5]], np.float64), np.array([[0, 0, 10, 3.5]], np.float64)
    assert match_finds(close, ["a"], true=true, true_categories=["a"]).tolist() == [0]
    assert match_finds(far, ["a"], true=true, true_categories=["a"]).tolist() == [-1]


def test_more_examples_give_higher_logits_which_count_less() -> None:
    one, four = (trust_from_examples(count).probability(np.array([-1.0]), ["a"])[0] for count in (1, 4))
    assert 0.45 < one < 0.6
    assert 0.15 < four < 0.35
