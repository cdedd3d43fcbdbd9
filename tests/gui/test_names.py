"""The names of categories on the picture: seen once each, and not at all where L has hidden them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from boxrefine_gui import theme
from boxrefine_gui.app import App
from core.geometry import Box
from core.settings import load_settings, settings_path
from tests.gui.driving import accept, click, draw

BOX = Box(40, 60, 160, 130)


def grabbed(app: App) -> QImage:
    return app.window.canvas.grab().toImage()


def plated(app: App, *, above: bool) -> int:
    """How many pixels have the category's own colour above (or below) the upper edge of the first box."""
    shown, color = grabbed(app), theme.category_color(1)
    rect = app.window.canvas.view.to_screen(app.session.corrections[0].accepted)
    top = round(rect.top())
    rows = range(max(top - 40, 0), max(top - 3, 0)) if above else range(top + 6, top + 40)
    columns = range(round(rect.left()) + 4, round(rect.right()) - 4)
    return sum(shown.pixelColor(x, y) == color for x in columns for y in rows)


def test_l_hides_the_names_and_shows_them_again(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, BOX)
    accept(qtbot, app)
    with_name = grabbed(app)
    assert plated(app, above=True) > 100
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_L)
    assert plated(app, above=True) == 0
    click(app.window.canvas, (100, 95))
    assert app.session.selected is not None and plated(app, above=True) < 60  # handles alone
    qtbot.waitUntil(lambda: app.files.is_idle)
    assert not load_settings(settings_path()).show_names
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_Escape)
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_L)
    assert grabbed(app) == with_name
