"""Whether the next picture keeps the zoom of the one before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.canvas.keep_view import keeps_view
from core.records import ImageRecord
from tests.gui.driving import ready
from tests.gui.fakes import sample_like_pictures


def record(path: str, width: int = 100) -> ImageRecord:
    return ImageRecord(1, Path(path), width, 80)


@pytest.mark.parametrize(
    ("first", "second", "how", "expected"),
    [
        (record("/a/f_001.png"), record("/a/f_002.png"), "frames", True),
        (record("/a/1 left.png"), record("/a/12 left.png"), "frames", True),
        (record("/a/f_001.png"), record("/b/f_002.png"), "frames", False),
        (record("/a/f_001.png"), record("/a/g_002.png"), "frames", False),
        (record("/a/f_001.png"), record("/a/f_002.jpg"), "frames", False),
        (record("/a/cat.png"), record("/a/dog.png"), "frames", False),
        (record("/a/cat.png"), record("/a/cat.png"), "frames", False),
        (record("/a/cat.png"), record("/a/dog.png"), "always", True),
        (record("/a/f_001.png"), record("/a/f_002.png", 101), "always", False),
        (record("/a/f_001.png"), record("/a/f_002.png"), "never", False),
        (None, record("/a/f_002.png"), "always", False),
    ],
)
def test_pictures_that_keep_the_view(first: ImageRecord | None, second: ImageRecord, how: str, expected: bool) -> None:
    assert keeps_view(first, second, how) is expected


def test_frames_keep_zoom_and_place_and_other_images_are_fitted(qtbot: QtBot, closed_app: App, tmp_path: Path) -> None:
    closed_app.open(sample_like_pictures(tmp_path / "frames", ("f_1.png", "f_2.png", "other.png")))
    canvas = closed_app.window.canvas
    ready(qtbot, closed_app)
    fitted = canvas.view
    canvas.zoom(3.0)
    zoomed = canvas.view
    for _ in range(2):
        qtbot.keyClick(canvas, Qt.Key.Key_D)
        ready(qtbot, closed_app)
        zoomed, shown = None if closed_app.session.row == 2 else zoomed, canvas.view
        assert shown == (zoomed or fitted)
    canvas.zoom(3.0)
    closed_app.session.set_settings(replace(closed_app.session.settings, keep_view="always"))
    zoomed = canvas.view
    qtbot.keyClick(canvas, Qt.Key.Key_A)
    ready(qtbot, closed_app)
    assert canvas.view == zoomed
