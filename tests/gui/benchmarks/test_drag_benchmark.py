"""The drag benchmark measures the real window and leaves the user's files alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from boxrefine_gui.benchmarks.drag import measure


@pytest.mark.slow
def test_a_drag_is_followed_within_a_tenth_of_a_second(qtbot: QtBot, own_home: Path) -> None:
    medians = measure("cpu")
    assert 0 < medians["event to drawn box"] < medians["event to refined box"] < 100
    assert medians["60 events a second, last event to its refined box"] < 100
    assert list(own_home.iterdir()) == []
