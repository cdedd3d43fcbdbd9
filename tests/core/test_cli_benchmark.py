"""`boxrefine benchmark`: accuracy by the protocol, latency with and without a window."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from core.cli import main
from core.geometry import Box
from core.sample_project import TRUE_BOXES, sample_pictures
from core.training.grab_cut import grab_cut_box
from tests.core.command_line import Verb


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """A folder with one labelled set: the sample project."""
    images = tmp_path / "data" / "ours" / "images"
    images.mkdir(parents=True)
    for path in sample_pictures():
        shutil.copy(path, images)
    shutil.copy(TRUE_BOXES, images.parent / "annotations.json")
    return tmp_path / "data"


@pytest.mark.slow
def test_accuracy_compares_three_ways_under_each_noise(
    verb: Verb, models: list[str], untrained: Path, sets: Path
) -> None:
    said = verb("benchmark", "accuracy", "--data", sets, "--noise", "hq0.4", "drag", "--limit", 1, *models)
    rows = said.summary["rows"]
    assert said.code == 0
    assert [(row["noise"], row["method"]) for row in rows] == [
        (noise, method) for noise in ("hq0.4", "drag") for method in ("drawn", "OpenCV GrabCut", untrained.name)
    ]
    drawn, _, refined = rows[:3]
    assert {row["metrics"]["boxes"] for row in rows} == {3}
    assert drawn["metrics"]["iou_after"] == drawn["metrics"]["iou_before"] == refined["metrics"]["iou_before"]
    assert drawn["metrics"]["harmed"] == 0
    assert said.out.splitlines()[0].startswith("| set ")


@pytest.mark.slow
def test_accuracy_covers_whole_sets_without_a_limit(verb: Verb, models: list[str], sets: Path) -> None:
    said = verb("benchmark", "accuracy", "--data", sets, "--noise", "hq0.4", "--no-grabcut", "--json", *models)
    assert said.out.count("\n") == 1
    measured = said.summary["rows"][1]["metrics"]
    assert measured["boxes"] == 47
    assert 0 < measured["iou_after"] < 1
    assert measured["iou_before"] == said.summary["rows"][0]["metrics"]["iou_after"]


def test_data_without_sets_is_told(verb: Verb, tmp_path: Path) -> None:
    said = verb("benchmark", "accuracy", "--data", tmp_path)
    assert (said.code, len(said.sentences)) == (2, 1)
    assert str(tmp_path) in said.sentences[0]


@pytest.mark.slow
def test_latency_prints_medians_of_core_and_window(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["benchmark", "latency", "--repeats", "3", "--no-sam", "--json"]
    assert main(arguments, window_benchmarks={"drag": lambda device: {"to repaint": 4.25}}) == 0
    said = json.loads(capsys.readouterr().out)
    medians = said["median_ms"]
    assert medians["drag: to repaint"] == 4.25
    assert 0 < medians["refine 1 box"] < medians["refine 32 boxes"]
    assert medians["encode 1920 x 1080, light"] > 0


def test_grab_cut_finds_a_disc_and_only_shrinks() -> None:
    rows, columns = np.mgrid[:120, :160]
    picture = np.full((120, 160, 3), 40, np.uint8)
    picture[(rows - 60) ** 2 + (columns - 80) ** 2 < 30**2] = (200, 60, 30)
    picture += np.random.default_rng(0).integers(0, 12, picture.shape, np.uint8)
    found = grab_cut_box(picture, Box(40, 20, 122, 101))
    assert np.abs(np.subtract(found, (51, 31, 110, 90))).max() <= 2


def test_grab_cut_keeps_what_it_cannot_improve() -> None:
    picture = np.full((50, 60, 3), 90, np.uint8)
    for drawn in (Box(0, 0, 60, 50), Box(10, 10, 11, 11)):
        found = grab_cut_box(picture, drawn)
        assert found.x1 >= drawn.x1 and found.y2 <= drawn.y2
