"""A held key hides the boxes, and they are back when it goes up."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QImage, QKeyEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from core.geometry import Box
from tests.gui.driving import NO_MODIFIER, accept, draw, leave, mouse

H = Qt.Key.Key_H


@pytest.fixture
def bare(app: App) -> QImage:
    """The canvas without a box, and without the first steps."""
    app.window.canvas.hiding.start()
    shown = app.window.canvas.grab().toImage()
    app.window.canvas.hiding.end()
    return shown


def shown(app: App) -> QImage:
    leave(app.window.canvas)
    return app.window.canvas.grab().toImage()


def test_h_hides_stored_and_drawn_boxes_until_it_goes_up(qtbot: QtBot, app: App, bare: QImage) -> None:
    draw(qtbot, app, Box(20, 30, 90, 100))
    accept(qtbot, app)
    draw(qtbot, app, Box(110, 20, 180, 90))
    with_boxes, canvas = shown(app), app.window.canvas
    assert with_boxes != bare
    qtbot.keyPress(canvas, H)
    assert shown(app) == bare
    for kind in (QEvent.Type.KeyRelease, QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress):  # it repeats
        QApplication.sendEvent(canvas, QKeyEvent(kind, H, NO_MODIFIER, "h", autorep=True))
    assert shown(app) == bare
    qtbot.keyRelease(canvas, H)
    qtbot.waitUntil(lambda: not canvas.hiding.is_on)
    assert shown(app) == with_boxes and app.session.draft is not None


def test_a_repeat_as_a_release_and_a_press_keeps_them_hidden(qtbot: QtBot, app: App) -> None:
    canvas, seen = app.window.canvas, []
    qtbot.keyPress(canvas, H)
    canvas.hiding._repaint = lambda: seen.append(canvas.hiding.is_on)
    for _ in range(3):
        qtbot.keyRelease(canvas, H)
        qtbot.keyPress(canvas, H)
    assert canvas.hiding.is_on and seen == []


def test_they_are_back_when_another_widget_gets_the_keys(qtbot: QtBot, app: App) -> None:
    qtbot.keyPress(app.window.canvas, H)
    app.window.images.setFocus()
    assert not app.window.canvas.hiding.is_on


def test_a_mouse_button_can_be_the_key(qtbot: QtBot, app: App) -> None:
    keys = {"hide_boxes": ("Mouse right",)}
    app.session.set_settings(replace(app.session.settings, keys=keys))
    canvas, right = app.window.canvas, Qt.MouseButton.RightButton
    mouse(canvas, QEvent.Type.MouseButtonPress, (50, 50), button=right)
    assert canvas.hiding.is_on
    mouse(canvas, QEvent.Type.MouseButtonRelease, (50, 50), button=right)
    qtbot.waitUntil(lambda: not canvas.hiding.is_on)
