"""The noise on boxes is the one every accuracy figure uses, to the last digit."""

from __future__ import annotations

import numpy as np
import pytest

from core.box_noise import coarsen
from core.errors import BadInputError
from core.geometry import Boxes

# x, y, width, height in an image of 640 x 480, and what the accuracy protocol makes of them at seed 0.
TRUE = [
    [10, 20, 100, 50],
    [0, 0, 30, 30],
    [200.5, 100.25, 64, 80],
    [300, 5, 20, 200],
    [5, 300, 250, 15],
    [400, 400, 90, 70],
    [320, 240, 300, 230],
    [600, 10, 38, 20],
]
COARSE = {
    "hq0.4": [
        [0.95, 14.57, 129.06, 51.65],
        [0.0, 0.0, 22.09, 23.27],
        [220.59, 125.48, 39.85, 55.96],
        [299.49, 11.58, 22.73, 223.55],
        [0.0, 303.31, 270.9, 13.6],
        [393.47, 372.61, 125.8, 96.93],
        [340.62, 183.25, 299.38, 257.68],
        [600.63, 8.29, 39.37, 18.23],
    ],
    "drag": [
        [5.07, 14.31, 100.57, 55.88],
        [0.0, 0.0, 34.36, 32.56],
        [193.1, 95.19, 77.0, 101.74],
        [299.1, 0.0, 25.56, 216.95],
        [0.0, 299.74, 265.78, 17.79],
        [397.02, 401.21, 86.42, 67.64],
        [317.29, 232.7, 306.36, 242.1],
        [597.45, 9.61, 42.55, 24.87],
    ],
}


def corners(rows: list[list[float]]) -> Boxes:
    """COCO rows as x1, y1, x2, y2."""
    boxes = np.array(rows, np.float64)
    boxes[:, 2:] += boxes[:, :2]
    return boxes


@pytest.mark.parametrize("noise", COARSE)
def test_noise_equals_the_protocol(noise: str) -> None:
    coarse = coarsen(corners(TRUE), noise, np.random.default_rng(0), width=640, height=480)
    assert np.abs(coarse - corners(COARSE[noise])).max() <= 0.011


def test_sizes_may_differ_from_box_to_box() -> None:
    coarse = coarsen(corners(TRUE[:2]), "drag", np.random.default_rng(3), width=[111, 30], height=[70, 31])
    assert (coarse[:, :2] >= 0).all()
    assert (coarse[0, 2:] <= [111, 70]).all()
    assert (coarse[1, 2:] <= [30, 31]).all()


def test_coarse_boxes_keep_four_pixels_a_side() -> None:
    tiny = np.array([[0.0, 0.0, 1.0, 1.0], [99.0, 99.0, 100.0, 100.0]])
    coarse = coarsen(tiny, "hq0.6", np.random.default_rng(0), width=100, height=100)
    assert ((coarse[:, 2:] - coarse[:, :2]) >= 4 - 1e-9).all()


@pytest.mark.parametrize("noise", ["hq", "hq7", "gauss", ""])
def test_an_unknown_noise_is_refused_by_name(noise: str) -> None:
    with pytest.raises(BadInputError, match=f"called {noise}"):
        coarsen(corners(TRUE), noise, np.random.default_rng(0), width=640, height=480)
