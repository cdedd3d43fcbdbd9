"""Drawing on the real window: live refinement, accept, discard, bypass, and what happens when things fail."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.operations import box_verbs
from core.errors import StorageError
from core.geometry import Box
from core.store.project_store import ProjectStore
from tests.gui.driving import accept, click, close_to, drag, draw, move, press, ready, release, settled, stored
from tests.gui.fakes import CONFIDENCE, FakeModels, inset

DRAWN = Box(20, 30, 120, 110)
ALT = Qt.KeyboardModifier.AltModifier


def test_the_refinement_follows_during_the_drag(qtbot: QtBot, app: App) -> None:
    canvas = app.window.canvas
    press(canvas, (20, 30))
    for corner in ((60, 60), (90, 80), (120, 110)):
        move(canvas, corner)
        qtbot.waitUntil(lambda: app.session.draft is not None and app.session.draft.is_current)
        draft = app.session.draft
        assert draft is not None and draft.refinement is not None
        assert close_to(draft.drawn, Box(20, 30, *corner))
        assert close_to(draft.refinement.box, inset(draft.drawn))
    release(canvas, (120, 110))
    assert stored(app) == []


def test_accepting_stores_drawn_refined_and_accepted(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, DRAWN)
    accept(qtbot, app)
    (correction,) = stored(app)
    assert close_to(correction.drawn, DRAWN)
    assert correction.refined is not None and close_to(correction.refined, inset(DRAWN))
    assert correction.accepted == correction.refined
    assert correction.edge_confidence == CONFIDENCE
    assert (correction.encoder, correction.refiner) == ("fake-0001", "fake-refiner-0001")
    assert 0 < correction.seconds < 30
    assert app.session.corrections == (correction,)
    assert app.session.draft is None


def test_the_first_box_makes_the_category_object(qtbot: QtBot, app: App) -> None:
    assert app.session.categories == ()
    draw(qtbot, app, DRAWN)
    accept(qtbot, app)
    assert [category.name for category in app.session.categories] == ["object"]
    assert stored(app)[0].category_id == app.session.category_id


def test_escape_discards(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, DRAWN)
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_Escape)
    assert app.session.draft is None
    accept(qtbot, app)
    assert stored(app) == []


def test_releasing_accepts_where_the_user_wants_that(qtbot: QtBot, app: App) -> None:
    app.window.action_by_id["auto_accept"].trigger()
    drag(app.window.canvas, [(20, 30), (70, 70), (120, 110)])
    settled(qtbot, app)
    (correction,) = stored(app)
    assert close_to(correction.accepted, inset(DRAWN))


def test_alt_takes_the_box_as_it_is_drawn(qtbot: QtBot, app: App) -> None:
    drag(app.window.canvas, [(20, 30), (70, 70), (120, 110)], ALT)
    accept(qtbot, app)
    (correction,) = stored(app)
    assert close_to(correction.accepted, DRAWN)
    assert correction.refined is None
    assert correction.encoder == correction.refiner == ""


def test_alt_pressed_during_the_drag_bypasses_at_once(qtbot: QtBot, app: App) -> None:
    canvas = app.window.canvas
    press(canvas, (20, 30))
    move(canvas, (60, 60))
    move(canvas, (120, 110))
    qtbot.keyPress(canvas, Qt.Key.Key_Alt)
    assert app.session.draft is not None
    assert app.session.draft.plain
    qtbot.keyRelease(canvas, Qt.Key.Key_Alt)
    assert not app.session.draft.plain
    release(canvas, (120, 110))


def test_a_tiny_drag_is_a_click(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, DRAWN)
    accept(qtbot, app)
    scale = app.window.canvas.view.scale
    drag(app.window.canvas, [(50, 50), (50 + 2 / scale, 50)])
    assert app.session.draft is None
    assert app.session.selected_id == stored(app)[0].id


@pytest.mark.parametrize("auto_accept", [False, True])
@pytest.mark.parametrize("slip", [(4, 4), (5, 5), (-4, 5)])
def test_a_slip_of_the_hand_stores_nothing(qtbot: QtBot, app: App, auto_accept: bool, slip: tuple[int, int]) -> None:
    box_verbs.choose_settings(app.parts, replace(app.session.settings, auto_accept=auto_accept))
    scale = app.window.canvas.view.scale
    drag(app.window.canvas, [(50, 50), (50 + slip[0] / scale, 50 + slip[1] / scale)])
    settled(qtbot, app)
    assert app.session.draft is None and stored(app) == [] and app.session.drawn_count == 0
    assert app.window.notices.sentence.text() == ""


def test_a_long_thin_drag_makes_no_box_and_says_so(qtbot: QtBot, app: App) -> None:
    scale = app.window.canvas.view.scale
    drag(app.window.canvas, [(50, 50), (90, 50 + 5 / scale), (120, 50 + 5 / scale)])
    assert app.session.draft is None
    assert "6 pixels" in app.window.notices.sentence.text()


def test_a_drag_back_to_its_beginning_makes_no_box(qtbot: QtBot, app: App) -> None:
    drag(app.window.canvas, [(50, 50), (90, 90), (50, 50)])
    settled(qtbot, app)
    assert app.session.draft is None and app.session.drawn_count == 0


def test_the_least_size_is_a_setting_and_is_measured_on_the_screen(qtbot: QtBot, app: App) -> None:
    box_verbs.choose_settings(app.parts, replace(app.session.settings, least_drag=40))
    canvas = app.window.canvas
    drag(canvas, [(50, 50), (50 + 30 / canvas.view.scale, 50 + 30 / canvas.view.scale)])
    assert app.session.draft is None
    drag(canvas, [(50, 50), (50 + 41 / canvas.view.scale, 50 + 41 / canvas.view.scale)])
    assert app.session.draft is not None


def test_a_box_drawn_over_the_border_ends_at_the_border(qtbot: QtBot, app: App) -> None:
    drag(app.window.canvas, [(150, 100), (190, 140), (230, 180)])
    assert app.session.draft is not None
    assert close_to(app.session.draft.drawn, Box(150, 100, 200, 150))


def test_a_drag_beside_the_picture_draws_nothing(qtbot: QtBot, app: App) -> None:
    drag(app.window.canvas, [(201, 10), (205, 60), (209, 100)])
    assert app.session.draft is None


def test_fifty_moves_in_a_burst_cost_few_refinements_and_the_last_answer_is_shown(
    qtbot: QtBot, app: App, models: FakeModels
) -> None:
    before = models.refiner.calls
    models.refiner.gate.clear()
    canvas = app.window.canvas
    press(canvas, (10, 10))
    for step in range(1, 51):
        move(canvas, (20 + 2 * step, 20 + 2 * step))
    models.refiner.gate.set()
    qtbot.waitUntil(lambda: app.session.draft is not None and app.session.draft.is_current)
    release(canvas, (120, 120))
    assert models.refiner.calls - before <= 3
    draft = app.session.draft
    assert draft is not None and draft.refinement is not None
    assert close_to(draft.refinement.box, inset(Box(10, 10, 120, 120)))


def test_a_failing_refiner_is_reported_once_and_works_again(qtbot: QtBot, app: App, models: FakeModels) -> None:
    reported: list[Exception] = []
    app.session.problem.disconnect(app.window.notices.show_problem)
    app.session.problem.connect(reported.append)
    models.refiner.fault = ValueError("a fault of ours")
    canvas = app.window.canvas
    press(canvas, (10, 10))
    for step in range(5):
        before = models.refiner.calls
        move(canvas, (60 + step, 60))
        qtbot.waitUntil(lambda before=before: models.refiner.calls > before)
    qtbot.waitUntil(lambda: app.refine.is_idle)
    assert [str(error) for error in reported] == ["a fault of ours"]
    models.refiner.fault = None
    move(canvas, (100, 100))
    qtbot.waitUntil(lambda: app.session.draft is not None and app.session.draft.is_current)
    release(canvas, (100, 100))


def test_accepting_while_the_refiner_fails_stores_the_box_as_drawn(qtbot: QtBot, app: App, models: FakeModels) -> None:
    models.refiner.fault = StorageError("The refiner is gone: start again.")
    drag(app.window.canvas, [(20, 30), (70, 70), (120, 110)])
    accept(qtbot, app)
    assert close_to(stored(app)[0].accepted, DRAWN)
    assert "refiner is gone" in app.window.notices.sentence.text()


def test_a_failing_write_puts_the_box_back(qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise StorageError("The project could not be saved because the disk is full: make room and try again.")

    draw(qtbot, app, DRAWN)
    with monkeypatch.context() as patched:
        patched.setattr(ProjectStore, "accept", full)
        accept(qtbot, app)
    assert app.session.draft is not None
    assert close_to(app.session.draft.box, inset(DRAWN))
    assert "disk is full" in app.window.notices.sentence.text()
    assert stored(app) == []
    accept(qtbot, app)
    assert len(stored(app)) == 1


def test_a_box_that_could_not_be_stored_waits_until_the_canvas_is_free(
    qtbot: QtBot, app: App, models: FakeModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StorageError("The project could not be saved because the disk is full: make room and try again.")

    draw(qtbot, app, DRAWN)
    with monkeypatch.context() as patched:
        patched.setattr(ProjectStore, "accept", full)
        qtbot.keyClick(app.window.canvas, Qt.Key.Key_Return)
        drag(app.window.canvas, [(130, 20), (150, 50), (180, 90)])
        settled(qtbot, app)
    assert app.session.draft is not None and app.session.draft.drawn.x1 > 100
    accept(qtbot, app)
    assert app.session.draft is not None and close_to(app.session.draft.drawn, DRAWN)
    accept(qtbot, app)
    assert len(stored(app)) == 2


def test_plain_boxes_work_before_the_model_is_there(
    qtbot: QtBot, closed_app: App, models: FakeModels, pictures: Path
) -> None:
    models.gate.clear()
    closed_app.open(pictures)
    qtbot.waitUntil(lambda: closed_app.session.picture is not None and bool(closed_app.session.activity))
    assert "loading the model" in closed_app.window.status.activity.text()
    drag(closed_app.window.canvas, [(20, 30), (70, 70), (120, 110)])
    accept(qtbot, closed_app)
    assert close_to(stored(closed_app)[0].accepted, DRAWN)
    models.gate.set()
    ready(qtbot, closed_app)
    assert models.loaded_on == "lane-encode"
    assert "fake" in closed_app.window.status.model.text()


def test_a_model_that_cannot_be_loaded_leaves_plain_boxes_and_a_sentence(
    qtbot: QtBot, closed_app: App, models: FakeModels, pictures: Path
) -> None:
    models.fault = StorageError("The weights are missing: fetch them.")
    closed_app.open(pictures)
    qtbot.waitUntil(lambda: "weights are missing" in closed_app.window.notices.sentence.text())
    qtbot.waitUntil(lambda: closed_app.session.picture is not None)
    drag(closed_app.window.canvas, [(20, 30), (70, 70), (120, 110)])
    accept(qtbot, closed_app)
    assert len(stored(closed_app)) == 1


def test_features_that_arrive_during_the_drag_refine_what_is_drawn(
    qtbot: QtBot, closed_app: App, models: FakeModels, pictures: Path
) -> None:
    models.encoder.gate.clear()
    closed_app.open(pictures)
    qtbot.waitUntil(lambda: closed_app.session.picture is not None and closed_app.session.models is not None)
    drag(closed_app.window.canvas, [(20, 30), (70, 70), (120, 110)])
    assert closed_app.session.draft is not None and closed_app.session.draft.refinement is None
    models.encoder.gate.set()
    qtbot.waitUntil(lambda: closed_app.session.draft is not None and closed_app.session.draft.is_current)


def test_a_box_accepted_before_its_features_is_refined_when_they_arrive(
    qtbot: QtBot, closed_app: App, models: FakeModels, pictures: Path
) -> None:
    models.encoder.gate.clear()
    closed_app.open(pictures)
    qtbot.waitUntil(lambda: closed_app.session.picture is not None and closed_app.session.models is not None)
    drag(closed_app.window.canvas, [(20, 30), (70, 70), (120, 110)])
    qtbot.keyClick(closed_app.window.canvas, Qt.Key.Key_Return)
    assert len(closed_app.session.waiting) == 1
    models.encoder.gate.set()
    settled(qtbot, closed_app)
    assert close_to(stored(closed_app)[0].accepted, inset(DRAWN))


def test_a_box_accepted_before_its_features_is_kept_as_drawn_when_the_image_is_left(
    qtbot: QtBot, closed_app: App, models: FakeModels, pictures: Path
) -> None:
    models.encoder.gate.clear()
    closed_app.open(pictures)
    qtbot.waitUntil(lambda: closed_app.session.picture is not None and closed_app.session.models is not None)
    drag(closed_app.window.canvas, [(20, 30), (70, 70), (120, 110)])
    qtbot.keyClick(closed_app.window.canvas, Qt.Key.Key_Return)
    qtbot.keyClick(closed_app.window.canvas, Qt.Key.Key_D)
    settled(qtbot, closed_app)
    (correction,) = stored(closed_app)
    assert close_to(correction.accepted, DRAWN)
    assert correction.image_id == 1


def test_a_click_beside_the_drawn_box_leaves_it(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, DRAWN)
    click(app.window.canvas, (190, 140))
    assert app.session.draft is not None


def test_switching_refinement_off_draws_plain_boxes(qtbot: QtBot, app: App) -> None:
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_S)
    drag(app.window.canvas, [(20, 30), (70, 70), (120, 110)])
    assert app.session.draft is not None and app.session.draft.plain
    assert "switched off" in app.window.status.activity.text()


def test_a_click_on_another_box_accepts_the_drawn_one_and_selects(qtbot: QtBot, app: App) -> None:
    first, second = Box(20, 30, 100, 100), Box(120, 40, 180, 120)
    draw(qtbot, app, first)
    accept(qtbot, app)
    draw(qtbot, app, second)
    click(app.window.canvas, (60, 60))
    settled(qtbot, app)
    assert app.session.draft is None
    assert all(close_to(entry.accepted, inset(box)) for entry, box in zip(stored(app), (first, second), strict=True))
    assert app.session.selected is not None and app.session.selected.id == stored(app)[0].id


def test_a_click_inside_the_drawn_box_leaves_it_in_hand(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, Box(10, 10, 190, 140))
    accept(qtbot, app)
    draw(qtbot, app, Box(60, 50, 120, 100))
    click(app.window.canvas, (90, 75))
    assert app.session.draft is not None
    assert app.session.selected is None
