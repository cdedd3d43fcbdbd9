"""The drag benchmark measures the real window and leaves the user's files alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from boxrefine_gui.benchmarks.drag import measure
from tests.core.frame_time import frame_s


@pytest.mark.long
@pytest.mark.slow
def test_a_drag_is_measured_to_the_drawn_and_to_the_refined_box(qtbot: QtBot, own_home: Path) -> None:
    medians = measure("cpu")
    assert 0 < medians["event to drawn box"] < medians["event to refined box"]
    tenth = 1000 * 100 / 16 * frame_s()  # milliseconds of this machine as it is now, 100 of a quiet one
    assert medians["event to refined box"] < tenth
    assert 0 < medians["60 events a second, last event to its refined box"] < tenth
    assert list(own_home.iterdir()) == []
