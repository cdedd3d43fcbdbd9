"""The tour waits for the user's own steps, marks what it speaks of, and leaves the window usable."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.operations import opening
from boxrefine_gui.panels.tour import MARK
from boxrefine_gui.panels.tour_steps import STEPS
from core.geometry import Box
from core.settings import load_settings, settings_path
from tests.gui.driving import accept, click, drag, draw, ready, settled


@pytest.fixture
def sample(qtbot: QtBot, closed_app: App) -> App:
    """A window on the sample project."""
    opening.open_sample(closed_app.parts)
    closed_app.session.set_models(None)
    opening.load_models(closed_app.parts)
    qtbot.waitUntil(lambda: closed_app.session.picture is not None, timeout=20000)
    ready(qtbot, closed_app)
    return closed_app


def number(app: App) -> int:
    """The number of the step that waits for the user, from 1."""
    step = app.window.tour.step
    return 0 if step is None else STEPS.index(step) + 1


def test_it_goes_on_as_the_user_does_what_it_asks_for(qtbot: QtBot, sample: App) -> None:
    app, tour, canvas = sample, sample.window.tour, sample.window.canvas
    assert tour.isVisible() and number(app) == 0  # it offers itself
    qtbot.mouseClick(tour.next, Qt.MouseButton.LeftButton)
    assert number(app) == 1 and canvas.hasFocus()
    box = Box(40, 60, 160, 180)
    draw(qtbot, app, box)
    assert number(app) == 2 and "Space" in tour.sentence.text()
    accept(qtbot, app)
    assert number(app) == 3
    stored = app.session.corrections[0].accepted
    click(canvas, (stored.x1, (stored.y1 + stored.y2) / 2))
    assert app.session.selected is not None
    at = (stored.x2, stored.y2)
    drag(canvas, [at, (at[0] + 10, at[1] + 10), (at[0] + 20, at[1] + 20)])
    settled(qtbot, app)
    assert number(app) == 4 and "Ctrl+Z" in tour.sentence.text()
    app.window.action_by_id["undo"].trigger()
    settled(qtbot, app)
    assert number(app) == 5
    marked = [id for id, action in app.window.action_by_id.items() if is_marked(app, action)]
    assert marked == ["suggest_rest"]
    for id in ("suggest_rest", "done_next"):
        app.window.action_by_id[id].trigger()
    assert number(app) == 7
    qtbot.mouseClick(tour.next, Qt.MouseButton.LeftButton)
    assert "F1" in tour.sentence.text() and not any(is_marked(app, it) for it in app.window.action_by_id.values())
    qtbot.mouseClick(tour.next, Qt.MouseButton.LeftButton)
    assert not tour.isVisible()
    settled(qtbot, app)


def is_marked(app: App, action: object) -> bool:
    button = app.window.bar.widgetForAction(action)  # type: ignore[arg-type]
    return button is not None and bool(button.property(MARK))


def test_it_is_offered_once_and_comes_back_from_the_menu(qtbot: QtBot, sample: App) -> None:
    tour = sample.window.tour
    qtbot.mouseClick(tour.skip, Qt.MouseButton.LeftButton)
    assert not tour.isVisible() and sample.window.canvas.hasFocus()
    qtbot.waitUntil(lambda: sample.files.is_idle)
    assert load_settings(settings_path()).tour_seen
    opening.open_sample(sample.parts)
    qtbot.waitUntil(lambda: sample.session.scan is None and sample.session.picture is not None, timeout=20000)
    assert not tour.isVisible()
    sample.window.action_by_id["tour"].trigger()
    assert tour.isVisible() and number(sample) == 1
    ready(qtbot, sample)


def test_back_next_and_escape_work_without_doing_anything(qtbot: QtBot, sample: App) -> None:
    tour = sample.window.tour
    tour.begin()
    for button, expected in ((tour.next, 2), (tour.next, 3), (tour.back, 2), (tour.back, 1)):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert number(sample) == expected
    assert not tour.back.isVisible()
    qtbot.keyClick(sample.window.canvas, Qt.Key.Key_Escape)
    assert not tour.isVisible()
    tour.begin()
    tour.next.setFocus()
    qtbot.keyClick(tour.next, Qt.Key.Key_Escape)
    assert not tour.isVisible() and sample.window.canvas.hasFocus()


def test_it_covers_nothing_and_shows_the_keys_that_the_user_chose(qtbot: QtBot, sample: App) -> None:
    window, tour = sample.window, sample.window.tour
    before = window.canvas.geometry()
    window.sides.toggle("right")
    tour.begin()
    assert window.sides.shows("right") and tour.isVisible()
    qtbot.waitUntil(lambda: window.canvas.geometry() == before)
    assert not window.canvas.isAncestorOf(tour)
    tour._show(1)
    sample.session.set_keys({**sample.session.keys, "accept": "Ctrl+Y"})
    sample.session.settings_changed.emit()
    assert "Ctrl+Y" in tour.sentence.text()


def test_it_is_not_offered_on_the_users_own_pictures(app: App) -> None:
    assert not app.window.tour.isVisible()


def test_the_offer_goes_when_the_user_opens_own_pictures_and_comes_back_with_the_sample(
    qtbot: QtBot, sample: App, pictures: Path
) -> None:
    tour = sample.window.tour
    assert tour.isVisible()
    sample.open(pictures)
    qtbot.waitUntil(lambda: sample.session.folder == pictures)
    assert not tour.isVisible()
    opening.open_sample(sample.parts)
    qtbot.waitUntil(tour.isVisible)
