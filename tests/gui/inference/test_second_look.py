"""A box is looked at again when the hand rests, and never at the cost of the live answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.state.doing import ActivityKind
from core.errors import StorageError
from core.geometry import Box
from core.inference.crop_refine import LIVE
from tests.gui.driving import accept, close_to, draw, is_doing, move, press, ready, release, settled, stored
from tests.gui.fakes import CROP_INSET, INSET, FakeFinder, FakeModels, inset, whole_of

pytestmark = pytest.mark.slow

SMALL = Box(1000, 800, 1090, 880)
LARGE = Box(500, 300, 2000, 1500)


@pytest.fixture
def models() -> FakeModels:
    models = FakeModels()
    models.looks_twice = True
    models.refiner.score = LIVE.sure - 0.05
    return models


@pytest.fixture
def finder(models: FakeModels) -> FakeFinder:
    models.finder = FakeFinder()
    return models.finder


@pytest.fixture
def large_app(qtbot: QtBot, closed_app: App, tmp_path: Path) -> App:
    """A window on one picture of 3000 x 2000 pixels."""
    folder = tmp_path / "large"
    folder.mkdir()
    Image.new("RGB", (3000, 2000), (90, 120, 60)).save(folder / "a.png")
    closed_app.open(folder)
    ready(qtbot, closed_app)
    return closed_app


def shown(app: App) -> Box:
    draft = app.session.draft
    assert draft is not None
    return draft.box


def wait_for(qtbot: QtBot, app: App, box: Box) -> None:
    qtbot.waitUntil(lambda: app.session.draft is not None and close_to(shown(app), box))


def test_a_small_box_gets_the_crops_answer_and_it_is_stored(qtbot: QtBot, large_app: App, models: FakeModels) -> None:
    draw(qtbot, large_app, LARGE)
    qtbot.keyClick(large_app.window.canvas, Qt.Key.Key_Escape)
    draw(qtbot, large_app, SMALL)
    wait_for(qtbot, large_app, inset(SMALL, CROP_INSET))
    assert models.encoder.calls == 2  # the picture and one crop: the large box needs none
    qtbot.waitUntil(lambda: not large_app.session.looking)
    accept(qtbot, large_app)
    (correction,) = stored(large_app)
    assert close_to(correction.accepted, inset(SMALL, CROP_INSET))
    assert close_to(correction.drawn, SMALL)


def test_a_sure_answer_needs_no_second_look(qtbot: QtBot, large_app: App, models: FakeModels) -> None:
    middle = Box(1000, 800, 1400, 1150)
    models.refiner.score = LIVE.sure
    draw(qtbot, large_app, middle)
    wait_for(qtbot, large_app, inset(middle))
    assert not large_app.session.looking
    accept(qtbot, large_app)
    (correction,) = stored(large_app)
    assert close_to(correction.accepted, inset(middle))
    assert models.encoder.calls == 1


def test_any_other_box_gets_both_answers_combined(qtbot: QtBot, large_app: App, models: FakeModels) -> None:
    middle = Box(1000, 800, 1400, 1150)
    draw(qtbot, large_app, middle)
    wait_for(qtbot, large_app, inset(middle, (INSET + CROP_INSET) / 2))
    assert models.encoder.calls == 2


def test_a_category_that_is_chosen_after_drawing_asks_twice_again(
    qtbot: QtBot, large_app: App, models: FakeModels
) -> None:
    middle = Box(1000, 800, 1400, 1150)
    draw(qtbot, large_app, middle)
    wait_for(qtbot, large_app, inset(middle, (INSET + CROP_INSET) / 2))
    large_app.session.choose_category(1)
    qtbot.waitUntil(lambda: models.encoder.calls == 3 and large_app.encode.is_idle)
    wait_for(qtbot, large_app, inset(middle, (INSET + CROP_INSET) / 2))


def test_live_answers_go_on_while_a_crop_is_encoded_and_the_old_look_is_not_shown(
    qtbot: QtBot, large_app: App, models: FakeModels
) -> None:
    canvas = large_app.window.canvas
    models.encoder.gate.clear()
    press(canvas, (SMALL.x1, SMALL.y1))
    move(canvas, (SMALL.x2, SMALL.y2))
    qtbot.waitUntil(lambda: is_doing(large_app, ActivityKind.LOOKING_CLOSER))
    wider = Box(SMALL.x1, SMALL.y1, SMALL.x2 + 900, SMALL.y2 + 600)
    move(canvas, (wider.x2, wider.y2))
    wait_for(qtbot, large_app, inset(wider))
    release(canvas, (wider.x2, wider.y2))
    models.encoder.gate.set()
    qtbot.waitUntil(lambda: large_app.encode.is_idle)
    assert close_to(shown(large_app), inset(wider))


def test_what_was_nudged_meanwhile_stays(qtbot: QtBot, large_app: App, models: FakeModels) -> None:
    models.encoder.gate.clear()
    draw(qtbot, large_app, SMALL)
    qtbot.waitUntil(lambda: is_doing(large_app, ActivityKind.LOOKING_CLOSER))
    qtbot.keyClick(large_app.window.canvas, Qt.Key.Key_Right)
    nudged = shown(large_app)
    models.encoder.gate.set()
    qtbot.waitUntil(lambda: large_app.encode.is_idle)
    assert shown(large_app) == nudged


def test_a_second_look_that_fails_is_told_and_the_first_answer_stays(
    qtbot: QtBot, large_app: App, models: FakeModels
) -> None:
    models.encoder.gate.clear()
    draw(qtbot, large_app, SMALL)
    qtbot.waitUntil(lambda: is_doing(large_app, ActivityKind.LOOKING_CLOSER))
    models.refiner.fault = StorageError("The refiner is gone: start again.")
    models.encoder.gate.set()
    qtbot.waitUntil(lambda: "refiner is gone" in large_app.window.notices.sentence.text())
    assert close_to(shown(large_app), inset(SMALL))
    models.refiner.fault = None


# Boxes whose answer may still change


def start_to_look(qtbot: QtBot, app: App, models: FakeModels, box: Box) -> None:
    """Draw a box and wait until it is being looked at again; the look is held back."""
    models.encoder.gate.clear()
    draw(qtbot, app, box)
    qtbot.waitUntil(lambda: is_doing(app, ActivityKind.LOOKING_CLOSER))


def test_a_box_that_may_still_change_shows_it(qtbot: QtBot, large_app: App, models: FakeModels) -> None:
    session, canvas = large_app.session, large_app.window.canvas
    models.encoder.gate.clear()
    draw(qtbot, large_app, SMALL)
    assert session.draft is not None and session.looking == {session.draft.number}
    with_sign = canvas.grab().toImage()
    session.set_looking(frozenset(), frozenset())
    assert canvas.grab().toImage() != with_sign
    models.encoder.gate.set()
    wait_for(qtbot, large_app, inset(SMALL, CROP_INSET))
    qtbot.waitUntil(lambda: not session.looking)


def test_a_box_that_needs_no_second_look_shows_no_sign(qtbot: QtBot, large_app: App) -> None:
    draw(qtbot, large_app, LARGE)
    assert large_app.session.looking == frozenset()


@pytest.mark.parametrize(("key", "accepted"), [(Qt.Key.Key_Return, CROP_INSET), (Qt.Key.Key_K, INSET)])
def test_accepting_stores_what_was_seen_and_the_later_answer_is_proposed(
    qtbot: QtBot, large_app: App, models: FakeModels, key: Qt.Key, accepted: float
) -> None:
    session, canvas = large_app.session, large_app.window.canvas
    start_to_look(qtbot, large_app, models, SMALL)
    accept(qtbot, large_app)
    (correction,) = stored(large_app)
    assert close_to(correction.accepted, inset(SMALL)) and correction.confirmed
    assert session.looking_stored == {correction.id}
    models.encoder.gate.set()
    qtbot.waitUntil(lambda: session.to_check == {1: 1})
    (proposed,) = stored(large_app)
    assert close_to(proposed.accepted, inset(SMALL))
    assert proposed.proposal is not None and close_to(proposed.proposal, inset(SMALL, CROP_INSET))
    assert session.looking_stored == frozenset()
    qtbot.keyClick(canvas, Qt.Key.Key_N)
    qtbot.keyClick(canvas, key)
    settled(qtbot, large_app)
    (checked,) = stored(large_app)
    assert close_to(checked.accepted, inset(SMALL, accepted)) and checked.confirmed


def test_an_answer_that_came_a_moment_before_the_yes_was_not_seen(
    qtbot: QtBot, large_app: App, models: FakeModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_app.second_look._eye, "start", lambda: None)  # the moment does not end
    draw(qtbot, large_app, SMALL)
    wait_for(qtbot, large_app, inset(SMALL, CROP_INSET))
    assert large_app.session.draft is not None
    assert large_app.session.looking == {large_app.session.draft.number}
    accept(qtbot, large_app)
    qtbot.waitUntil(lambda: large_app.session.to_check == {1: 1})
    (proposed,) = stored(large_app)
    assert close_to(proposed.accepted, inset(SMALL))
    assert proposed.proposal is not None and close_to(proposed.proposal, inset(SMALL, CROP_INSET))


def test_an_answer_that_differs_by_less_than_a_pixel_is_no_proposal(
    qtbot: QtBot, large_app: App, models: FakeModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.gui.fakes.CROP_INSET", INSET + 0.9)
    start_to_look(qtbot, large_app, models, SMALL)
    accept(qtbot, large_app)
    models.encoder.gate.set()
    qtbot.waitUntil(lambda: large_app.encode.is_idle and not large_app.session.looking_stored)
    settled(qtbot, large_app)
    assert [entry.confirmed for entry in stored(large_app)] == [True]


def test_a_box_that_was_changed_before_its_later_answer_keeps_what_it_has(
    qtbot: QtBot, large_app: App, models: FakeModels
) -> None:
    start_to_look(qtbot, large_app, models, SMALL)
    accept(qtbot, large_app)
    large_app.session.select(large_app.session.corrections[0].id)
    qtbot.keyClick(large_app.window.canvas, Qt.Key.Key_Right)
    settled(qtbot, large_app)
    moved = stored(large_app)
    models.encoder.gate.set()
    qtbot.waitUntil(lambda: large_app.encode.is_idle and not large_app.session.looking_stored)
    settled(qtbot, large_app)
    assert stored(large_app) == moved


def test_a_box_that_was_accepted_before_the_hand_rested_is_left_alone(
    qtbot: QtBot, large_app: App, models: FakeModels
) -> None:
    draw(qtbot, large_app, SMALL)
    accept(qtbot, large_app)
    qtbot.waitUntil(lambda: large_app.encode.is_idle)
    assert models.encoder.calls == 1 and not large_app.session.looking_stored
    assert [entry.confirmed for entry in stored(large_app)] == [True]


def test_a_later_answer_comes_on_another_picture_and_not_in_another_project(
    qtbot: QtBot, large_app: App, models: FakeModels, pictures: Path
) -> None:
    start_to_look(qtbot, large_app, models, SMALL)
    accept(qtbot, large_app)
    large_app.open(pictures)
    qtbot.waitUntil(lambda: large_app.session.folder == pictures)
    assert large_app.session.looking_stored == frozenset()
    models.encoder.gate.set()
    ready(qtbot, large_app)
    qtbot.waitUntil(lambda: large_app.encode.is_idle)
    settled(qtbot, large_app)
    assert large_app.session.to_check == {} and large_app.window.notices.sentence.text() == ""


@pytest.fixture
def torn_app(finder: FakeFinder, large_app: App) -> App:
    """The same window with several answers to each box."""
    return large_app


def test_a_second_look_does_not_replace_the_answer_that_the_user_chose(
    qtbot: QtBot, torn_app: App, models: FakeModels
) -> None:
    models.encoder.gate.clear()
    draw(qtbot, torn_app, SMALL)
    qtbot.waitUntil(lambda: torn_app.session.draft is not None and bool(torn_app.session.draft.candidates))
    qtbot.waitUntil(lambda: is_doing(torn_app, ActivityKind.LOOKING_CLOSER))
    qtbot.keyClick(torn_app.window.canvas, Qt.Key.Key_X)
    models.encoder.gate.set()
    qtbot.waitUntil(lambda: torn_app.encode.is_idle and not torn_app.session.looking)
    assert close_to(shown(torn_app), whole_of(inset(SMALL)))
    accept(qtbot, torn_app)
    (correction,) = stored(torn_app)
    assert close_to(correction.accepted, whole_of(inset(SMALL))) and correction.confirmed


def test_the_candidates_follow_the_second_answer(qtbot: QtBot, torn_app: App) -> None:
    draw(qtbot, torn_app, SMALL)
    wait_for(qtbot, torn_app, inset(SMALL, CROP_INSET))
    second = inset(SMALL, CROP_INSET)
    qtbot.waitUntil(lambda: close_to(candidates(torn_app)[1], whole_of(second)))
    assert close_to(candidates(torn_app)[0], second)
    qtbot.waitUntil(lambda: not torn_app.session.looking)
    assert close_to(shown(torn_app), second)


def candidates(app: App) -> list[Box]:
    assert app.session.draft is not None
    return [candidate.box for candidate in app.session.draft.candidates] or [Box(0, 0, 1, 1)] * 3
