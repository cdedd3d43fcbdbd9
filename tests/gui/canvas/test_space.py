"""Space: it accepts at once, or pans where a setting says so; a held key accepts once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.operations import box_verbs
from core.geometry import Box
from tests.gui.driving import close_to, drag, draw, move, press, release, settled, stored
from tests.gui.fakes import inset

DRAWN = Box(20, 30, 120, 110)
SPACE, RETURN = Qt.Key.Key_Space, Qt.Key.Key_Return
PLAIN = Qt.KeyboardModifier.NoModifier
LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton


def repeat(app: App, key: Qt.Key, times: int = 5) -> None:
    """What a key sends while it is held down, after its first press."""
    for _ in range(times):
        for kind in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress):
            event = QKeyEvent(kind, key, PLAIN, " " if key == SPACE else "\r", autorep=True)
            QApplication.sendEvent(app.window.canvas, event)


def let_space_pan(app: App) -> None:
    app.window.action_by_id["space_pans"].trigger()
    assert app.session.settings.space_pans


@pytest.mark.parametrize("key", [SPACE, RETURN, Qt.Key.Key_Enter])
def test_it_accepts_as_return_does(qtbot: QtBot, app: App, key: Qt.Key) -> None:
    draw(qtbot, app, DRAWN)
    qtbot.keyClick(app.window.canvas, key)
    settled(qtbot, app)
    (correction,) = stored(app)
    assert close_to(correction.accepted, inset(DRAWN))


def test_it_accepts_at_the_press(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, DRAWN)
    qtbot.keyPress(app.window.canvas, SPACE)
    settled(qtbot, app)
    assert len(stored(app)) == 1
    qtbot.keyRelease(app.window.canvas, SPACE)


def test_no_action_that_accepts_repeats_while_its_key_is_held(app: App) -> None:
    for id in ("accept", "keep", "accept_all", "discard", "delete", "done_next", "draw_here"):
        assert not app.window.action_by_id[id].autoRepeat(), id
    assert app.window.action_by_id["next"].autoRepeat()


def test_a_drag_with_space_down_draws(qtbot: QtBot, app: App) -> None:
    before = app.window.canvas.view
    qtbot.keyPress(app.window.canvas, SPACE)
    drag(app.window.canvas, [(50, 50), (90, 95)])
    qtbot.keyRelease(app.window.canvas, SPACE)
    assert app.session.draft is not None and app.window.canvas.view == before


def test_during_a_drag_it_accepts_the_box_as_it_is(qtbot: QtBot, app: App) -> None:
    canvas = app.window.canvas
    draw(qtbot, app, Box(130, 20, 190, 80))
    press(canvas, (20, 30))
    move(canvas, (120, 110))
    qtbot.keyClick(canvas, SPACE)
    move(canvas, (150, 140))
    release(canvas, (150, 140))
    settled(qtbot, app)
    first, second = stored(app)  # the drag has accepted the box before it, too
    assert close_to(first.drawn, Box(130, 20, 190, 80)) and close_to(second.drawn, DRAWN)
    assert app.session.draft is None and app.session.selected_id is None


def test_during_a_drag_that_is_too_short_it_does_nothing(qtbot: QtBot, app: App) -> None:
    canvas = app.window.canvas
    press(canvas, (20, 30))
    qtbot.keyClick(canvas, SPACE)
    move(canvas, (120, 110))
    qtbot.waitUntil(lambda: app.session.draft is not None and app.session.draft.is_current)
    move(canvas, (21, 31))
    qtbot.keyClick(canvas, SPACE)
    move(canvas, (120, 110))
    release(canvas, (120, 110))
    settled(qtbot, app)
    assert stored(app) == [] and app.session.draft is not None and close_to(app.session.draft.drawn, DRAWN)


# Where it pans


def test_it_pans_where_a_setting_says_so(qtbot: QtBot, app: App) -> None:
    let_space_pan(app)
    canvas = app.window.canvas
    canvas.show_pixels()
    draw(qtbot, app, DRAWN)
    before = canvas.view
    qtbot.keyPress(canvas, SPACE)
    drag(canvas, [(50, 50), (60, 55)])
    qtbot.keyRelease(canvas, SPACE)
    settled(qtbot, app)
    assert canvas.view.left - before.left == pytest.approx(10 * before.scale)
    assert stored(app) == [] and app.session.draft is not None


def test_there_a_tap_accepts_once_it_goes_up(qtbot: QtBot, app: App) -> None:
    let_space_pan(app)
    canvas = app.window.canvas
    draw(qtbot, app, DRAWN)
    qtbot.keyPress(canvas, SPACE)
    repeat(app, SPACE)
    settled(qtbot, app)
    assert stored(app) == []
    qtbot.keyRelease(canvas, SPACE)
    qtbot.waitUntil(lambda: app.session.draft is None)
    settled(qtbot, app)
    assert len(stored(app)) == 1
    qtbot.keyClick(canvas, RETURN)  # which accepts at once there, too
    settled(qtbot, app)
    assert len(stored(app)) == 1


def test_there_it_accepts_nothing_if_another_window_gets_its_release(qtbot: QtBot, app: App) -> None:
    let_space_pan(app)
    draw(qtbot, app, DRAWN)
    qtbot.keyPress(app.window.canvas, SPACE)
    app.window.categories.new_name.setFocus()
    app.window.canvas.setFocus()
    qtbot.keyRelease(app.window.canvas, SPACE)
    settled(qtbot, app)
    assert stored(app) == []


def test_there_it_runs_whatever_it_is_the_key_of(qtbot: QtBot, app: App) -> None:
    box_verbs.choose_settings(app.parts, replace(app.session.settings, keys={"accept": ("Y",), "snapping": ("Space",)}))
    let_space_pan(app)
    qtbot.keyClick(app.window.canvas, SPACE)
    qtbot.waitUntil(lambda: not app.session.snapping)


# The middle button


def button(app: App, kind: QEvent.Type, which: Qt.MouseButton, held: Qt.MouseButton, at: tuple[int, int]) -> None:
    point = QPointF(*at)
    event = QMouseEvent(kind, point, app.window.canvas.mapToGlobal(point), which, held, PLAIN)
    QCoreApplication.sendEvent(app.window.canvas, event)


def test_the_middle_button_pans(app: App) -> None:
    canvas = app.window.canvas
    canvas.show_pixels()
    before, none = canvas.view, Qt.MouseButton.NoButton
    button(app, QEvent.Type.MouseButtonPress, MIDDLE, MIDDLE, (100, 100))
    button(app, QEvent.Type.MouseMove, none, MIDDLE, (130, 110))
    button(app, QEvent.Type.MouseButtonRelease, MIDDLE, none, (130, 110))
    assert (canvas.view.left - before.left, canvas.view.top - before.top) == pytest.approx((30, 10))


def test_a_drag_survives_a_pan_by_the_other_button(qtbot: QtBot, app: App) -> None:
    canvas = app.window.canvas
    press(canvas, (20, 30))
    move(canvas, (120, 110))
    button(app, QEvent.Type.MouseButtonPress, MIDDLE, LEFT | MIDDLE, (100, 100))
    button(app, QEvent.Type.MouseButtonRelease, LEFT, MIDDLE, (100, 100))
    button(app, QEvent.Type.MouseButtonRelease, MIDDLE, Qt.MouseButton.NoButton, (100, 100))
    assert app.session.draft is not None and not app.session.draft.is_held
    assert not app.window.canvas.tools.is_dragging


# A key that is held down


def x11_repeat(app: App, key: Qt.Key, *, at: int) -> None:
    """What X11 sends of a held key: a release and a press of one time, which Qt may take for a new one."""
    for kind in (QEvent.Type.KeyRelease, QEvent.Type.ShortcutOverride):
        event = QKeyEvent(kind, key, PLAIN, " ")
        event.setTimestamp(at)
        QApplication.sendEvent(app.window.canvas, event)


def test_a_repeat_that_qt_takes_for_a_new_press_accepts_nothing(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, DRAWN)
    x11_repeat(app, SPACE, at=1000)
    app.window.action_by_id["accept"].trigger()  # as Qt's shortcut does
    app.window.action_by_id["snapping"].trigger()  # which may repeat
    assert app.session.draft is not None and not app.session.snapping
    qtbot.keyRelease(app.window.canvas, SPACE)
    app.window.action_by_id["accept"].trigger()  # by the menu
    settled(qtbot, app)
    assert len(stored(app)) == 1


def test_such_repeats_are_one_tap_of_a_space_that_pans(qtbot: QtBot, app: App) -> None:
    let_space_pan(app)
    canvas, heard = app.window.canvas, []
    canvas.key_pressed.connect(heard.append)
    for pans in (True, False):
        qtbot.keyPress(canvas, SPACE)
        if pans:
            drag(canvas, [(50, 50), (60, 55)])
        for at in (1000, 1030):
            x11_repeat(app, SPACE, at=at)
            QApplication.sendEvent(canvas, QKeyEvent(QEvent.Type.KeyPress, SPACE, PLAIN, " "))
        assert heard == [""]  # the left button, which panned
        qtbot.keyRelease(canvas, SPACE)
    qtbot.waitUntil(lambda: heard == ["", "Space"])
