"""Boxes on the grid of cells and back."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.suggest.network import CELL, CELLS, Cells
from core.suggest.peaks import MOST_PEAKS, Peaks, find_peaks, merge_same
from core.suggest.solver import Learned
from core.suggest.targets import paint

SEEN = torch.ones(CELLS, CELLS)


def test_an_object_is_one_at_its_middle_and_nothing_outside() -> None:
    painted = paint(torch.tensor([[[80.0, 160.0, 240.0, 400.0]]]), torch.tensor([[True]]))
    assert painted.target[0, 35, 20] == 1
    assert painted.target[0, 35, 8] == 0
    assert painted.inside[0].sum() == (160 / CELL) * (240 / CELL)
    assert painted.share[0].sum() == pytest.approx(1)


def test_reaches_give_the_box_back() -> None:
    box = torch.tensor([[[83.0, 161.0, 247.0, 390.0]]])
    painted = paint(box, torch.tensor([[True]]))
    y, x = 34, 20
    left, top, right, bottom = painted.reaches[0, :, y, x].exp().tolist()
    found = [x + 0.5 - left, y + 0.5 - top, x + 0.5 + right, y + 0.5 + bottom]
    assert np.array(found) * CELL == pytest.approx(box[0, 0].numpy(), abs=1e-3)


@pytest.mark.parametrize("box", [[500.2, 500.2, 500.9, 500.9], [0, 0, 2, 2], [1020, 1020, 1024, 1024]])
def test_even_the_smallest_object_has_a_cell(box: list[float]) -> None:
    assert paint(torch.tensor([[box]]), torch.tensor([[True]])).target.max() == 1


def test_boxes_that_are_not_there_are_not_painted() -> None:
    painted = paint(torch.tensor([[[80.0, 160.0, 240.0, 400.0]]]), torch.tensor([[False]]))
    assert not painted.target.any()
    assert not painted.inside.any()


def cells(*, reach: float = 5.0) -> Cells:
    return Cells(torch.zeros(1, 8, CELLS, CELLS), torch.full((1, 4, CELLS, CELLS), float(np.log(reach))))


def no_corrections(categories: int) -> Learned:
    return Learned(torch.zeros(categories, 9), torch.zeros(categories, 4, 9))


def test_a_peak_becomes_the_box_around_it() -> None:
    logits = torch.full((1, CELLS, CELLS), -9.0)
    logits[0, 40, 60], logits[0, 40, 61] = 2.0, 1.0
    found = find_peaks(cells(), no_corrections(1), logits, SEEN, least=0.0)
    assert found.boxes == pytest.approx(np.array([[55.5, 35.5, 65.5, 45.5]]) * CELL)
    assert found.logits == pytest.approx([2.0])


def test_the_part_without_image_has_no_peaks() -> None:
    logits = torch.full((1, CELLS, CELLS), -9.0)
    logits[0, 40, 60] = 2.0
    seen = SEEN.clone()
    seen[:, 50:] = 0
    assert len(find_peaks(cells(), no_corrections(1), logits, seen, least=0.0).boxes) == 0


def test_peaks_are_limited_and_the_likeliest_stay() -> None:
    logits = torch.full((1, CELLS, CELLS), -9.0)
    logits[0, ::3, ::3] = torch.rand(43, 43)
    found = find_peaks(cells(reach=0.6), no_corrections(1), logits, SEEN, least=0.0)
    assert len(found.boxes) == MOST_PEAKS
    assert found.logits.min() >= np.sort(logits[0, ::3, ::3].numpy(), axis=None)[-MOST_PEAKS] - 1e-6


def test_of_boxes_of_one_object_the_likeliest_stays() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [30, 0, 40, 10], [0, 0, 10, 10.5]], np.float64)
    # The second is of the first's category and the last of another one, at the same place.
    peaks = Peaks(boxes, np.array([1.0, 2.0, 0.0, 1.5]), np.array([0, 0, 0, 1]), np.arange(4))
    assert merge_same(peaks) == [1, 2]


def test_objects_of_two_categories_may_overlap() -> None:
    boxes = np.array([[0, 0, 10, 10], [2, 0, 12, 10]], np.float64)
    assert merge_same(Peaks(boxes, np.array([1.0, 2.0]), np.array([0, 1]), np.arange(2))) == [1, 0]


def test_a_part_of_a_likelier_object_is_none_of_its_own_category() -> None:
    boxes = np.array([[0, 0, 100, 100], [10, 10, 40, 60], [10, 10, 40, 60.5]], np.float64)
    assert merge_same(Peaks(boxes, np.array([2.0, 1.0, 0.5]), np.array([0, 0, 1]), np.arange(3))) == [0, 2]
