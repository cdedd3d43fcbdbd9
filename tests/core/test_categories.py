"""Colours, keys and names of categories, without a window and without a file."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from core.categories import PALETTE, Category, category_key, colors_of, folded, keys_of, same_name

SIMULATED = {  # Machado et al. 2009, full strength, on linear RGB
    "no color blindness": np.eye(3),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def categories(count: int) -> list[Category]:
    return [Category(id, f"category {id}") for id in range(1, count + 1)]


def seen(color: str, matrix: object) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """A color in CIE Lab, as somebody with a color blindness sees it."""
    parts = np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    shown = np.clip(np.asarray(matrix) @ linear, 0, 1)
    return np.asarray(rgb2lab(np.where(shown <= 0.0031308, 12.92 * shown, 1.055 * shown ** (1 / 2.4) - 0.055)))


@pytest.mark.parametrize("kind", SIMULATED)
def test_neighbours_are_told_apart_with_each_colour_blindness(kind: str) -> None:
    colors = [seen(color, SIMULATED[kind]) for color in (*PALETTE, PALETTE[0])]
    assert min(float(deltaE_ciede2000(first, second)) for first, second in pairwise(colors)) > 13


@pytest.mark.parametrize("seed", range(5))
def test_no_colour_repeats_next_to_itself_in_any_order(seed: int) -> None:
    order = np.random.default_rng(seed).permutation(300)
    some = [categories(300)[row] for row in order]
    some[7] = Category(some[7].id, "chosen", color="#e69f00")
    colors = colors_of(some)
    in_order = [colors[entry.id].upper() for entry in some]
    assert all(first != second for first, second in pairwise(in_order))
    assert colors[some[7].id] == "#e69f00"


def test_no_colour_repeats_at_all_while_the_palette_has_enough() -> None:
    some = [Category(id, f"category {id}") for id in (1, 20, 39, 58, 2, 21)]  # after many were deleted
    colors = colors_of(some)
    assert len(set(colors.values())) == len(some)
    assert (colors[1], colors[2]) == (PALETTE[0], PALETTE[1])  # the older ones keep theirs


def test_categories_in_their_first_order_have_the_colours_of_the_palette() -> None:
    assert list(colors_of(categories(40)).values()) == [PALETTE[row % len(PALETTE)] for row in range(40)]


def test_a_chosen_colour_makes_the_other_category_give_way() -> None:
    some = [*categories(3), Category(4, "like the first", color=PALETTE[0])]
    colors = colors_of(some)
    assert colors[4] == PALETTE[0] and colors[1] != PALETTE[0]


def test_digits_go_to_the_first_nine_without_a_key_of_their_own() -> None:
    some = categories(12)
    assert keys_of(some) == {id: str(id) for id in range(1, 10)}
    some[11] = Category(12, "twelve", key="3")
    some[0] = Category(1, "one", key="V")
    assert keys_of(some) == {1: "V", 2: "2", 12: "3", **{id: str(id) for id in range(4, 10)}}


@pytest.mark.parametrize(("text", "key"), [("v", "V"), (" 7 ", "7"), ("é", "É"), ("ab", ""), ("+", ""), ("ß", "")])
def test_a_key_is_one_letter_or_digit(text: str, key: str) -> None:
    assert category_key(text) == key


@pytest.mark.parametrize(
    ("first", "second"), [("Dog", "dOG"), ("STRASSE", "straße"), ("é", "E\u0301"), (" cat", "cat")]
)
def test_names_are_the_same_in_any_case_and_any_form_of_unicode(first: str, second: str) -> None:
    assert folded(first) == folded(second)


def test_the_same_case_comes_before_another_one() -> None:
    assert same_name("dog", {1: "Dog", 2: "dog"}) == 2
    assert same_name("DOG", {1: "Dog", 2: "dog"}) == 1
    assert same_name("dogs", {1: "Dog"}) is None
