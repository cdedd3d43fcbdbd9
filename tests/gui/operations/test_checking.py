"""Checking: N goes through the boxes to check, Return and K say yes and no, Shift+Return takes an image at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.operations import box_verbs, checking
from boxrefine_gui.widgets import theme
from core.errors import StorageError
from core.geometry import Box
from core.store.project_store import ProjectStore
from tests.core.projects import title
from tests.gui.driving import ScriptedAsk, click, draw, settled, stored
from tests.gui.fakes import inset
from tests.gui.operations.test_importing import FIRST, SECOND, sentence
from tests.gui.operations.test_refine_all import CTRL, SHIFT, coarse, on, press, refine

__all__ = ["coarse"]


@pytest.fixture
def proposed(qtbot: QtBot, coarse: App) -> App:
    """The same window, all boxes with a proposal and none selected."""
    refine(qtbot, coarse, CTRL | SHIFT)
    return coarse


def selected_box(app: App) -> Box | None:
    return app.session.selected.accepted if app.session.selected is not None else None


def test_return_takes_the_proposals_one_after_the_other(qtbot: QtBot, proposed: App) -> None:
    press(qtbot, proposed, Qt.Key.Key_N)
    assert selected_box(proposed) == SECOND  # it is the higher one
    press(qtbot, proposed, Qt.Key.Key_Return)
    press(qtbot, proposed, Qt.Key.Key_Return)
    settled(qtbot, proposed)
    held = on(proposed, "a.png")
    assert [correction.accepted for correction in held] == [inset(FIRST), inset(SECOND)]
    assert all(correction.confirmed for correction in held)
    assert "to check" not in proposed.window.status.position.text()


def test_keep_says_no_and_the_proposal_does_not_come_back(qtbot: QtBot, proposed: App) -> None:
    click(proposed.window.canvas, (60, 60))
    press(qtbot, proposed, Qt.Key.Key_K)
    settled(qtbot, proposed)
    kept = on(proposed, "a.png")[0]
    assert (kept.accepted, kept.refined, kept.confirmed) == (FIRST, inset(FIRST), True)
    assert "3 refinements" not in refine(qtbot, proposed, CTRL | SHIFT)


def test_each_answer_is_a_step_to_undo(qtbot: QtBot, proposed: App) -> None:
    press(qtbot, proposed, Qt.Key.Key_N)
    press(qtbot, proposed, Qt.Key.Key_Return)
    settled(qtbot, proposed)
    press(qtbot, proposed, Qt.Key.Key_Z, CTRL)
    settled(qtbot, proposed)
    assert all(correction.proposal is not None for correction in stored(proposed))


def test_all_of_an_image_is_one_step(qtbot: QtBot, proposed: App) -> None:
    press(qtbot, proposed, Qt.Key.Key_Return, SHIFT)
    settled(qtbot, proposed)
    assert [correction.accepted for correction in on(proposed, "a.png")] == [inset(FIRST), inset(SECOND)]
    assert not on(proposed, "b.png")[0].confirmed
    assert title(proposed.session.undo_steps[0]) == "Accept 2 boxes"
    press(qtbot, proposed, Qt.Key.Key_Return, SHIFT)
    assert "No box of this image is left" in sentence(proposed)


def test_the_next_one_may_be_on_another_image_and_after_the_last_comes_the_first(qtbot: QtBot, proposed: App) -> None:
    for row, box in ((0, SECOND), (0, FIRST), (1, FIRST), (2, SECOND), (0, SECOND)):
        press(qtbot, proposed, Qt.Key.Key_N)
        qtbot.waitUntil(lambda row=row, box=box: proposed.session.row == row and selected_box(proposed) == box)


def test_when_all_is_checked_it_says_so(qtbot: QtBot, proposed: App) -> None:
    proposed.window.action_by_id["accept_proposals"].trigger()
    settled(qtbot, proposed)
    assert sentence(proposed) == "4 proposals are accepted."
    assert all(correction.accepted == correction.refined for correction in stored(proposed))
    press(qtbot, proposed, Qt.Key.Key_N)
    assert sentence(proposed) == checking.ALL_CHECKED
    press(qtbot, proposed, Qt.Key.Key_Z, CTRL)
    settled(qtbot, proposed)
    assert sum(proposed.session.to_check.values()) == 4


def test_all_proposals_can_be_taken_away(qtbot: QtBot, proposed: App) -> None:
    proposed.window.action_by_id["discard_proposals"].trigger()
    settled(qtbot, proposed)
    assert all(correction.refined is None and not correction.confirmed for correction in stored(proposed))
    assert sentence(proposed) == "All proposals on 3 images are discarded."


def test_return_on_an_imported_box_without_a_proposal_finds_it_good(qtbot: QtBot, coarse: App) -> None:
    click(coarse.window.canvas, (60, 60))
    press(qtbot, coarse, Qt.Key.Key_Return)
    settled(qtbot, coarse)
    first = on(coarse, "a.png")[0]
    assert (first.accepted, first.confirmed) == (FIRST, True)


def test_moving_a_box_is_a_yes_to_where_it_was_put(qtbot: QtBot, proposed: App) -> None:
    click(proposed.window.canvas, (60, 60))
    press(qtbot, proposed, Qt.Key.Key_Right)
    settled(qtbot, proposed)
    moved = on(proposed, "a.png")[0]
    assert moved.confirmed
    assert moved.accepted.x1 == FIRST.x1 + 1


def test_return_with_an_accepted_box_selected_changes_nothing(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, FIRST)
    press(qtbot, app, Qt.Key.Key_Return)
    settled(qtbot, app)
    before = stored(app)
    click(app.window.canvas, (60, 60))
    press(qtbot, app, Qt.Key.Key_Return)
    settled(qtbot, app)
    assert stored(app) == [replace(box, doubtful=()) for box in before]  # it finds the doubtful edge right
    press(qtbot, app, Qt.Key.Key_Return)
    press(qtbot, app, Qt.Key.Key_K)
    settled(qtbot, app)
    assert stored(app) == [replace(box, doubtful=()) for box in before]


def test_boxes_to_check_teach_nothing_until_somebody_says_yes(qtbot: QtBot, proposed: App) -> None:
    assert proposed.session.accepted_count == 0
    press(qtbot, proposed, Qt.Key.Key_Return, SHIFT)
    settled(qtbot, proposed)
    assert proposed.session.accepted_count == 2


def test_a_proposal_is_blue_on_the_canvas_beside_the_box(qtbot: QtBot, proposed: App) -> None:
    assert blueness(proposed, inset(FIRST)) < 60
    press(qtbot, proposed, Qt.Key.Key_N)  # the other box is being checked, so this one's proposal is faint
    assert blueness(proposed, inset(FIRST)) > 60
    press(qtbot, proposed, Qt.Key.Key_N)
    assert blueness(proposed, inset(FIRST)) < 60


def blueness(app: App, box: Box) -> int:
    """How far the left edge of a box on the canvas is from the colour of refinements; 0 is that colour itself."""
    rect = app.window.canvas.view.to_screen(box)
    image = app.window.canvas.grab().toImage()
    color = image.pixelColor(round(rect.left() * image.devicePixelRatio()), round(rect.center().y()))
    return abs(color.red() - theme.REFINED.red()) + abs(color.blue() - theme.REFINED.blue())


def test_where_it_cannot_be_stored_the_box_is_still_to_check(
    qtbot: QtBot, coarse: App, ask: ScriptedAsk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise StorageError("The project could not be saved because the disk is full: make room and try again.")

    monkeypatch.setattr(ProjectStore, "confirm", full)
    click(coarse.window.canvas, (60, 60))
    press(qtbot, coarse, Qt.Key.Key_Return)
    settled(qtbot, coarse)
    assert "disk is full" in sentence(coarse)
    assert coarse.session.to_check[coarse.session.images[0].id] == 2


def test_those_that_the_refiner_is_sure_of_can_be_taken_at_once(qtbot: QtBot, proposed: App) -> None:
    """The fake refiner doubts its right edges."""
    proposed.window.action_by_id["accept_sure"].trigger()
    settled(qtbot, proposed)
    assert sentence(proposed) == "0 proposals are accepted; 4 are left to check."
    first, *others = stored(proposed)
    assert proposed.session.project_path is not None
    project = ProjectStore.open(proposed.session.project_path)
    sure = replace(first, refined=first.refined, edge_confidence=(0.9, 0.9, 0.8, 0.9), score=0.86)
    project.withdraw_proposals()
    project.propose([sure, *others], undoable=False)
    project.close()
    proposed.window.action_by_id["accept_sure"].trigger()
    settled(qtbot, proposed)
    assert sentence(proposed) == "1 proposal is accepted; 3 are left to check."
    assert [correction.confirmed for correction in stored(proposed)] == [True, False, False, False]
    assert title(proposed.session.undo_steps[0]) == "Accept box"


def test_after_refining_again_the_next_one_is_still_on_this_image(qtbot: QtBot, proposed: App) -> None:
    press(qtbot, proposed, Qt.Key.Key_N)
    press(qtbot, proposed, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: proposed.session.draft is not None and proposed.session.draft.is_current)
    press(qtbot, proposed, Qt.Key.Key_N)
    assert proposed.session.draft is None
    assert (proposed.session.row, selected_box(proposed)) == (0, FIRST)


@pytest.mark.parametrize("accepts", [True, False])
def test_a_drawn_box_is_accepted_or_left_on_the_way_to_the_next_one(qtbot: QtBot, proposed: App, accepts: bool) -> None:
    session, before = proposed.session, len(stored(proposed))
    box_verbs.choose_settings(proposed.parts, replace(session.settings, accept_when_going_on=accepts))
    draw(qtbot, proposed, Box(120, 100, 180, 140))
    press(qtbot, proposed, Qt.Key.Key_N)
    assert session.draft is None and session.selected is not None
    settled(qtbot, proposed)
    assert len(stored(proposed)) == before + accepts
    assert session.drawn_count == 1 - accepts


def test_where_nothing_is_left_to_check_n_goes_to_boxes_that_are_drawn(qtbot: QtBot, app: App) -> None:
    session = app.session
    box_verbs.choose_settings(app.parts, replace(session.settings, accept_when_going_on=False))
    draw(qtbot, app, Box(20, 30, 120, 110))
    press(qtbot, app, Qt.Key.Key_D)
    press(qtbot, app, Qt.Key.Key_D)
    assert session.row == 2 and session.draft is None
    press(qtbot, app, Qt.Key.Key_N)
    assert session.row == 0 and session.draft is not None
