"""Each stored box tells how the user made it: by a drag, clicks, keys or as a copy; later changes leave that."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.operations import clipboard
from boxrefine_gui.state.draft import Draft, from_file, kept_form
from core.geometry import Box
from core.records import Drawing, DrawnBy
from tests.gui.driving import Point, accept, click, draw, settled, stored

DRAWN = Box(20, 30, 120, 110)
CORNERS: tuple[Point, ...] = ((20, 30), (120, 110))
EXTREMES: tuple[Point, ...] = ((20, 60), (70, 30), (120, 80), (40, 110))


def ways(app: App) -> list[DrawnBy]:
    return [entry.drawn_by for entry in stored(app)]


@pytest.mark.parametrize(
    ("way", "points", "wanted"),
    [("two_clicks", CORNERS, DrawnBy.TWO_CLICKS), ("four_points", EXTREMES, DrawnBy.FOUR_POINTS)],
)
def test_clicks(qtbot: QtBot, app: App, way: str, points: tuple[Point, ...], wanted: DrawnBy) -> None:
    app.window.action_by_id[f"draw_by_{way}"].trigger()
    for point in points:
        click(app.window.canvas, point)
    accept(qtbot, app)
    draw(qtbot, app, Box(130, 30, 180, 90))  # a drag draws as ever
    accept(qtbot, app)
    assert ways(app) == [wanted, DrawnBy.DRAG]


def test_keys(qtbot: QtBot, app: App) -> None:
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_B)
    accept(qtbot, app)
    assert ways(app) == [DrawnBy.KEYS]


def test_a_box_that_is_refined_again_keeps_how_it_was_drawn(qtbot: QtBot, app: App) -> None:
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_B)
    accept(qtbot, app)
    (first,) = stored(app)
    app.session.select(first.id)
    app.window.action_by_id["refine_again"].trigger()
    qtbot.waitUntil(lambda: app.session.draft is not None and app.session.draft.is_current)
    accept(qtbot, app)
    settled(qtbot, app)
    (again,) = stored(app)
    assert again.drawn == first.accepted and again.drawn_by is DrawnBy.KEYS


def test_a_copy(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, DRAWN)
    accept(qtbot, app)
    app.session.select(stored(app)[0].id)
    clipboard.duplicate(app.parts)
    settled(qtbot, app)
    assert ways(app) == [DrawnBy.DRAG, DrawnBy.COPIED]


@pytest.mark.parametrize("way", [DrawnBy.DRAG, DrawnBy.TWO_CLICKS, DrawnBy.FOUR_POINTS, DrawnBy.KEYS])
def test_a_drawn_box_that_waits_in_the_file_keeps_it(way: DrawnBy) -> None:
    draft = Draft(1, 1, DRAWN, 0.0, drawn_by=way)
    back = from_file(kept_form(draft), number=-1)
    assert (back.drawn_by, back.drawing) == (way, draft.drawing)


def test_the_refiner_is_told_how_coarse_each_way_is() -> None:
    draft = Draft(1, 1, DRAWN, 0.0)
    coarse = {way: replace(draft, drawn_by=way).drawing for way in DrawnBy}
    assert coarse[DrawnBy.FOUR_POINTS] is Drawing.PLACED and coarse[DrawnBy.KEYS] is Drawing.COARSE
    assert coarse[DrawnBy.DRAG] is coarse[DrawnBy.TWO_CLICKS] is coarse[DrawnBy.UNKNOWN] is Drawing.DRAG
