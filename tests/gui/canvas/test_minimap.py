"""The minimap: shown above 200 % over a part of the picture; a click or a drag in it pans."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QMouseEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.canvas.canvas import Canvas
from core.geometry import Box
from tests.gui.driving import accept, draw, leave

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton


def place(canvas: Canvas) -> QRectF | None:
    return canvas.painting.minimap.place(canvas._scene, canvas.devicePixelRatioF())


def zoom_to(canvas: Canvas, scale: float) -> None:
    canvas.zoom(scale / canvas.devicePixelRatioF() / canvas.view.scale)


def send(canvas: Canvas, kind: QEvent.Type, at: QPointF, *, held: Qt.MouseButton = LEFT) -> None:
    button = NONE if kind == QEvent.Type.MouseMove else LEFT
    modifiers = Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(canvas, QMouseEvent(kind, at, canvas.mapToGlobal(at), button, held, modifiers))


def middle(canvas: Canvas) -> tuple[float, float]:
    """The image pixel in the middle of the canvas."""
    return canvas.view.to_image(QPointF(canvas.width() / 2, canvas.height() / 2))


def on_map(canvas: Canvas, x: float, y: float) -> QPointF:
    """The point of the map that shows a pixel of the picture of 200 x 150."""
    found = place(canvas)
    assert found is not None
    return QPointF(found.left() + x / 200 * found.width(), found.top() + y / 150 * found.height())


def shown(canvas: Canvas) -> QImage:
    leave(canvas)
    return canvas.grab().toImage()


def test_it_is_there_above_200_percent_if_not_all_is_visible(app: App) -> None:
    canvas = app.window.canvas
    canvas.fit()
    assert place(canvas) is None
    zoom_to(canvas, 1.9)
    assert place(canvas) is None
    zoom_to(canvas, 6.0)
    found = place(canvas)
    assert found is not None and QRectF(canvas.rect()).contains(found)
    assert found.width() / found.height() == pytest.approx(200 / 150, abs=0.01)
    with_map = shown(canvas)
    app.window.action_by_id["minimap"].trigger()
    assert place(canvas) is None and shown(canvas) != with_map


def test_a_click_and_a_drag_in_it_pan_and_draw_nothing(app: App) -> None:
    canvas = app.window.canvas
    zoom_to(canvas, 12.0)
    press, move, release = QEvent.Type.MouseButtonPress, QEvent.Type.MouseMove, QEvent.Type.MouseButtonRelease
    send(canvas, press, on_map(canvas, 60, 70))
    assert middle(canvas) == pytest.approx((60, 70), abs=0.1)
    send(canvas, move, on_map(canvas, 120, 80))
    assert middle(canvas) == pytest.approx((120, 80), abs=0.1)
    send(canvas, move, on_map(canvas, 120, 80) - QPointF(400, 0))  # the drag goes on outside
    assert middle(canvas)[0] < 60
    at = on_map(canvas, 120, 80)
    send(canvas, release, at, held=NONE)
    view = canvas.view
    send(canvas, move, at + QPointF(5, 5), held=NONE)
    assert canvas.view == view and app.session.draft is None


def test_the_pointer_on_it_is_not_on_the_picture(qtbot: QtBot, app: App) -> None:
    canvas = app.window.canvas
    draw(qtbot, app, Box(2, 2, 198, 148))
    accept(qtbot, app)
    zoom_to(canvas, 12.0)
    send(canvas, QEvent.Type.MouseMove, QPointF(100, 100), held=NONE)
    assert app.window.status.where.text() != "" and canvas.cursor().shape() is not Qt.CursorShape.ArrowCursor
    send(canvas, QEvent.Type.MouseMove, on_map(canvas, 100, 80), held=NONE)
    assert app.window.status.where.text() == "" and canvas.cursor().shape() is Qt.CursorShape.ArrowCursor


def test_a_box_can_be_drawn_to_below_it(app: App) -> None:
    canvas = app.window.canvas
    zoom_to(canvas, 12.0)
    at = on_map(canvas, 100, 80)
    start = QPointF(canvas.width() / 2, canvas.height() / 2)
    send(canvas, QEvent.Type.MouseButtonPress, start)
    for point in (start + QPointF(30, 30), at):
        send(canvas, QEvent.Type.MouseMove, point)
    assert app.session.draft is not None and place(canvas) is None
    assert app.session.draft.drawn.x2 == pytest.approx(canvas.view.to_image(at)[0], abs=0.01)
    canvas.cancel_drag()
    send(canvas, QEvent.Type.MouseButtonRelease, at, held=NONE)
    assert place(canvas) is not None
