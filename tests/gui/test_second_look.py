"""A box is looked at again when the hand rests, and never at the cost of the live answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from core.errors import StorageError
from core.geometry import Box
from tests.gui.driving import accept, close_to, draw, move, press, ready, release, stored
from tests.gui.fakes import CROP_INSET, INSET, FakeModels, inset

SMALL = Box(1000, 800, 1090, 880)
LARGE = Box(500, 300, 2000, 1500)


@pytest.fixture
def models() -> FakeModels:
    models = FakeModels()
    models.looks_twice = True
    return models


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
    accept(qtbot, large_app)
    (correction,) = stored(large_app)
    assert close_to(correction.accepted, inset(SMALL, CROP_INSET))
    assert close_to(correction.drawn, SMALL)


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
    qtbot.waitUntil(lambda: "looking closer" in large_app.session.activity)
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
    qtbot.waitUntil(lambda: "looking closer" in large_app.session.activity)
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
    qtbot.waitUntil(lambda: "looking closer" in large_app.session.activity)
    models.refiner.fault = StorageError("The refiner is gone: start again.")
    models.encoder.gate.set()
    qtbot.waitUntil(lambda: "refiner is gone" in large_app.window.notices.sentence.text())
    assert close_to(shown(large_app), inset(SMALL))
    models.refiner.fault = None
