"""Handles leave a small box in view; the border moves a box, and its inside is free to draw in, if it has room."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.canvas.handles import (
    BORDER,
    HANDLE_SIZE,
    INSIDE,
    ROOM_TO_DRAW,
    Grip,
    grip_at,
    handle_points,
    shown_handles,
)
from core.geometry import Box
from tests.gui.driving import accept, click, close_to, drag, draw, leave, settled, stored
from tests.gui.fakes import inset

SMALL = Box(90, 60, 101, 71)
MIDDLE = (95, 65)


def square(side: float) -> QRectF:
    return QRectF(100, 100, side, side)


@pytest.mark.parametrize("side", [2, 5, 10, 15, 20])
def test_no_handle_lies_over_a_small_box(side: float) -> None:
    half = HANDLE_SIZE / 2
    for at in shown_handles(square(side)):
        painted = QRectF(at.x() - half, at.y() - half, HANDLE_SIZE, HANDLE_SIZE)
        assert not painted.intersects(square(side).adjusted(0.5, 0.5, -0.5, -0.5))


@pytest.mark.parametrize("side", [2, 5, 10, 15, 20, 28, 40, 400])
def test_handles_do_not_overlap_and_each_can_be_taken(side: float) -> None:
    shown, rect = shown_handles(square(side)), square(side)
    assert len(shown) >= 4
    for place, first in enumerate(shown):
        assert all(max(abs(first.x() - at.x()), abs(first.y() - at.y())) >= HANDLE_SIZE for at in shown[:place])
        grip = grip_at(rect, first)
        assert grip is not None and handle_points(rect)[grip] == first


@pytest.mark.parametrize("side", [1, 2, 5, 10, 15, 20, 24, 28, 40, 400])
def test_the_middle_draws_where_there_is_room_and_with_shift_it_moves(side: float) -> None:
    middle = square(side).center()
    for across in (-2, 0, 2):
        for down in (-2, 0, 2):
            at = middle + QPointF(across, down)
            assert grip_at(square(side), at) == (INSIDE if side < ROOM_TO_DRAW else None)
            assert grip_at(square(side), at, by_inside=True) == INSIDE


@pytest.mark.parametrize("off", [-BORDER + 1, 0, BORDER - 1])
def test_the_border_between_handles_moves(off: float) -> None:
    rect = square(200)
    for at in (QPointF(140, 100 + off), QPointF(300 + off, 240), QPointF(240, 300 + off), QPointF(100 + off, 160)):
        assert grip_at(rect, at) == INSIDE
    assert grip_at(rect, QPointF(140, 100 + BORDER + 1)) is None
    assert grip_at(rect, QPointF(140, 100 - BORDER - 1)) is None


@pytest.mark.parametrize(("side", "beside"), [(15, 13), (20, 13), (28, 8), (400, 8)])
def test_a_press_away_from_a_box_takes_hold_of_nothing(side: float, beside: float) -> None:
    assert grip_at(square(side), square(side).topLeft() - QPointF(beside, beside)) is None
    assert grip_at(square(side), square(side).topLeft() - QPointF(3, 3)) == Grip(-1, -1)


def test_a_narrow_box_has_room_on_its_long_sides() -> None:
    narrow = QRectF(100, 100, 8, 200)
    assert len(shown_handles(narrow)) == 6
    assert grip_at(narrow, narrow.center()) == INSIDE


def test_a_box_of_some_pixels_is_moved_by_its_middle_and_resized_from_outside(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, SMALL)
    accept(qtbot, app)
    canvas = app.window.canvas
    rect = canvas.view.to_screen(inset(SMALL))
    assert 10 < rect.width() < 20
    click(canvas, MIDDLE)
    drag(canvas, [MIDDLE, (97, 67), (105, 75)])
    settled(qtbot, app)
    assert close_to(stored(app)[0].accepted, Box(102, 72, 109, 79))
    out = 5 / canvas.view.scale
    drag(canvas, [(109 + out, 79 + out), (112, 82), (116 + out, 86 + out)])
    settled(qtbot, app)
    assert close_to(stored(app)[0].accepted, Box(102, 72, 116, 86))


def test_what_a_small_selected_box_holds_can_be_seen(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, SMALL)
    accept(qtbot, app)
    canvas = app.window.canvas

    def inside() -> list[QColor]:
        shown, rect = canvas.grab().toImage(), canvas.view.to_screen(inset(SMALL)).adjusted(4, 4, -4, -4)
        rows = range(round(rect.top()), round(rect.bottom()))
        return [shown.pixelColor(x, y) for x in range(round(rect.left()), round(rect.right())) for y in rows]

    at_rest = inside()
    click(canvas, MIDDLE)
    leave(canvas)  # the crosshair is at the pointer
    assert app.session.selected is not None
    assert len(at_rest) > 20 and inside() == at_rest
