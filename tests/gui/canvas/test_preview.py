"""While a picture is read, the canvas shows its thumbnail, and after a while what is being read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.operations import box_verbs
from boxrefine_gui.widgets import theme
from core.geometry import Box
from tests.gui.driving import leave, ready

PAIR = ((200, 60, 40), (40, 60, 200))


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Pictures of two colors, side by side: more than are read ahead."""
    folder = tmp_path / "halves"
    folder.mkdir()
    half = np.full((300, 200, 3), PAIR[0][::-1], np.uint8)
    other = np.full((300, 200, 3), PAIR[1][::-1], np.uint8)
    for number in range(6):
        cv2.imwrite(str(folder / f"{number}.png"), np.hstack([half, other]))
    return folder


@pytest.fixture
def held(app: App) -> Iterator[threading.Event]:
    """The lane of pictures is busy until the event is set."""
    gate = threading.Event()
    app.pictures.run(lambda: gate.wait(30), priority=-10)
    yield gate
    gate.set()


def shown(app: App) -> QImage:
    leave(app.window.canvas)
    return app.window.canvas.grab().toImage()


def at(app: App, image: QImage, x: float, y: float) -> QColor:
    """The color of the canvas at a pixel of the picture."""
    point = app.window.canvas.view.to_screen(Box(x, y, x, y)).topLeft().toPoint()
    return image.pixelColor(point)


def near(color: QColor, wanted: tuple[int, int, int]) -> bool:
    found = color.red(), color.green(), color.blue()
    return all(abs(a - b) < 30 for a, b in zip(found, wanted, strict=True))


def open_last(app: App) -> None:
    box_verbs.show_image(app.parts, app.session.images[-1].id)
    assert app.session.picture is None


def test_the_blurred_thumbnail_is_in_the_place_of_the_picture(qtbot: QtBot, app: App, held: threading.Event) -> None:
    open_last(app)
    qtbot.waitUntil(lambda: near(at(app, shown(app), 50, 30), PAIR[0]))
    image = shown(app)
    assert near(at(app, image, 350, 30), PAIR[1])
    border = at(app, image, 199, 30)
    assert not near(border, PAIR[0]) and not near(border, PAIR[1])  # blurred
    assert app.window.canvas.grab().toImage().pixelColor(1, 1) == theme.canvas_ground()
    view = app.window.canvas.view
    held.set()
    ready(qtbot, app)
    assert app.window.canvas.view == view and near(at(app, shown(app), 197, 30), PAIR[0])


def test_after_a_while_it_says_what_is_read(qtbot: QtBot, app: App, held: threading.Event) -> None:
    open_last(app)
    qtbot.waitUntil(lambda: near(at(app, shown(app), 50, 30), PAIR[0]))
    silent = shown(app)
    preview = app.window.canvas.painting.preview
    assert preview._late.isActive() or preview._is_late
    preview._late.stop()
    preview._be_late()
    words = shown(app)
    assert words != silent
    held.set()
    ready(qtbot, app)
    with_picture = shown(app)
    preview._is_late = False
    assert shown(app) == with_picture


def test_a_picture_in_other_tones_has_no_thumbnail(qtbot: QtBot, app: App, held: threading.Event) -> None:
    app.window.action_by_id["invert"].trigger()
    open_last(app)
    qtbot.waitUntil(lambda: app.thumbnails.is_idle)
    assert at(app, shown(app), 50, 30) == theme.canvas_ground()


def test_an_unreadable_picture_is_not_being_read(qtbot: QtBot, app: App, pictures: Path) -> None:
    app.window.canvas.painting.preview._be_late()
    (pictures / "5.png").write_bytes(b"broken")
    open_last(app)
    qtbot.waitUntil(lambda: app.session.image is not None and app.session.image.id in app.session.problems)
    app.window.canvas.painting.preview._is_late = False
    silent = shown(app)
    app.window.canvas.painting.preview._be_late()
    assert shown(app) == silent
