"""Aids to see exactly: the crosshair, coordinates and sizes, single pixels and their grid."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from PySide6.QtCore import QPointF, QRect, QSize, QSizeF
from PySide6.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.canvas.backdrop import paint_picture, paint_pixel_grid
from boxrefine_gui.canvas.canvas import Canvas
from boxrefine_gui.canvas.crosshair import crosshair_region
from boxrefine_gui.canvas.view import View
from boxrefine_gui.state.session_state import CanvasPicture
from core.geometry import Box
from tests.gui.driving import draw, hover, leave, move, press, release

AT = (60.5, 40.5)


def shown(canvas: Canvas) -> QImage:
    return canvas.grab().toImage()


def screen(canvas: Canvas, at: tuple[float, float]) -> QPointF:
    return QPointF(at[0] * canvas.view.scale + canvas.view.left, at[1] * canvas.view.scale + canvas.view.top)


def differs(first: QImage, second: QImage) -> set[tuple[int, int]]:
    """The pixels in which two pictures differ, of every third row and column."""
    spots = ((x, y) for x in range(0, first.width(), 3) for y in range(0, first.height(), 3))
    return {(x, y) for x, y in spots if first.pixel(x, y) != second.pixel(x, y)}


# The crosshair


def test_the_crosshair_goes_through_the_pointer_across_the_canvas_and_leaves_with_it(app: App) -> None:
    canvas = app.window.canvas
    bare = shown(canvas)
    hover(canvas, AT)
    found, point = differs(bare, shown(canvas)), screen(canvas, AT)
    columns, rows = Counter(x for x, _ in found), Counter(y for _, y in found)
    assert max(columns.values()) > canvas.height() / 3 - 5 and max(rows.values()) > canvas.width() / 3 - 5
    assert abs(columns.most_common(1)[0][0] - point.x()) <= 2 and abs(rows.most_common(1)[0][0] - point.y()) <= 2
    leave(canvas)
    assert shown(canvas) == bare


def test_the_menu_switches_the_crosshair_off(app: App) -> None:
    canvas = app.window.canvas
    bare = shown(canvas)
    app.window.action_by_id["crosshair"].trigger()
    hover(canvas, AT)
    assert not app.session.settings.crosshair and shown(canvas) == bare


def test_only_the_lines_are_painted_again_when_the_pointer_moves() -> None:
    region = crosshair_region(QPointF(100, 50), QSizeF(1440, 1000))
    assert region.contains(QRect(0, 49, 1440, 3)) and region.contains(QRect(99, 0, 3, 1000))
    assert sum(part.width() * part.height() for part in region) < 1440 * 1000 / 50
    assert crosshair_region(None, QSizeF(10, 10)).isEmpty()


# Coordinates and sizes


def test_the_status_bar_has_the_pixel_under_the_pointer(app: App) -> None:
    canvas, label = app.window.canvas, app.window.status.where
    hover(canvas, (60.9, 40.1))
    assert label.text() == "60, 40"
    hover(canvas, (199.9, 149.9))
    assert label.text() == "199, 149"
    hover(canvas, (-1, 20))
    assert label.text() == ""
    hover(canvas, AT)
    leave(canvas)
    assert label.text() == ""


def test_it_follows_when_the_picture_moves_under_the_pointer(app: App) -> None:
    canvas, label = app.window.canvas, app.window.status.where
    hover(canvas, AT)
    canvas.zoom(4.0, screen(canvas, AT) + QPointF(60, 0))
    x, y = canvas.view.to_image(canvas._pointer or QPointF())
    assert label.text() == f"{int(x)}, {int(y)}" != "60, 40"


def test_a_drag_shows_the_size_of_the_box(app: App) -> None:
    canvas, label = app.window.canvas, app.window.status.where
    press(canvas, (20.5, 30.5))
    move(canvas, (100.5, 90.5))
    assert label.text() == "100, 90   80 × 60"
    with_size = shown(canvas)
    point = screen(canvas, (100.5, 90.5))
    plate = QColor(with_size.pixel(round(point.x()) + 20, round(point.y()) + 21))
    assert plate.lightness() < 60
    release(canvas, (100.5, 90.5))
    assert label.text() == "100, 90"


def test_a_moved_edge_shows_the_size_of_the_box(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, Box(20, 30, 120, 110))
    canvas, box = app.window.canvas, app.session.draft.box if app.session.draft else Box(0, 0, 0, 0)
    edge = (box.x2, (box.y1 + box.y2) / 2)
    press(canvas, edge)
    move(canvas, (edge[0] + 10, edge[1]))
    assert app.window.status.where.text().endswith(f"{round(box.width + 10)} × {round(box.height)}")
    release(canvas, (edge[0] + 10, edge[1]))


# Pixels


def checkered() -> CanvasPicture:
    """A picture of black and white pixels in turn."""
    image = QImage(8, 8, QImage.Format.Format_RGB32)
    for x in range(8):
        for y in range(8):
            image.setPixelColor(x, y, QColor("white" if (x + y) % 2 else "black"))
    return CanvasPicture(1, (image,))


def painted(scale: float, *, grid: bool) -> QImage:
    side = round(8 * scale)
    image = QImage(side, side, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    size, view = QSize(side, side), View(scale)
    paint_picture(painter, checkered(), view, size, QColor("gray"))
    if grid:
        paint_pixel_grid(painter, checkered(), view, size)
    painter.end()
    return image


def grays(image: QImage) -> set[int]:
    return {image.pixelColor(x, y).red() for x in range(image.width()) for y in range(image.height())}


@pytest.mark.parametrize(("scale", "is_smooth"), [(2.0, True), (3.5, True), (4.0, False), (9.0, False)])
def test_pixels_are_not_smoothed_from_400_percent_on(scale: float, is_smooth: bool) -> None:
    assert (grays(painted(scale, grid=False)) != {0, 255}) is is_smooth


@pytest.mark.parametrize(("scale", "has_grid"), [(12.0, False), (16.0, True), (40.0, True)])
def test_a_grid_separates_pixels_from_1600_percent_on(scale: float, has_grid: bool) -> None:
    bare, with_grid = painted(scale, grid=False), painted(scale, grid=True)
    assert (bare != with_grid) is has_grid
    if has_grid:
        changed = {
            x for x in range(bare.width()) if bare.pixel(x, int(scale / 2)) != with_grid.pixel(x, int(scale / 2))
        }
        assert all(any(abs(x - edge * scale) <= 1 for edge in range(9)) for x in changed)
        assert {round(x / scale) for x in changed} >= set(range(1, 8))


def test_the_grid_is_on_the_canvas(app: App) -> None:
    canvas = app.window.canvas
    canvas.zoom(20 / canvas.devicePixelRatioF() / canvas.view.scale)
    colors = Counter(shown(canvas).pixel(x, canvas.height() // 2) for x in range(canvas.width()))
    canvas.zoom(0.5)
    without = Counter(shown(canvas).pixel(x, canvas.height() // 2) for x in range(canvas.width()))
    assert len(colors) > len(without)


def test_settings_name_the_crosshair(app: App) -> None:
    app.session.set_settings(replace(app.session.settings, crosshair=False))
    assert not app.window.action_by_id["crosshair"].isChecked()
