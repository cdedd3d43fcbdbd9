"""R: a stored box is refined again, and its correction tells what was drawn and proposed this time."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.operations import box_verbs
from boxrefine_gui.state.doing import ModelsState
from core.errors import StorageError
from core.geometry import Box
from core.records import Correction
from core.store.project_store import ProjectStore
from tests.core.projects import title
from tests.gui.driving import accept, click, close_to, drag, draw, settled, stored
from tests.gui.fakes import CONFIDENCE, inset

DRAWN = Box(20, 30, 100, 100)
WITHIN = (50, 60)
CTRL, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier


@pytest.fixture
def selected(qtbot: QtBot, app: App) -> App:
    """A window whose one stored box is selected."""
    draw(qtbot, app, DRAWN)
    accept(qtbot, app)
    click(app.window.canvas, WITHIN)
    return app


def refine_again(qtbot: QtBot, app: App) -> None:
    """Press R and wait for the answer."""
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: app.session.draft is not None and app.session.draft.is_current)


def only(app: App) -> Correction:
    (correction,) = stored(app)
    return correction


def test_it_starts_from_the_accepted_box_and_the_correction_says_so(qtbot: QtBot, selected: App) -> None:
    before = only(selected)
    refine_again(qtbot, selected)
    accept(qtbot, selected)
    after = only(selected)
    assert after.id == before.id
    assert after.drawn == before.accepted
    assert after.refined == after.accepted
    assert close_to(after.accepted, inset(inset(DRAWN)))
    assert after.seconds > before.seconds


def test_undo_and_redo_take_all_of_it_back_and_again(qtbot: QtBot, selected: App) -> None:
    before = only(selected)
    refine_again(qtbot, selected)
    accept(qtbot, selected)
    after = only(selected)
    assert title(selected.session.undo_steps[0]) == "Refine box"
    qtbot.keyClick(selected.window.canvas, Qt.Key.Key_Z, CTRL)
    settled(qtbot, selected)
    assert only(selected) == before
    qtbot.keyClick(selected.window.canvas, Qt.Key.Key_Y, CTRL)
    settled(qtbot, selected)
    assert only(selected) == after


def test_an_edge_moved_by_hand_leaves_what_was_proposed(qtbot: QtBot, selected: App) -> None:
    refine_again(qtbot, selected)
    qtbot.keyClick(selected.window.canvas, Qt.Key.Key_Right)
    accept(qtbot, selected)
    after = only(selected)
    assert after.refined is not None
    assert close_to(after.refined, inset(inset(DRAWN)))
    assert close_to(after.accepted, Box(after.refined.x1 + 1, after.refined.y1, after.refined.x2 + 1, after.refined.y2))


def test_a_box_that_was_taken_as_drawn_tells_afterwards_which_model_helped(qtbot: QtBot, app: App) -> None:
    drag(app.window.canvas, [(20, 30), (60, 60), (100, 100)], ALT)
    accept(qtbot, app)
    assert only(app).refined is None
    click(app.window.canvas, WITHIN)
    refine_again(qtbot, app)
    accept(qtbot, app)
    after = only(app)
    assert close_to(after.drawn, DRAWN)
    assert after.refiner == "fake-refiner-0001"
    assert after.edge_confidence == CONFIDENCE


def test_escape_keeps_the_box_as_it_was(qtbot: QtBot, selected: App) -> None:
    before = only(selected)
    refine_again(qtbot, selected)
    qtbot.keyClick(selected.window.canvas, Qt.Key.Key_Escape)
    settled(qtbot, selected)
    assert only(selected) == before


def test_delete_takes_the_box_that_is_being_refined_again(qtbot: QtBot, selected: App) -> None:
    refine_again(qtbot, selected)
    qtbot.keyClick(selected.window.canvas, Qt.Key.Key_Delete)
    settled(qtbot, selected)
    assert selected.session.draft is None
    assert stored(selected) == []


def test_delete_takes_a_box_that_is_only_drawn(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, DRAWN)
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_Delete)
    settled(qtbot, app)
    assert app.session.draft is None
    assert stored(app) == []


def test_a_category_chosen_meanwhile_is_that_of_the_box(qtbot: QtBot, selected: App) -> None:
    box_verbs.add_category(selected.parts, "cup")
    qtbot.waitUntil(lambda: len(selected.session.categories) == 2)
    refine_again(qtbot, selected)
    qtbot.keyClick(selected.window.canvas, Qt.Key.Key_2)
    accept(qtbot, selected)
    assert only(selected).category_id == selected.session.categories[1].id


def test_where_it_cannot_be_stored_the_box_stays_as_it_was(
    qtbot: QtBot, selected: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StorageError("The project could not be saved because the disk is full: make room and try again.")

    before = only(selected)
    monkeypatch.setattr(ProjectStore, "refine", full)
    refine_again(qtbot, selected)
    accept(qtbot, selected)
    assert only(selected) == before
    assert selected.session.moving == {}
    assert "disk is full" in selected.window.notices.sentence.text()


def test_before_there_is_a_model_the_key_says_so(qtbot: QtBot, selected: App) -> None:
    selected.session.set_models(None, ModelsState.LOADING)
    qtbot.keyClick(selected.window.canvas, Qt.Key.Key_R)
    assert selected.session.draft is None
    assert selected.window.notices.sentence.text() == box_verbs.NO_MODEL_YET


def test_so_does_the_one_that_teaches(qtbot: QtBot, selected: App) -> None:
    selected.session.set_models(None, ModelsState.LOADING)
    qtbot.keyClick(selected.window.canvas, Qt.Key.Key_T, CTRL)
    assert not selected.session.teaching.is_running
    assert selected.window.notices.sentence.text() == box_verbs.NO_MODEL_YET
