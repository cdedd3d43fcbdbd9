"""Expected calibration error on numbers known beforehand, and the benchmark that reports it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.evaluation.calibration import Marks, calibration_row, edges_close, marks, reliability
from core.geometry import as_boxes
from tests.core.command_line import Verb
from tests.core.labelled_sets import answers, save_discs


def test_error_is_the_gap_of_each_bin_weighted_by_its_count() -> None:
    found = reliability([0.9, 0.9, 0.9, 0.1], [1, 1, 0, 0], bins=10)
    assert [(bin.count, bin.claimed, bin.observed) for bin in found.bins] == [
        (1, pytest.approx(0.1), 0.0),
        (3, pytest.approx(0.9), pytest.approx(2 / 3)),
    ]
    assert found.error == pytest.approx((1 * 0.1 + 3 * (0.9 - 2 / 3)) / 4)
    assert (found.count, found.claimed, found.observed) == (4, pytest.approx(0.7), 0.5)


def test_a_certain_claim_falls_into_the_last_of_fifteen_bins() -> None:
    found = reliability([1.0, 0.0], [1, 0])
    assert [(bin.low, bin.high) for bin in found.bins] == [(0, 1 / 15), (14 / 15, 1)]
    assert found.error == 0


def test_coins_that_are_called_coins_are_calibrated() -> None:
    random = np.random.default_rng(0)
    claims = random.random(100_000)
    honest = reliability(claims, random.random(100_000) < claims)
    boastful = reliability(claims, random.random(100_000) < claims**2)
    assert honest.error < 0.01
    assert boastful.error == pytest.approx(1 / 2 - 1 / 3, abs=0.01)


def test_an_edge_is_close_within_a_twentieth_of_the_side_or_two_pixels() -> None:
    true = as_boxes([[0, 0, 100, 20]] * 2)
    found = as_boxes([[5, 2, 95, 22], [5.1, 2.1, 94.9, 17.9]])
    assert edges_close(true=true, found=found).tolist() == [[True] * 4, [False] * 4]


def test_a_row_joins_edges_and_scores() -> None:
    row = calibration_row(
        "ours", "drag", answers(true=[[0, 0, 100, 100]], drawn=[[0, 0, 90, 90]], refined=[[0, 0, 100, 80]])
    )
    assert (row.edges.count, row.edges.observed, row.edges.error) == (4, 0.75, 0.25)
    assert (row.score.count, row.score.observed) == (1, pytest.approx(0.8))


def test_marks_count_bad_and_good_edges_and_none_between() -> None:
    found = answers(true=[[0, 0, 100, 100]], drawn=[[0, 0, 90, 90]], refined=[[15, 2, 94, 88]])
    found.confidence[:] = [[0.2, 0.4, 0.1, 0.9]]
    assert marks(found, below=0.5) == Marks(bad=2, bad_marked=0.5, good=1, good_marked=1.0)
    assert marks(found, below=0.3) == Marks(bad=2, bad_marked=0.5, good=1, good_marked=0.0)


def test_the_benchmark_reports_sets_all_boxes_and_means(verb: Verb, models: list[str], tmp_path: Path) -> None:
    data = save_discs(tmp_path, "one", "two")
    said = verb("benchmark", "calibration", "--data", data, "--noise", "hq0.2", "drag", *models)
    rows = said.summary["rows"]
    assert (said.code, said.summary["seed"]) == (0, 0)
    assert [(row["set"], row["noise"]) for row in rows] == [
        (name, noise) for name in ("one", "two") for noise in ("hq0.2", "drag")
    ] + [("all boxes", "hq0.2"), ("all boxes", "drag")]
    assert rows[-1]["edges"]["count"] == 16
    assert 0 <= rows[-1]["score"]["error"] <= 1
    assert "mean of sets" in said.out
    assert any(line.startswith("| noise ") for line in said.out.splitlines())


def test_a_limit_below_one_is_told(verb: Verb, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        verb("benchmark", "calibration", "--data", tmp_path, "--limit", 0)
    assert "less than 1" in capsys.readouterr().err


def test_sets_without_boxes_are_told(verb: Verb, models: list[str], tmp_path: Path) -> None:
    (tmp_path / "annotations.json").write_text('{"images": [], "annotations": [], "categories": []}', "utf-8")
    said = verb("benchmark", "calibration", "--data", tmp_path, *models)
    assert (said.code, len(said.sentences)) == (2, 1)
    assert str(tmp_path) in said.sentences[0]


@pytest.mark.long
@pytest.mark.data
@pytest.mark.slow
def test_shipped_scores_are_near_the_truth(verb: Verb, labelled_pictures: Path) -> None:
    said = verb(
        "benchmark", "calibration", "--data", labelled_pictures / "dev", "--limit", 3, "--noise", "hq0.4", "--json"
    )
    assert said.summary["rows"][-1]["score"]["error"] < 0.2
