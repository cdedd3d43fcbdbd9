"""Mouse buttons as keys of actions, and many keys and buttons at once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.canvas.hints import first_steps
from boxrefine_gui.dialogs.keys_dialog import KeysDialog
from boxrefine_gui.operations import box_verbs
from core.geometry import Box
from tests.gui.dialogs.test_keys import dialog, keys_of
from tests.gui.driving import close_to, drag, draw, move, press, release, settled, stored

__all__ = ["dialog"]
DRAWN = Box(20, 30, 120, 110)
NONE, LEFT, MIDDLE, RIGHT, BACK, FORWARD = (
    Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton, Qt.MouseButton.RightButton,
    Qt.MouseButton.BackButton, Qt.MouseButton.ForwardButton,
)  # fmt: skip
NAMES = {MIDDLE: "Mouse middle", RIGHT: "Mouse right", BACK: "Mouse back", FORWARD: "Mouse forward"}


def bind(app: App, **keys: str) -> None:
    chosen = {id: (key,) for id, key in keys.items()}
    box_verbs.choose_settings(app.parts, replace(app.session.settings, keys=chosen))


def click_with(
    app: App,
    button: Qt.MouseButton,
    *,
    held: Qt.MouseButton = NONE,
    by: int = 0,
    modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    """Click with a button in the middle of the picture while others are `held`; it moves `by` pixels meanwhile."""
    at = QPointF(200, 200)
    for kind, which, buttons in (
        (QEvent.Type.MouseButtonPress, button, button | held),
        (QEvent.Type.MouseMove, NONE, button | held),
        (QEvent.Type.MouseButtonRelease, button, held),
    ):
        point = at if kind == QEvent.Type.MouseButtonPress else at + QPointF(by, 0)
        event = QMouseEvent(kind, point, app.window.canvas.mapToGlobal(point), which, buttons, modifiers)
        QCoreApplication.sendEvent(app.window.canvas, event)


@pytest.mark.parametrize("button", NAMES, ids=NAMES.values())
def test_a_button_accepts_if_it_is_the_key_for_that(qtbot: QtBot, app: App, button: Qt.MouseButton) -> None:
    draw(qtbot, app, DRAWN)
    click_with(app, button)
    settled(qtbot, app)
    assert stored(app) == [] and app.session.draft is not None
    bind(app, accept=NAMES[button])
    click_with(app, button)
    settled(qtbot, app)
    (correction,) = stored(app)
    assert close_to(correction.drawn, DRAWN)


def test_the_middle_button_still_pans_where_it_is_a_key(qtbot: QtBot, app: App) -> None:
    bind(app, accept="Mouse middle")
    draw(qtbot, app, DRAWN)
    before = app.window.canvas.view
    click_with(app, MIDDLE, by=30)
    settled(qtbot, app)
    assert stored(app) == [] and app.window.canvas.view.left - before.left == pytest.approx(30)


def test_a_button_with_a_modifier_or_within_a_drag_is_no_key(qtbot: QtBot, app: App) -> None:
    bind(app, accept="Mouse back", next="Mouse right")
    draw(qtbot, app, DRAWN)
    click_with(app, BACK, modifiers=Qt.KeyboardModifier.ControlModifier)
    press(app.window.canvas, (130, 20))
    move(app.window.canvas, (190, 80))
    for button in (BACK, RIGHT):
        click_with(app, button, held=LEFT)
    move(app.window.canvas, (190, 80))
    release(app.window.canvas, (190, 80))
    settled(qtbot, app)
    assert app.session.row == 0 and app.session.draft is not None
    assert [close_to(entry.drawn, DRAWN) for entry in stored(app)] == [True]  # by the drag


def test_an_action_that_cannot_run_now_does_not(app: App) -> None:
    bind(app, previous="Mouse back")
    click_with(app, BACK)
    assert app.session.row == 0


def test_buttons_are_named_in_hints_and_no_shortcuts_of_qt(app: App) -> None:
    bind(app, accept="mouse  BACK")
    assert "Back button accepts it" in first_steps(app.session)
    assert keys_of(app, "accept") == []


def test_a_button_is_pressed_into_the_field_or_chosen(qtbot: QtBot, app: App, dialog: KeysDialog) -> None:
    dialog.choose("accept")
    line = dialog.edit.findChild(QLineEdit)
    qtbot.mouseClick(line, BACK)
    assert dialog.edit.key == "Mouse back" and dialog.sentence.text() == "Back button is free."
    qtbot.mouseClick(dialog.add_button, LEFT)
    assert app.session.settings.keys == {"accept": ("Space", "Return", "Enter", "Mouse back")}
    dialog.choose("export")
    forward = next(entry for entry in dialog.mouse_button.menu().actions() if entry.text() == "Forward button")
    forward.trigger()
    qtbot.mouseClick(dialog.assign_button, LEFT)
    assert app.session.settings.keys["export"] == ("Mouse forward",)
    qtbot.mouseClick(line, BACK)
    assert "is the key of “Accept the drawn box, or what is proposed”" in dialog.sentence.text()
    qtbot.keyClick(dialog.edit, Qt.Key.Key_F9)
    qtbot.waitUntil(lambda: dialog.edit.key == "F9")


# Many at once


def test_ten_keys_at_once_accept_one_box_and_lose_none(qtbot: QtBot, app: App) -> None:
    canvas = app.window.canvas
    keys = [getattr(Qt.Key, f"Key_{name}") for name in ("Space", "Return", "F", "E", "X", "K", "M", "Right", "Z", "L")]
    for count in (1, 2, 3):
        draw(qtbot, app, DRAWN)
        for key in keys:
            qtbot.keyPress(canvas, key)
        for key in keys:
            qtbot.keyRelease(canvas, key)
        settled(qtbot, app)
        assert len(stored(app)) == count and app.session.drawn_count == 0
        qtbot.keyClick(canvas, Qt.Key.Key_Escape)


def test_ten_keys_at_once_during_a_drag(qtbot: QtBot, app: App) -> None:
    canvas = app.window.canvas
    keys = [getattr(Qt.Key, f"Key_{name}") for name in ("B", "Space", "D", "A", "Return", "Escape", "Delete", "N", "R")]
    for way in ("drag", "two_clicks", "four_points"):
        app.window.action_by_id[f"draw_by_{way}"].trigger()
        before = len(stored(app))
        press(canvas, (20, 30))
        move(canvas, (120, 110))
        for key in (*keys, *reversed(keys)):
            qtbot.keyPress(canvas, key)
        move(canvas, (150, 140))
        release(canvas, (150, 140))
        for key in keys:
            qtbot.keyRelease(canvas, key)
        settled(qtbot, app)
        assert not canvas.tools.is_drawing and not canvas.tools.is_dragging
        assert app.session.draft is None or not app.session.draft.is_held
        assert len(stored(app)) <= before + 3  # the drag's, and B's before and after it
        qtbot.keyClick(canvas, Qt.Key.Key_Escape)
        app.window.action_by_id["draw_by_drag"].trigger()
        drag(canvas, [(30, 30), (90, 95)])
        assert app.session.draft is not None and close_to(app.session.draft.drawn, Box(30, 30, 90, 95))
        qtbot.keyClick(canvas, Qt.Key.Key_Escape)


def test_drags_over_the_border_of_the_picture_and_the_canvas(qtbot: QtBot, app: App) -> None:
    canvas = app.window.canvas
    drag(canvas, [(-500, -500), (-400, -300)])
    assert app.session.draft is None
    drag(canvas, [(150, 100), (5000, 5000)])
    assert app.session.draft is not None and close_to(app.session.draft.drawn, Box(150, 100, 200, 150))
