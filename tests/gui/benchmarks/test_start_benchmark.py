"""The start benchmark: fresh processes show a window, its first picture and the whole list, in this order."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from boxrefine_gui.__main__ import BENCHMARKS
from core.cli import main
from core.cli.benchmark.start import make_project
from core.store.project_store import PROJECT_FILE_NAME, ProjectStore


def test_all_pictures_of_the_generated_project_exist(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    store = ProjectStore.open(make_project(folder, count=30) / PROJECT_FILE_NAME)
    try:
        images = store.images()
    finally:
        store.close()
    assert len(images) == 30 and all(image.path.exists() for image in images)


@pytest.mark.long
@pytest.mark.slow
def test_the_marks_come_in_order_and_leave_nothing_behind(own_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["benchmark", "start", "--count", "20", "--times", "1", "--json"]
    assert main(command, window_benchmarks=BENCHMARKS) == 0
    marks = json.loads(capsys.readouterr().out)["marks"]
    first = marks[0]  # of a small project, the list may be there before the picture
    assert first["mark"] == "window" and {mark["mark"] for mark in marks[1:]} == {"first picture", "whole list"}
    assert all(0 < first["s"] <= mark["s"] and first["MB"] <= mark["MB"] for mark in marks)
    assert [path.name for path in own_home.iterdir()] == ["boxrefine_log"]


def test_numbers_without_sense_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", "start", "--count", "0"], window_benchmarks=BENCHMARKS) == 2
    assert "an image or more" in capsys.readouterr().err
