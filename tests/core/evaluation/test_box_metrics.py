"""The figures of the accuracy tables are those of the accuracy protocol."""

from __future__ import annotations

import numpy as np
import pytest

from core.evaluation.box_metrics import compare
from core.geometry import Boxes


def corners(rows: list[list[float]]) -> Boxes:
    """COCO rows as x1, y1, x2, y2."""
    boxes = np.array(rows, np.float64)
    boxes[:, 2:] += boxes[:, :2]
    return boxes


TRUE = corners(
    [
        [10, 20, 100, 50],
        [0, 0, 30, 30],
        [200.5, 100.25, 64, 80],
        [300, 5, 20, 200],
        [5, 300, 250, 15],
        [400, 400, 90, 70],
        [320, 240, 300, 230],
        [600, 10, 38, 20],
    ]
)
BEFORE = corners(
    [
        [0.0, 11.85, 140.01, 52.49],
        [0.0, 0.0, 18.13, 19.91],
        [230.64, 138.1, 27.78, 43.93],
        [299.23, 14.88, 24.1, 235.32],
        [0.0, 304.96, 278.85, 12.91],
        [390.21, 358.92, 143.7, 110.39],
        [350.94, 154.87, 289.06, 271.53],
        [600.94, 7.44, 39.06, 17.33],
    ]
)
AFTER = corners(
    [
        [5.07, 14.31, 100.57, 55.88],
        [0.0, 0.0, 34.36, 32.56],
        [193.1, 95.19, 77.0, 101.74],
        [299.1, 0.0, 25.56, 216.95],
        [0.0, 299.74, 265.78, 17.79],
        [397.02, 401.21, 86.42, 67.64],
        [317.29, 232.7, 306.36, 242.1],
        [597.45, 9.61, 42.55, 24.87],
    ]
)


def test_figures_equal_the_protocol() -> None:
    figures = compare(true=TRUE, before=BEFORE, after=AFTER)
    assert figures.boxes == 8
    assert figures.iou_before == pytest.approx(0.4846, abs=1e-4)
    assert figures.iou_after == pytest.approx(0.7885, abs=1e-4)
    assert figures.iou_after_median == pytest.approx(0.7988, abs=1e-4)
    assert (figures.share_080, figures.share_090) == (0.5, 0.125)
    assert (figures.improved, figures.harmed) == (1.0, 0.0)
    assert figures.edge_error_px_median == pytest.approx(4.36, abs=1e-3)
    assert figures.iou_after_by_size == pytest.approx({"small": 0.7593, "medium": 0.7803, "large": 0.9303}, abs=1e-4)


def test_harm_is_a_loss_of_more_than_two_hundredths() -> None:
    true = np.array([[0.0, 0.0, 100.0, 100.0]] * 2)
    after = np.array([[0.0, 0.0, 98.1, 100.0], [0.0, 0.0, 97.9, 100.0]])
    assert compare(true=true, before=true, after=after).harmed == 0.5
