"""The layout of the window: panels that can be hidden, and the full screen."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App, build
from core.settings import load_settings, settings_path
from tests.gui.conftest import end
from tests.gui.fakes import FakeModels


def press(qtbot: QtBot, app: App, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    qtbot.keyClick(app.window.canvas, key, modifiers)


CTRL, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier


def test_a_key_hides_each_panel_and_shows_it_as_wide_as_before(qtbot: QtBot, app: App) -> None:
    window = app.window
    window.resize(1300, 800)
    window._across.setSizes([300, 700, 280])
    before, wide = window._across.sizes(), window.canvas.width()
    press(qtbot, app, Qt.Key.Key_B, CTRL)
    assert not window.image_panel.isVisible() and not window.action_by_id["left_panel"].isChecked()
    qtbot.waitUntil(lambda: window.canvas.width() >= wide + 290)
    press(qtbot, app, Qt.Key.Key_B, CTRL | ALT)
    assert not window.categories.isVisible() and not window.boxes.isVisible()
    press(qtbot, app, Qt.Key.Key_B, CTRL | ALT)
    press(qtbot, app, Qt.Key.Key_B, CTRL)
    assert window.image_panel.isVisible() and window.action_by_id["left_panel"].isChecked()
    qtbot.waitUntil(lambda: all(abs(a - b) <= 8 for a, b in zip(window._across.sizes(), before, strict=True)))


def test_one_key_hides_both_panels_and_shows_both(qtbot: QtBot, app: App) -> None:
    press(qtbot, app, Qt.Key.Key_F12)
    assert app.window.sides.hidden == ("left", "right") and app.window.canvas.hasFocus()
    assert not app.window.action_by_id["right_panel"].isChecked()
    press(qtbot, app, Qt.Key.Key_F12)
    assert app.window.sides.hidden == ()
    press(qtbot, app, Qt.Key.Key_B, CTRL)
    press(qtbot, app, Qt.Key.Key_F12)
    assert app.window.sides.hidden == ("left", "right")


def test_what_needs_a_hidden_panel_shows_it(qtbot: QtBot, app: App) -> None:
    press(qtbot, app, Qt.Key.Key_F12)
    press(qtbot, app, Qt.Key.Key_F, CTRL)
    assert app.window.image_panel.search.hasFocus() and app.window.sides.hidden == ("right",)
    app.window.action_by_id["teach_panel"].trigger()
    assert app.window.teach_panel.isVisible() and app.window.sides.hidden == ()


def test_f6_goes_only_to_panels_that_are_shown(qtbot: QtBot, app: App) -> None:
    press(qtbot, app, Qt.Key.Key_B, CTRL)
    app.window.canvas.setFocus()
    app.window.focus_next_panel()
    assert app.window.categories.isAncestorOf(app.window.focusWidget())


def test_hidden_panels_and_their_widths_are_there_at_the_next_start(qtbot: QtBot, pictures: Path) -> None:
    first = build(load_models=FakeModels())
    first.window.resize(790, 600)
    first.window.show()
    qtbot.waitExposed(first.window)
    first.window._across.setSizes([164, 480, 150])
    width = first.window._across.sizes()[0]
    first.window.sides.toggle("left")
    end(first)
    saved = load_settings(settings_path())
    assert saved.hidden_panels == ("left",) and saved.panel_widths[0] == width
    again = build(load_models=FakeModels())
    again.window.show()
    qtbot.waitExposed(again.window)
    assert again.window.sides.hidden == ("left",) and not again.window.action_by_id["left_panel"].isChecked()
    again.window.sides.toggle("left")
    assert abs(again.window._across.sizes()[0] - width) <= 8
    end(again)


def test_f11_fills_the_screen_and_gives_it_back(qtbot: QtBot, app: App) -> None:
    app.window.showMaximized()
    press(qtbot, app, Qt.Key.Key_F11)
    assert app.window.isFullScreen() and app.window.action_by_id["full_screen"].isChecked()
    press(qtbot, app, Qt.Key.Key_F11)
    assert not app.window.isFullScreen() and app.window.isMaximized()


def test_the_teaching_panel_is_closed_where_it_opens(qtbot: QtBot, app: App) -> None:
    app.window.action_by_id["teach_panel"].trigger()
    assert app.window.teach_panel.isVisible()
    qtbot.mouseClick(app.window.close_teaching, Qt.MouseButton.LeftButton)
    assert not app.window.teach_panel.isVisible() and not app.window.action_by_id["teach_panel"].isChecked()
