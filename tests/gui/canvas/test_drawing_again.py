"""Alt and a drag over a box that is there: the box gets the edges of the drag."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from core.geometry import Box
from core.records import Correction, ImportedBox
from tests.gui.driving import accept, click, close_to, drag, draw, move, press, release, settled, stored
from tests.gui.fakes import inset

DRAWN = Box(20, 30, 120, 110)
AGAIN = Box(14, 22, 128, 119)
ALT = Qt.KeyboardModifier.AltModifier


def draw_again(app: App, box: Box = AGAIN, modifiers: Qt.KeyboardModifier = ALT) -> None:
    middle = ((box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2)
    drag(app.window.canvas, [(box.x1, box.y1), middle, (box.x2, box.y2)], modifiers)


def test_the_drawn_box_gets_all_edges_of_the_drag_and_keeps_how_it_was_drawn(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, DRAWN)
    draw_again(app)
    assert app.session.draft is not None and close_to(app.session.draft.box, AGAIN)
    accept(qtbot, app)
    (correction,) = stored(app)
    assert close_to(correction.accepted, AGAIN)
    assert close_to(correction.drawn, DRAWN)
    assert correction.refined is not None and close_to(correction.refined, inset(DRAWN))


def test_a_drag_that_begins_on_a_handle_draws_again(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, DRAWN)
    shown = inset(DRAWN)
    draw_again(app, Box(shown.x1, shown.y1, 140, 130))
    assert app.session.draft is not None
    assert close_to(app.session.draft.box, Box(shown.x1, shown.y1, 140, 130))
    assert close_to(app.session.draft.drawn, DRAWN)


def test_without_alt_or_elsewhere_it_is_another_box(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, DRAWN)
    draw_again(app, Box(130, 20, 190, 100))
    settled(qtbot, app)
    assert [close_to(entry.accepted, inset(DRAWN)) for entry in stored(app)] == [True]
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_Escape)
    draw(qtbot, app, DRAWN)
    draw_again(app, AGAIN, Qt.KeyboardModifier.NoModifier)
    accept(qtbot, app)
    assert len(stored(app)) == 3


def test_the_selected_box_gets_the_edges_and_stays_selected(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, DRAWN)
    accept(qtbot, app)
    click(app.window.canvas, (60, 60))
    draw_again(app)
    settled(qtbot, app)
    (correction,) = stored(app)
    assert close_to(correction.accepted, AGAIN) and close_to(correction.drawn, DRAWN)
    assert app.session.selected_id == correction.id and app.session.draft is None


def test_an_accepted_box_that_is_not_selected_stays_as_it_is(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, DRAWN)
    accept(qtbot, app)
    draw_again(app)
    accept(qtbot, app)
    first, second = stored(app)
    assert close_to(first.accepted, inset(DRAWN)) and close_to(second.accepted, AGAIN)


@pytest.mark.parametrize("is_drawing", [False, True])
def test_a_box_to_check_is_accepted_with_the_edges(qtbot: QtBot, app: App, is_drawing: bool) -> None:
    image = app.session.image
    assert image is not None
    box = ImportedBox("cup", Correction(image.id, 0, DRAWN, DRAWN, confirmed=False))
    app.parts.store.write(lambda project: project.paste([box])[1], on_done=app.session.apply)
    qtbot.waitUntil(lambda: len(app.session.corrections) == 1)
    if is_drawing:
        draw(qtbot, app, Box(130, 20, 190, 100))
    draw_again(app)
    settled(qtbot, app)
    found = stored(app)
    assert close_to(found[0].accepted, AGAIN) and found[0].confirmed
    assert app.session.draft is None
    assert len(found) == 1 + is_drawing


def test_escape_in_the_drag_leaves_the_box_as_it_was(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, DRAWN)
    press(app.window.canvas, (14, 22), ALT)
    move(app.window.canvas, (128, 119), ALT)
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_Escape)
    release(app.window.canvas, (128, 119), ALT)
    assert app.session.draft is not None and close_to(app.session.draft.box, inset(DRAWN))
