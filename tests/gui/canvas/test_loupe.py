"""The loupe: the pixels around the edge that a drag moves."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.canvas.handles import Grip
from boxrefine_gui.canvas.loupe import SIDE, edge_at, loupe_place
from boxrefine_gui.widgets import theme
from core.geometry import Box
from tests.gui.driving import accept, click, draw, move, press, release

BOX = Box(40, 60, 120, 130)
SCREEN = QSizeF(800, 600)


@pytest.mark.parametrize(
    ("grip", "expected"),
    [
        (Grip(-1, 0), (40, 100)),
        (Grip(1, 0), (120, 100)),
        (Grip(0, 1), (50, 130)),
        (Grip(-1, -1), (40, 60)),
        (Grip(1, 1), (120, 130)),
    ],
)
def test_it_shows_the_moved_edge_at_the_pointer(grip: Grip, expected: tuple[float, float]) -> None:
    assert edge_at(BOX, grip, (50, 100)) == expected


def test_a_pointer_beyond_the_end_of_an_edge_shows_its_end() -> None:
    assert edge_at(BOX, Grip(1, 0), (125, 200)) == (120, 130)


@pytest.mark.parametrize("grip", [Grip(-1, 0), Grip(1, 0), Grip(0, 1), Grip(1, -1)])
@pytest.mark.parametrize("x", [0, 100, 400, 799])
@pytest.mark.parametrize("y", [0, 100, 400, 599])
def test_it_is_on_the_canvas_and_not_under_the_pointer(grip: Grip, x: float, y: float) -> None:
    place = loupe_place(QPointF(x, y), grip, SCREEN)
    assert QRectF(QPointF(0, 0), SCREEN).contains(place)
    assert not place.adjusted(-20, -20, 20, 20).contains(QPointF(x, y))


def test_it_is_outside_the_box_where_there_is_room() -> None:
    assert loupe_place(QPointF(400, 300), Grip(-1, 0), SCREEN).right() < 400
    assert loupe_place(QPointF(400, 300), Grip(1, 0), SCREEN).left() > 400


def framed(app: App, at: tuple[float, float], grip: Grip) -> QImage:
    """What the canvas shows where the loupe is."""
    canvas = app.window.canvas
    point = QPointF(at[0] * canvas.view.scale + canvas.view.left, at[1] * canvas.view.scale + canvas.view.top)
    place = loupe_place(point, grip, QSizeF(canvas.size()))
    return canvas.grab(place.toRect()).toImage()


def line(image: QImage) -> list[int]:
    """The columns of the middle row that have the color of the moved edge in the loupe."""
    return [x for x in range(image.width()) if image.pixelColor(x, SIDE // 2) == theme.REFINED]


def test_a_dragged_edge_is_in_the_middle_of_it_and_a_release_ends_it(qtbot: QtBot, app: App) -> None:
    canvas, grip = app.window.canvas, Grip(1, 0)
    canvas.zoom(0.5)
    draw(qtbot, app, BOX)
    accept(qtbot, app)
    click(canvas, (80, 95))
    box = app.session.corrections[0].accepted
    edge, to = (box.x2, (box.y1 + box.y2) / 2), (box.x2 + 10, (box.y1 + box.y2) / 2)
    press(canvas, edge)
    assert canvas._scene.grip is None  # it has not moved yet
    move(canvas, to)
    assert [abs(x - SIDE / 2) <= 1 for x in line(framed(app, to, grip))] in ([True], [True, True])
    app.window.action_by_id["loupe"].trigger()
    assert line(framed(app, to, grip)) == []
    app.window.action_by_id["loupe"].trigger()
    release(canvas, to)
    assert canvas._scene.grip is None and line(framed(app, to, grip)) == []


def test_an_edge_that_arrow_keys_move_is_in_it_until_the_keys_rest(qtbot: QtBot, app: App) -> None:
    canvas = app.window.canvas
    canvas.zoom(0.5)
    draw(qtbot, app, BOX)
    accept(qtbot, app)
    click(canvas, (80, 95))
    qtbot.keyClick(canvas, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    nudged = canvas._scene.nudged
    assert nudged is not None and nudged.grip.across
    edge = nudged.box.x1 if nudged.grip.across < 0 else nudged.box.x2
    at = (edge, (nudged.box.y1 + nudged.box.y2) / 2)
    assert [abs(x - SIDE / 2) <= 1 for x in line(framed(app, at, nudged.grip))] in ([True], [True, True])
    canvas.tools.edit.run_pause.timeout.emit()
    assert canvas._scene.nudged is None and line(framed(app, at, nudged.grip)) == []
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    assert canvas._scene.nudged is None  # arrow keys alone move the whole box


def test_a_move_of_the_whole_box_and_large_pixels_need_none(qtbot: QtBot, app: App) -> None:
    canvas = app.window.canvas
    draw(qtbot, app, BOX)
    assert app.session.draft is not None
    box = app.session.draft.box
    press(canvas, ((box.x1 + box.x2) / 2 + 12, box.y1))  # the border between two handles moves it all
    move(canvas, (90, 70))
    assert canvas.tools.edit.is_moving and canvas._scene.grip is None
    release(canvas, (90, 70))
    box = app.session.draft.box
    canvas.zoom(9 / canvas.view.scale, QPointF(canvas.width() / 2, canvas.height() / 2))
    x, y = canvas.view.to_image(QPointF(canvas.width() / 2, canvas.height() / 2))
    canvas.tools.edit.press(Grip(1, 0), QPointF(canvas.width() / 2, canvas.height() / 2))
    move(canvas, (x + 2, y))
    assert canvas._scene.grip == Grip(1, 0) and line(framed(app, (x + 2, y), Grip(1, 0))) == []
    canvas.cancel_drag()
