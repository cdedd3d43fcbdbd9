"""Colours of categories: told apart from each other, from what the window itself paints, and from what is on them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from PySide6.QtGui import QColor
from skimage.color import deltaE_ciede2000, rgb2lab

from boxrefine_gui.widgets import theme

FIRST = ("#E69F00", "#00B386", "#F0E442", "#CC79A7", "#D55E00", "#5B7CFF", "#B9B9B9")
COUNT = 19
COLORS = [theme.category_color(category_id) for category_id in range(1, COUNT + 1)]


def distance(first: QColor, second: QColor) -> float:
    """CIEDE2000: 1 is just seen side by side."""
    one, other = (rgb2lab(np.array(color.getRgbF()[:3])) for color in (first, second))  # type: ignore[index]
    return float(deltaE_ciede2000(one, other))


def luminance(color: QColor) -> float:
    parts = np.array(color.getRgbF()[:3])  # type: ignore[index]
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast(first: QColor, second: QColor) -> float:
    dark, light = sorted(map(luminance, (first, second)))
    return (light + 0.05) / (dark + 0.05)


def test_the_first_categories_keep_the_colours_that_they_had() -> None:
    assert tuple(color.name().upper() for color in COLORS[: len(FIRST)]) == FIRST


def test_colours_repeat_after_nineteen_and_are_told_apart() -> None:
    assert theme.category_color(COUNT + 1) == COLORS[0]
    assert min(distance(first, second) for first, second in combinations(COLORS, 2)) > 16


def test_colours_that_came_later_are_none_of_the_window_itself() -> None:
    for other in (theme.REFINED, theme.DOUBTFUL, theme.DRAWN, theme.TO_CHECK):
        assert min(distance(color, other) for color in COLORS[len(FIRST) :]) > 18


def test_each_is_seen_on_dark_ground_and_a_name_on_it_can_be_read() -> None:
    for color in COLORS:
        assert contrast(color, QColor("#17191C")) >= 3.4
        assert contrast(theme.ink_on(color), color) >= 4.4
