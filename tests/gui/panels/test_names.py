"""The names of categories on the picture: seen once each, and not at all where L has hidden them."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.canvas.layers import paint_selected, paint_stored
from boxrefine_gui.canvas.scene import Scene
from boxrefine_gui.canvas.view import View
from boxrefine_gui.widgets import theme
from core.geometry import Box
from core.settings import load_settings, settings_path
from tests.gui.driving import accept, click, draw, leave

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
    leave(app.window.canvas)  # with the crosshair, which is at the pointer
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
    leave(app.window.canvas)
    assert grabbed(app) == with_name


def rows_of_ink(app: App, *, top: float, selected: bool) -> list[int]:
    """In which rows there is dark ink of letters where the name is, with the box this far from the top."""
    correction = app.session.corrections[0]
    view = View(1.0, 10.0 - correction.accepted.x1, top - correction.accepted.y1)
    place = view.to_screen(correction.accepted)
    image = QImage(300, 200, QImage.Format.Format_RGB32)
    image.fill(QColor("#FFFFFF"))
    painter = QPainter(image)
    scene = Scene(app.session, view, QSizeF(300, 200), False, None)
    paint_stored(painter, scene)
    if selected:
        paint_selected(painter, scene)
    painter.end()
    letters = QRectF(place.left() + 6, 0, 24, 200).toRect()  # between the handles of the corner and of the middle
    color = theme.category_color(1)
    return [
        y
        for y in range(round(place.top()) - 40, round(place.top()) + 40)
        if 0 <= y < 200 and any(_is_ink(image.pixelColor(x, y), color) for x in range(letters.left(), letters.right()))
    ]


def _is_ink(color: QColor, plate: QColor) -> bool:
    return color.lightness() < plate.lightness() / 2 and color.alpha() == 255


@pytest.mark.parametrize("top", [0.0, 5.0, 18.0, 20.0, 22.0, 25.0, 27.0, 30.0, 60.0])
def test_a_selected_box_has_its_name_once_wherever_it_is(qtbot: QtBot, app: App, top: float) -> None:
    draw(qtbot, app, BOX)
    accept(qtbot, app)
    at_rest = rows_of_ink(app, top=top, selected=False)
    app.session.select(app.session.corrections[0].id)
    selected = rows_of_ink(app, top=top, selected=True)
    assert abs(len(selected) - len(at_rest)) <= 2
