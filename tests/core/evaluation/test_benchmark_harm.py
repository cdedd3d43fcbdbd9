"""What becomes of boxes that are right already."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.evaluation.harm import harm_row
from tests.core.command_line import Verb
from tests.core.labelled_sets import answers, save_discs

TRUE = [[0.0, 0.0, 100.0, 50.0]] * 4


def test_moved_and_harmed_are_counted_apart() -> None:
    refined = [[0, 0, 100, 50], [0, 0, 98.1, 50], [0, 0, 100, 48.9], [0, 0, 90, 50]]
    row = harm_row("ours", "true", answers(true=TRUE, drawn=TRUE, refined=[list(map(float, box)) for box in refined]))
    assert (row.boxes, row.iou_before) == (4, 1.0)
    assert row.moved == 0.5  # 1.1 of 50 pixels are more than 2 %, 1.9 of 100 are not
    assert row.harmed == 0.5
    assert row.iou_after == pytest.approx((1 + 0.981 + 0.978 + 0.9) / 4)


def test_a_box_that_gets_better_moves_without_harm() -> None:
    row = harm_row("ours", "hq0.1", answers(true=TRUE[:1], drawn=[[5, 0, 100, 50]], refined=TRUE[:1]))
    assert (row.moved, row.harmed, row.iou_after) == (1.0, 0.0, 1.0)


def test_the_benchmark_starts_from_true_boxes(verb: Verb, models: list[str], tmp_path: Path) -> None:
    said = verb("benchmark", "harm", "--data", save_discs(tmp_path, "discs"), "--limit", 1, "--json", *models)
    true, coarse, *_ = said.summary["rows"]
    assert said.out.count("\n") == 1
    assert (true["noise"], true["boxes"], true["iou_before"]) == ("true", 1, 1.0)
    assert (coarse["noise"], coarse["iou_before"] < 1) == ("hq0.1", True)
    careful = verb("benchmark", "harm", "--data", tmp_path, "--limit", 1, "--careful", "--json", *models)
    assert careful.summary["rows"][0]["iou_after"] >= true["iou_after"]
