"""Drawing by keys: B puts a box at the pointer, arrow keys move and size it, the refinement follows, Space accepts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QCursor
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.canvas.hints import words_beside
from boxrefine_gui.operations import box_verbs
from core.geometry import Box
from core.records import Drawing
from core.refiner.protocol import Refiner
from tests.gui.driving import accept, click, close_to, draw, settled, stored
from tests.gui.fakes import inset

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
B, RIGHT, DOWN, LEFT = Qt.Key.Key_B, Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Left


def drawn(app: App) -> Box:
    assert app.session.draft is not None
    return app.session.draft.drawn


def middle(box: Box) -> tuple[float, float]:
    return (box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2


def step(app: App) -> int:
    """Image pixels that one press of an arrow key moves a box."""
    return max(round(4 / app.window.canvas.view.scale), 1)


def refined(qtbot: QtBot, app: App) -> None:
    qtbot.waitUntil(lambda: app.session.draft is not None and app.session.draft.is_current)


@pytest.fixture
def elsewhere(app: App) -> App:
    """A window whose picture the pointer is not over."""
    QCursor.setPos(app.window.mapToGlobal(app.window.rect().topLeft()))
    return app


def test_a_box_by_keys_alone(qtbot: QtBot, elsewhere: App) -> None:
    app, canvas = elsewhere, elsewhere.window.canvas
    qtbot.keyClick(canvas, B)
    first, by = drawn(app), step(app)
    assert middle(first) == pytest.approx((100, 75)) and 30 <= first.width == first.height <= 45
    for key, modifiers in ((RIGHT, None), (DOWN, SHIFT), (RIGHT, CTRL), (DOWN, CTRL)):
        qtbot.keyClick(canvas, key, *([modifiers] if modifiers is not None else []))
    wanted = Box(first.x1 + by, first.y1 + 10 * by, first.x2 + 2 * by, first.y2 + 11 * by)
    assert close_to(drawn(app), wanted)
    refined(qtbot, app)
    accept(qtbot, app)
    (correction,) = stored(app)
    assert close_to(correction.drawn, wanted) and close_to(correction.accepted, inset(wanted))


def test_it_is_put_at_the_pointer(qtbot: QtBot, app: App) -> None:
    canvas = app.window.canvas
    at = canvas.mapToGlobal(canvas.view.to_screen(Box(60, 50, 60, 50)).topLeft().toPoint())
    QCursor.setPos(at)
    # Whether the window gets an event of entering depends on the windows of earlier tests.
    canvas.setAttribute(Qt.WidgetAttribute.WA_UnderMouse)
    qtbot.keyClick(canvas, B)
    assert middle(drawn(app)) == pytest.approx((60, 50), abs=1)


def test_it_has_the_size_of_the_newest_box_of_its_category(qtbot: QtBot, elsewhere: App) -> None:
    app = elsewhere
    draw(qtbot, app, Box(10, 10, 84, 44))
    accept(qtbot, app)
    qtbot.keyClick(app.window.canvas, B)
    assert (drawn(app).width, drawn(app).height) == pytest.approx((70, 30), abs=0.1)


def test_a_second_press_draws_no_second_box(qtbot: QtBot, elsewhere: App) -> None:
    app, canvas = elsewhere, elsewhere.window.canvas
    for _ in range(3):
        qtbot.keyClick(canvas, B)
        refined(qtbot, app)
    assert app.session.drawn_count == 1
    qtbot.keyClick(canvas, RIGHT)
    refined(qtbot, app)
    qtbot.keyClick(canvas, B)  # now the next box, which accepts the one before
    settled(qtbot, app)
    assert app.session.drawn_count == 1 and len(stored(app)) == 1


def test_it_stays_within_the_picture_and_never_turns_around(qtbot: QtBot, elsewhere: App) -> None:
    app, canvas = elsewhere, elsewhere.window.canvas
    qtbot.keyClick(canvas, B)
    width = drawn(app).width
    for _ in range(20):
        qtbot.keyClick(canvas, RIGHT, SHIFT)
    assert drawn(app).x2 == 200 and drawn(app).width == pytest.approx(width)
    for _ in range(20):
        qtbot.keyClick(canvas, LEFT, CTRL | SHIFT)
    assert drawn(app).width == pytest.approx(1)
    for _ in range(20):
        qtbot.keyClick(canvas, DOWN, CTRL | SHIFT)
    assert drawn(app).y2 == 150


def test_auto_accept_leaves_it_for_the_arrow_keys(qtbot: QtBot, elsewhere: App) -> None:
    app = elsewhere
    box_verbs.choose_settings(app.parts, replace(app.session.settings, auto_accept=True))
    qtbot.keyClick(app.window.canvas, B)
    settled(qtbot, app)
    assert app.session.draft is not None and stored(app) == []


def test_the_refiner_is_told_that_it_is_coarse(qtbot: QtBot, elsewhere: App) -> None:
    app, asked = elsewhere, []
    assert app.session.models is not None

    def for_drawing(refiner: Refiner, drawing: Drawing) -> Refiner:
        asked.append(drawing)
        return refiner

    app.session.set_models(replace(app.session.models, for_drawing=for_drawing))
    qtbot.keyClick(app.window.canvas, B)
    refined(qtbot, app)
    assert set(asked) == {Drawing.COARSE}


def test_a_chosen_edge_is_one_of_the_refinement(qtbot: QtBot, elsewhere: App) -> None:
    app, canvas = elsewhere, elsewhere.window.canvas
    qtbot.keyClick(canvas, B)
    refined(qtbot, app)
    before = drawn(app)
    qtbot.keyClick(canvas, Qt.Key.Key_E)
    qtbot.keyClick(canvas, RIGHT, CTRL)
    assert app.session.draft is not None and app.session.draft.nudged is not None
    assert drawn(app) == before
    qtbot.keyClick(canvas, RIGHT)  # from here on the arrow keys edit the refinement, as in a dragged box
    assert drawn(app) == before
    qtbot.keyClick(canvas, B)  # the next box has no chosen edge
    first = drawn(app)
    qtbot.keyClick(canvas, RIGHT)
    assert drawn(app).x1 == first.x1 + step(app)


def test_the_hint_names_the_arrow_keys(qtbot: QtBot, elsewhere: App) -> None:
    app = elsewhere
    qtbot.keyClick(app.window.canvas, B)
    refined(qtbot, app)
    assert app.session.draft is not None
    assert "arrow keys: move, with Ctrl: size" in words_beside(app.session.draft, app.session, is_dragging=False)


def test_it_survives_a_key_that_is_held_while_the_user_leaves(qtbot: QtBot, elsewhere: App) -> None:
    app, canvas = elsewhere, elsewhere.window.canvas
    qtbot.keyClick(canvas, B)
    qtbot.keyPress(canvas, RIGHT)
    app.window.categories.new_name.setFocus()
    assert app.session.draft is not None and not app.session.draft.is_held
    canvas.setFocus()
    qtbot.keyPress(canvas, RIGHT)
    click(canvas, (10, 10))
    assert app.session.draft is not None and not app.session.draft.is_held


def test_without_a_picture_the_key_does_nothing(qtbot: QtBot, closed_app: App) -> None:
    qtbot.keyClick(closed_app.window.canvas, B)
    closed_app.window.canvas.draw_at_pointer()
    assert closed_app.session.draft is None
