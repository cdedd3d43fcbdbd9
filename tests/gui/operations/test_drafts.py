"""Drawn boxes that nobody has accepted: none is lost, each is seen and counted, and going on accepts or leaves them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.dialogs.export_dialog import ExportDialog
from boxrefine_gui.dialogs.question import Question
from boxrefine_gui.operations import box_verbs
from boxrefine_gui.panels.image_row import ROW, Row
from core.errors import StorageError
from core.geometry import Box
from core.records import DrawnBox
from core.store.project_store import ProjectStore
from tests.gui.driving import accept, click, close_to, drag, draw, move, press, ready, release, settled, stored
from tests.gui.fakes import FakeModels, inset

FIRST, SECOND, THIRD = Box(20, 30, 100, 110), Box(120, 20, 180, 90), Box(110, 100, 190, 140)
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def leaving(app: App) -> App:
    """A window that leaves drawn boxes where the hand goes on."""
    box_verbs.choose_settings(app.parts, replace(app.session.settings, accept_when_going_on=False))
    return app


def kept(qtbot: QtBot, app: App, image_id: int = 1) -> list[DrawnBox]:
    """What the project's file has, once all that was asked for is written."""
    app.keeper.keep()
    settled(qtbot, app)
    assert app.session.project_path is not None
    project = ProjectStore.open(app.session.project_path)
    try:
        return project.drawn_boxes(image_id)
    finally:
        project.close()


def row(app: App, number: int = 0) -> Row:
    found = app.window.images.model().index(number, 0).data(ROW)
    assert isinstance(found, Row)
    return found


def key(qtbot: QtBot, app: App, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    qtbot.keyClick(app.window.canvas, key, modifiers)
    settled(qtbot, app)


# Kept in the file


def test_a_drag_writes_when_the_mouse_is_released_and_not_before(qtbot: QtBot, app: App) -> None:
    canvas = app.window.canvas
    press(canvas, (20, 30))
    for corner in ((60, 60), (100, 110)):
        move(canvas, corner)
        qtbot.waitUntil(lambda: app.session.draft is not None and app.session.draft.is_current)
    assert kept(qtbot, app) == [] and app.session.drawn_count == 0
    release(canvas, (100, 110))
    settled(qtbot, app)
    assert app.session.drawn_count == 1
    (box,) = kept(qtbot, app)
    assert close_to(box.correction.drawn, FIRST) and close_to(box.correction.accepted, inset(FIRST))


def test_what_becomes_of_a_drawn_box_is_kept_too(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, FIRST)
    key(qtbot, app, Qt.Key.Key_Right, SHIFT)
    (box,) = kept(qtbot, app)
    assert close_to(box.correction.accepted, Box(32, 32, 108, 108))
    assert box.correction.refined is not None and close_to(box.correction.refined, inset(FIRST))


def test_accepting_and_discarding_leave_nothing_drawn(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, FIRST)
    accept(qtbot, app)
    assert kept(qtbot, app) == [] and len(stored(app)) == 1
    draw(qtbot, app, SECOND)
    key(qtbot, app, Qt.Key.Key_Escape)
    assert kept(qtbot, app) == [] and len(stored(app)) == 1
    assert row(app).badge == 1 and row(app).left == 0


def test_a_box_that_waits_for_its_refinement_is_kept_meanwhile(
    qtbot: QtBot, closed_app: App, models: FakeModels, pictures: Path
) -> None:
    models.encoder.gate.clear()
    closed_app.open(pictures)
    qtbot.waitUntil(lambda: closed_app.session.picture is not None and closed_app.session.models is not None)
    closed_app.window.action_by_id["auto_accept"].trigger()
    drag(closed_app.window.canvas, [(20, 30), (70, 70), (100, 110)])
    qtbot.waitUntil(lambda: closed_app.store.is_idle)
    assert len(closed_app.session.waiting) == 1
    assert closed_app.session.project_path is not None
    project = ProjectStore.open(closed_app.session.project_path)
    assert len(project.drawn_boxes(1)) == 1
    project.close()
    models.encoder.gate.set()
    assert kept(qtbot, closed_app) == []
    assert close_to(stored(closed_app)[0].accepted, inset(FIRST))


def test_a_box_that_cannot_be_kept_is_told_and_stays_in_hand(
    qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StorageError("The project could not be saved because the disk is full: make room and try again.")

    with monkeypatch.context() as patched:
        patched.setattr(ProjectStore, "keep_drawn", full)
        draw(qtbot, app, FIRST)
        app.keeper.keep()
        settled(qtbot, app)
    assert "disk is full" in app.window.notices.sentence.text()
    key(qtbot, app, Qt.Key.Key_D)
    key(qtbot, app, Qt.Key.Key_A)
    assert len(stored(app)) == 1


def test_a_restored_box_has_its_refinement_category_and_hand_made_edges(
    qtbot: QtBot, app: App, models: FakeModels, pictures: Path
) -> None:
    for name in ("cup", "saucer"):
        box_verbs.add_category(app.parts, name)
        settled(qtbot, app)
    draw(qtbot, app, FIRST)
    key(qtbot, app, Qt.Key.Key_Right)
    app.keeper.keep()
    settled(qtbot, app)
    project = app.session.project_path
    assert project is not None
    app.open(pictures.parent / "pictures")
    qtbot.waitUntil(lambda: app.session.draft is not None)
    ready(qtbot, app)
    assert app.session.category_id == 1
    draft = app.session.draft
    assert draft is not None and close_to(draft.drawn, FIRST) and close_to(draft.box, Box(23, 32, 99, 108))
    assert draft.refinement is not None and close_to(draft.refinement.box, inset(FIRST))
    accept(qtbot, app)
    (correction,) = stored(app)
    assert close_to(correction.accepted, Box(23, 32, 99, 108))
    assert (correction.category_id, correction.refiner) == (2, "fake-refiner-0001")


# Going on


def test_a_second_drag_accepts_the_first_with_an_undo_step_of_its_own(qtbot: QtBot, app: App) -> None:
    for box in (FIRST, SECOND, THIRD):
        draw(qtbot, app, box)
    settled(qtbot, app)
    assert [close_to(entry.drawn, box) for entry, box in zip(stored(app), (FIRST, SECOND), strict=True)] == [True] * 2
    assert app.session.draft is not None and close_to(app.session.draft.drawn, THIRD)
    for left in (2, 1, 0):
        key(qtbot, app, Qt.Key.Key_Z, CTRL)
        assert (app.session.draft, len(stored(app))) == (None, left)


def test_a_step_to_the_next_picture_accepts(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, FIRST)
    key(qtbot, app, Qt.Key.Key_D)
    (correction,) = stored(app)
    assert close_to(correction.accepted, inset(FIRST)) and correction.image_id == 1
    assert app.session.drawn_count == 0


def test_a_box_whose_refinement_nobody_has_seen_is_left_and_not_accepted(
    qtbot: QtBot, closed_app: App, models: FakeModels, pictures: Path
) -> None:
    models.encoder.gate.clear()
    closed_app.open(pictures)
    session = closed_app.session
    qtbot.waitUntil(lambda: session.picture is not None and session.models is not None)
    for start in ((20, 30), (120, 20)):
        drag(closed_app.window.canvas, [start, (start[0] + 30, start[1] + 30), (start[0] + 60, start[1] + 60)])
    qtbot.keyClick(closed_app.window.canvas, Qt.Key.Key_D)
    qtbot.waitUntil(lambda: session.row == 1 and closed_app.store.is_idle)
    assert stored(closed_app) == [] and session.drawn_on(1) == 2
    models.encoder.gate.set()
    ready(qtbot, closed_app)


def test_with_the_setting_both_ways_of_going_on_leave_the_box(qtbot: QtBot, leaving: App) -> None:
    for box in (FIRST, SECOND):
        draw(qtbot, leaving, box)
    key(qtbot, leaving, Qt.Key.Key_D)
    assert stored(leaving) == [] and len(kept(qtbot, leaving)) == 2
    assert (row(leaving).left, row(leaving).badge) == (2, 2)
    assert "2 drawn boxes not accepted" in str(
        leaving.window.images.model().index(0, 0).data(Qt.ItemDataRole.ToolTipRole)
    )
    key(qtbot, leaving, Qt.Key.Key_A)
    assert "2 not accepted" in leaving.window.status.position.text()
    for left in (1, 0):
        accept(qtbot, leaving)
        assert leaving.session.drawn_count == left
    assert {close_to(entry.drawn, FIRST) for entry in stored(leaving)} == {True, False}


def test_a_box_that_waited_wants_a_yes_of_its_own(qtbot: QtBot, leaving: App) -> None:
    draw(qtbot, leaving, FIRST)
    key(qtbot, leaving, Qt.Key.Key_D)
    leaving.window.action_by_id["accept_going_on"].trigger()
    key(qtbot, leaving, Qt.Key.Key_A)
    assert leaving.session.draft is not None
    draw(qtbot, leaving, SECOND)
    key(qtbot, leaving, Qt.Key.Key_D)
    assert [close_to(entry.drawn, SECOND) for entry in stored(leaving)] == [True]
    assert leaving.session.drawn_count == 1


def test_a_click_takes_a_waiting_box_in_hand_and_a_stored_one_can_be_selected(qtbot: QtBot, leaving: App) -> None:
    session, canvas = leaving.session, leaving.window.canvas
    draw(qtbot, leaving, THIRD)
    accept(qtbot, leaving)
    for box in (FIRST, SECOND):
        draw(qtbot, leaving, box)
    click(canvas, (60, 70))
    assert session.draft is not None and close_to(session.draft.drawn, FIRST)
    click(canvas, (150, 120))
    assert session.draft is None and session.selected is not None
    key(qtbot, leaving, Qt.Key.Key_Delete)
    assert stored(leaving) == [] and session.drawn_count == 2


def test_a_drag_that_is_given_up_takes_no_box_away(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, FIRST)
    canvas = app.window.canvas
    press(canvas, (120, 20))
    move(canvas, (160, 60))
    assert app.session.draft is not None and close_to(app.session.draft.drawn, Box(120, 20, 160, 60))
    qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    release(canvas, (160, 60))
    settled(qtbot, app)
    assert app.session.draft is not None and close_to(app.session.draft.drawn, FIRST)
    assert stored(app) == [] and len(kept(qtbot, app)) == 1


def test_a_slip_beside_a_drawn_box_leaves_it_in_hand(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, FIRST)
    canvas = app.window.canvas
    drag(canvas, [(150, 60), (170, 80), (150 + 4 / canvas.view.scale, 60 + 4 / canvas.view.scale)])
    settled(qtbot, app)
    assert app.session.draft is not None and close_to(app.session.draft.drawn, FIRST)
    assert stored(app) == []


def test_a_box_that_waited_lets_a_stored_one_be_selected(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, THIRD)
    accept(qtbot, app)
    draw(qtbot, app, FIRST)
    app.session.leave_draft()
    key(qtbot, app, Qt.Key.Key_Return)
    assert app.session.draft is not None and app.session.draft.was_left
    click(app.window.canvas, (150, 120))
    assert app.session.draft is None and app.session.selected is not None
    assert app.session.drawn_count == 1


def test_return_with_nothing_in_hand_brings_a_waiting_box_there_first(qtbot: QtBot, leaving: App) -> None:
    session, canvas = leaving.session, leaving.window.canvas
    draw(qtbot, leaving, THIRD)
    accept(qtbot, leaving)
    draw(qtbot, leaving, FIRST)
    click(canvas, (150, 120))
    key(qtbot, leaving, Qt.Key.Key_Escape)
    assert session.draft is None and session.selected is None
    key(qtbot, leaving, Qt.Key.Key_Return)
    assert session.draft is not None and len(stored(leaving)) == 1
    key(qtbot, leaving, Qt.Key.Key_Return)
    assert session.draft is None and len(stored(leaving)) == 2


def test_a_new_drag_selects_nothing_so_that_delete_means_no_older_box(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, FIRST)
    accept(qtbot, app)
    click(app.window.canvas, (60, 70))
    assert app.session.selected is not None
    draw(qtbot, app, Box(40, 50, 80, 90))
    accept(qtbot, app)
    assert app.session.selected is None
    key(qtbot, app, Qt.Key.Key_Delete)
    assert len(stored(app)) == 2


# Undo


def test_undo_takes_the_newest_drawn_box_and_redo_brings_it_back(qtbot: QtBot, leaving: App) -> None:
    for box in (FIRST, SECOND):
        draw(qtbot, leaving, box)
    key(qtbot, leaving, Qt.Key.Key_Z, CTRL)
    assert leaving.session.draft is not None and close_to(leaving.session.draft.drawn, FIRST)
    assert len(kept(qtbot, leaving)) == 1
    key(qtbot, leaving, Qt.Key.Key_Z, CTRL | SHIFT)
    assert leaving.session.draft is not None and close_to(leaving.session.draft.drawn, SECOND)
    assert len(kept(qtbot, leaving)) == 2


@pytest.mark.parametrize("how", [Qt.Key.Key_Escape, Qt.Key.Key_Delete])
def test_undo_brings_a_discarded_box_back(qtbot: QtBot, leaving: App, how: Qt.Key) -> None:
    for box in (FIRST, SECOND):
        draw(qtbot, leaving, box)
    key(qtbot, leaving, how)
    assert len(kept(qtbot, leaving)) == 1
    key(qtbot, leaving, Qt.Key.Key_Z, CTRL)
    assert leaving.session.draft is not None and close_to(leaving.session.draft.drawn, SECOND)
    assert len(kept(qtbot, leaving)) == 2
    key(qtbot, leaving, how)
    accept(qtbot, leaving)
    key(qtbot, leaving, Qt.Key.Key_Z, CTRL)
    assert stored(leaving) == [] and leaving.session.drawn_count == 0  # what was accepted since goes first


def test_undo_means_what_was_accepted_last_where_an_older_drawn_box_is_in_hand(qtbot: QtBot, leaving: App) -> None:
    for box in (FIRST, SECOND):
        draw(qtbot, leaving, box)
    accept(qtbot, leaving)
    assert leaving.session.draft is not None and close_to(leaving.session.draft.drawn, FIRST)
    key(qtbot, leaving, Qt.Key.Key_Z, CTRL)
    assert stored(leaving) == []
    assert leaving.session.draft is not None and len(kept(qtbot, leaving)) == 1


def test_undo_that_leads_to_another_picture_accepts_nothing_on_the_way(qtbot: QtBot, leaving: App) -> None:
    key(qtbot, leaving, Qt.Key.Key_D)
    ready(qtbot, leaving)
    draw(qtbot, leaving, SECOND)
    key(qtbot, leaving, Qt.Key.Key_A)
    ready(qtbot, leaving)
    draw(qtbot, leaving, FIRST)
    accept(qtbot, leaving)
    key(qtbot, leaving, Qt.Key.Key_D)
    leaving.window.action_by_id["accept_going_on"].trigger()
    assert leaving.session.draft is not None and close_to(leaving.session.draft.drawn, SECOND)
    key(qtbot, leaving, Qt.Key.Key_Z, CTRL)
    qtbot.waitUntil(lambda: leaving.session.row == 0)
    settled(qtbot, leaving)
    assert stored(leaving) == [] and leaving.session.drawn_on(2) == 1


# Told where it matters


@pytest.mark.parametrize(("boxes", "words"), [(1, "1 drawn box is not accepted yet"), (2, "2 drawn boxes are not")])
def test_the_export_dialog_and_closing_count_them(qtbot: QtBot, leaving: App, boxes: int, words: str) -> None:
    for box in (FIRST, SECOND)[:boxes]:
        draw(qtbot, leaving, box)
    leaving.window.action_by_id["export"].trigger()
    dialog = leaving.window.findChild(ExportDialog)
    assert dialog is not None and dialog.drawn.text().startswith(words) and dialog.drawn.isVisible()
    dialog.reject()
    leaving.window.close()
    leaving.window.close()
    (asked,) = leaving.window.findChildren(Question)
    assert leaving.window.isVisible() and asked.text().startswith(words)
    qtbot.mouseClick(asked.yes_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not leaving.window.isVisible())


def test_without_drawn_boxes_nothing_is_said(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, FIRST)
    accept(qtbot, app)
    app.window.action_by_id["export"].trigger()
    dialog = app.window.findChild(ExportDialog)
    assert dialog is not None and not dialog.drawn.isVisible()
    dialog.reject()
    app.window.close()
    assert not app.window.isVisible()
