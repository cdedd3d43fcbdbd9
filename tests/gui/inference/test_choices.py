"""Choices: X takes the other answers of a box one after the other, and what is taken is stored with all of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.canvas.hints import words_beside
from boxrefine_gui.inference.choices import ONE_ANSWER
from boxrefine_gui.operations import box_verbs
from boxrefine_gui.operations.choosing import AS_DRAWN
from boxrefine_gui.state.draft import Draft
from boxrefine_gui.widgets import theme
from core.errors import BadInputError
from core.geometry import Box
from core.records import Choice
from core.refiner.learned_margins import LearnedMargins
from core.refiner.margins import PIXELS, Margin
from tests.core.projects import title
from tests.gui.annotation_files import save_coco
from tests.gui.driving import (
    ScriptedAsk,
    accept,
    click,
    close_to,
    drag,
    draw,
    move,
    press,
    ready,
    release,
    settled,
    stored,
)
from tests.gui.fakes import CONFIDENCE, FakeFinder, FakeModels, half_of, inset, whole_of
from tests.gui.operations.test_importing import bring, sentence
from tests.gui.operations.test_refine_all import refine

DRAWN = Box(20, 30, 80, 100)
OWN = inset(DRAWN)
ALT = Qt.KeyboardModifier.AltModifier


@pytest.fixture
def finder(models: FakeModels) -> FakeFinder:
    models.finder = FakeFinder()
    return models.finder


@pytest.fixture
def torn(finder: FakeFinder, app: App) -> App:
    """A window whose refiner has three answers to each box."""
    return app


def key(qtbot: QtBot, app: App, key: Qt.Key) -> None:
    qtbot.keyClick(app.window.canvas, key)


def draft_of(app: App) -> Draft:
    assert app.session.draft is not None
    return app.session.draft


def has_candidates(app: App) -> bool:
    return app.session.draft is not None and bool(app.session.draft.candidates)


@pytest.fixture
def drawn(qtbot: QtBot, torn: App) -> App:
    """The same with a drawn box whose candidates are there."""
    draw(qtbot, torn, DRAWN)
    qtbot.waitUntil(lambda: has_candidates(torn))
    return torn


def test_x_goes_through_the_answers_and_back_to_the_first(qtbot: QtBot, drawn: App) -> None:
    seen = [draft_of(drawn).box]
    for _ in range(3):
        key(qtbot, drawn, Qt.Key.Key_X)
        seen.append(draft_of(drawn).box)
    assert all(map(close_to, seen, [OWN, whole_of(OWN), half_of(OWN), OWN]))


def test_what_is_taken_is_stored_with_all_candidates_as_one_step(qtbot: QtBot, drawn: App) -> None:
    key(qtbot, drawn, Qt.Key.Key_X)
    candidates = draft_of(drawn).candidates
    accept(qtbot, drawn)
    [box] = stored(drawn)
    assert close_to(box.drawn, DRAWN) and close_to(box.accepted, whole_of(OWN))
    assert (box.refined, box.choice) == (box.accepted, Choice(candidates, 1))
    assert (box.edge_confidence, box.score, box.doubtful) == ((0.9, 0.9, 0.9, 0.2), 0.8, (3,))
    assert title(drawn.session.undo_steps[0]) == "Accept box"
    qtbot.keyClick(drawn.window.canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    settled(qtbot, drawn)
    assert stored(drawn) == []


def test_the_first_answer_is_a_choice_as_well(qtbot: QtBot, drawn: App) -> None:
    accept(qtbot, drawn)
    [box] = stored(drawn)
    assert box.choice is not None and box.choice.chosen == 0
    assert (box.refined, box.edge_confidence) == (box.accepted, CONFIDENCE)


def test_a_press_before_the_candidates_are_there_counts_when_they_come(
    qtbot: QtBot, torn: App, finder: FakeFinder
) -> None:
    finder.gate.clear()
    draw(qtbot, torn, DRAWN)
    key(qtbot, torn, Qt.Key.Key_X)
    assert close_to(draft_of(torn).box, OWN)
    finder.gate.set()
    qtbot.waitUntil(lambda: close_to(draft_of(torn).box, whole_of(OWN)))


def test_moves_of_a_drag_ask_for_no_candidates_and_a_rest_does(qtbot: QtBot, torn: App, finder: FakeFinder) -> None:
    canvas = torn.window.canvas
    press(canvas, (20, 30))
    for x in range(30, 80):
        move(canvas, (x, 100))
        qtbot.waitUntil(lambda: draft_of(torn).refinement is not None)
    assert finder.calls == 0
    qtbot.waitUntil(lambda: has_candidates(torn))
    assert finder.calls == 1 and draft_of(torn).is_held
    key(qtbot, torn, Qt.Key.Key_X)
    release(canvas, (79, 100))
    settled(qtbot, torn)
    assert draft_of(torn).chosen == 1
    assert finder.calls == 1


def test_a_change_of_the_box_forgets_the_choice(qtbot: QtBot, torn: App) -> None:
    canvas = torn.window.canvas
    press(canvas, (20, 30))
    move(canvas, (80, 100))
    qtbot.waitUntil(lambda: has_candidates(torn))
    key(qtbot, torn, Qt.Key.Key_X)
    move(canvas, (90, 110))
    assert (draft_of(torn).candidates, draft_of(torn).chosen) == ((), 0)
    release(canvas, (90, 110))
    qtbot.waitUntil(lambda: has_candidates(torn))
    assert close_to(draft_of(torn).box, inset(Box(20, 30, 90, 110)))


def test_another_category_keeps_what_was_chosen(qtbot: QtBot, drawn: App, finder: FakeFinder) -> None:
    key(qtbot, drawn, Qt.Key.Key_X)
    box_verbs.add_category(drawn.parts, "cup")
    settled(qtbot, drawn)
    qtbot.waitUntil(lambda: finder.calls == 2 and draft_of(drawn).is_current)
    assert close_to(draft_of(drawn).box, whole_of(OWN))
    accept(qtbot, drawn)
    assert [box.choice.chosen for box in stored(drawn) if box.choice is not None] == [1]


def test_the_candidates_get_the_margin_of_the_category(qtbot: QtBot, torn: App, finder: FakeFinder) -> None:
    models = torn.session.models
    assert models is not None
    torn.session.set_models(replace(models, with_margins=LearnedMargins))
    draw(qtbot, torn, DRAWN)
    accept(qtbot, torn)
    torn.session.set_margins({"object": Margin(1, 1, 1, 1, PIXELS)})
    draw(qtbot, torn, Box(100, 30, 160, 100))
    qtbot.waitUntil(lambda: has_candidates(torn))
    assert finder.margins[-1] == Margin(1, 1, 1, 1, PIXELS)


def test_the_chosen_answer_can_be_edited_and_x_leaves_the_edit(qtbot: QtBot, drawn: App) -> None:
    key(qtbot, drawn, Qt.Key.Key_X)
    key(qtbot, drawn, Qt.Key.Key_Right)
    moved = draft_of(drawn).box
    assert close_to(moved, Box(*(edge + shift for edge, shift in zip(whole_of(OWN), (1, 0, 1, 0), strict=True))))
    accept(qtbot, drawn)
    [box] = stored(drawn)
    assert close_to(box.accepted, moved) and box.refined is not None and close_to(box.refined, whole_of(OWN))
    assert box.doubtful == (3,)  # its bottom edge has not moved


def test_a_drawn_box_that_was_left_comes_back_with_its_choice(
    qtbot: QtBot, drawn: App, pictures: Path, finder: FakeFinder
) -> None:
    key(qtbot, drawn, Qt.Key.Key_X)
    before = draft_of(drawn)
    drawn.keeper.keep()
    settled(qtbot, drawn)
    drawn.open(pictures)
    qtbot.waitUntil(lambda: app_has_read(drawn, before))
    ready(qtbot, drawn)
    after = draft_of(drawn)
    assert (after.box, after.chosen, after.candidates) == (before.box, 1, before.candidates)
    qtbot.waitUntil(lambda: finder.calls == 2)
    key(qtbot, drawn, Qt.Key.Key_X)
    qtbot.waitUntil(lambda: close_to(draft_of(drawn).box, half_of(OWN)))


def app_has_read(app: App, before: Draft) -> bool:
    draft = app.session.draft
    return draft is not None and draft.key == before.key and draft.number != before.number


# Stored boxes


def test_x_on_a_stored_box_takes_another_answer_to_what_was_drawn(qtbot: QtBot, drawn: App) -> None:
    accept(qtbot, drawn)
    click(drawn.window.canvas, (50, 60))
    key(qtbot, drawn, Qt.Key.Key_X)
    qtbot.waitUntil(lambda: has_candidates(drawn) and draft_of(drawn).chosen == 1)
    accept(qtbot, drawn)
    [box] = stored(drawn)
    assert close_to(box.drawn, DRAWN) and close_to(box.accepted, whole_of(OWN))
    assert box.choice is not None and box.choice.chosen == 1
    qtbot.keyClick(drawn.window.canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    settled(qtbot, drawn)
    assert close_to(stored(drawn)[0].accepted, OWN)


def test_a_stored_box_without_another_answer_stays_as_it_is(qtbot: QtBot, drawn: App, finder: FakeFinder) -> None:
    accept(qtbot, drawn)
    finder.count = 1
    click(drawn.window.canvas, (50, 60))
    key(qtbot, drawn, Qt.Key.Key_X)
    qtbot.waitUntil(lambda: sentence(drawn) == ONE_ANSWER)
    assert drawn.session.draft is None and drawn.session.selected is not None


def test_a_box_that_was_moved_by_hand_is_asked_about_where_it_is(qtbot: QtBot, drawn: App) -> None:
    accept(qtbot, drawn)
    click(drawn.window.canvas, (50, 60))
    qtbot.keyClick(drawn.window.canvas, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    settled(qtbot, drawn)
    key(qtbot, drawn, Qt.Key.Key_X)
    assert close_to(draft_of(drawn).drawn, stored(drawn)[0].accepted)


def test_x_on_an_imported_box_with_a_proposal_takes_another_answer(
    qtbot: QtBot, torn: App, ask: ScriptedAsk, tmp_path: Path
) -> None:
    bring(qtbot, torn, ask, save_coco(tmp_path / "coarse.json", {"a.png": [DRAWN]}))
    refine(qtbot, torn, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    key(qtbot, torn, Qt.Key.Key_N)
    key(qtbot, torn, Qt.Key.Key_X)
    qtbot.waitUntil(lambda: has_candidates(torn) and draft_of(torn).chosen == 1)
    accept(qtbot, torn)
    [box] = stored(torn)
    assert (box.drawn, box.confirmed) == (DRAWN, True)
    assert close_to(box.accepted, whole_of(OWN))
    assert box.choice is not None and box.choice.chosen == 1
    assert box.doubtful == (3,)


def test_escape_leaves_a_stored_box_as_it_was(qtbot: QtBot, drawn: App) -> None:
    accept(qtbot, drawn)
    before = stored(drawn)
    click(drawn.window.canvas, (50, 60))
    key(qtbot, drawn, Qt.Key.Key_X)
    qtbot.waitUntil(lambda: has_candidates(drawn))
    key(qtbot, drawn, Qt.Key.Key_Escape)
    settled(qtbot, drawn)
    assert stored(drawn) == before and drawn.session.draft is None


# Where there is nothing to choose


def test_one_answer_draws_and_stores_nothing_more(qtbot: QtBot, torn: App, finder: FakeFinder) -> None:
    finder.count = 1
    draw(qtbot, torn, DRAWN)
    qtbot.waitUntil(lambda: has_candidates(torn))
    key(qtbot, torn, Qt.Key.Key_X)
    assert sentence(torn) == ONE_ANSWER
    assert "another answer" not in words_beside(draft_of(torn), torn.session, is_dragging=False)
    accept(qtbot, torn)
    assert stored(torn)[0].choice is None


def test_an_encoder_without_candidates_offers_none(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, DRAWN)
    key(qtbot, app, Qt.Key.Key_X)
    assert sentence(app) == "With the encoder fake a box has one answer: choose the encoder light."
    accept(qtbot, app)
    assert stored(app)[0].choice is None


def test_a_box_that_stays_as_drawn_has_no_other_answers(qtbot: QtBot, torn: App, finder: FakeFinder) -> None:
    drag(torn.window.canvas, [(20, 30), (50, 60), (80, 100)], ALT)
    key(qtbot, torn, Qt.Key.Key_X)
    assert sentence(torn) == AS_DRAWN
    assert finder.calls == 0


def test_with_nothing_drawn_or_selected_x_does_nothing(qtbot: QtBot, torn: App) -> None:
    key(qtbot, torn, Qt.Key.Key_X)
    assert torn.session.draft is None


def test_candidates_that_fail_are_told_of_once_and_the_answer_stays(
    qtbot: QtBot, torn: App, finder: FakeFinder
) -> None:
    finder.fault = BadInputError("the candidates fail")
    draw(qtbot, torn, DRAWN)
    qtbot.waitUntil(lambda: "the candidates fail" in sentence(torn))
    key(qtbot, torn, Qt.Key.Key_X)
    assert sentence(torn) == ONE_ANSWER
    accept(qtbot, torn)
    draw(qtbot, torn, Box(100, 30, 160, 100))
    qtbot.waitUntil(lambda: finder.calls == 2)
    assert sentence(torn) == ONE_ANSWER
    accept(qtbot, torn)
    assert [box.choice for box in stored(torn)] == [None, None]


# What is seen


def color_at(app: App, x: float, y: float) -> tuple[int, int, int]:
    canvas = app.window.canvas
    picture: QImage = canvas.grab().toImage()
    point = canvas.view.to_screen(Box(x, y, x + 1, y + 1)).topLeft()
    color = picture.pixelColor(round(point.x()), round(point.y()))
    return color.red(), color.green(), color.blue()


def test_the_others_are_drawn_thinly_and_the_hint_names_key_and_place(qtbot: QtBot, drawn: App) -> None:
    whole = whole_of(OWN)
    with_candidates = [color_at(drawn, whole.x2, y) for y in (50.0, 60.0)]
    words = words_beside(draft_of(drawn), drawn.session, is_dragging=False)
    assert "X: another answer (1 of 3)" in words
    drawn.session.set_candidates((), chosen=0)
    without = [color_at(drawn, whole.x2, y) for y in (50.0, 60.0)]
    assert all(before != after for before, after in zip(with_candidates, without, strict=True))


def test_the_chosen_one_is_drawn_as_the_refinement(qtbot: QtBot, drawn: App) -> None:
    key(qtbot, drawn, Qt.Key.Key_X)
    assert "X: another answer (2 of 3)" in words_beside(draft_of(drawn), drawn.session, is_dragging=False)
    whole, blue = whole_of(OWN), theme.REFINED
    assert color_at(drawn, whole.x2, 50.0) == pytest.approx((blue.red(), blue.green(), blue.blue()), abs=20)
