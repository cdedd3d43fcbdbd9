"""Doubt: boxes that were accepted with an unsure edge are flagged until somebody confirms or moves them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.canvas.hints import words_in_doubt
from boxrefine_gui.operations import box_verbs, checking
from boxrefine_gui.panels.image_list import ROW, Row
from boxrefine_gui.widgets import theme
from core.geometry import Box
from core.store.project_store import ProjectStore
from tests.core.projects import title
from tests.gui.driving import accept, click, drag, draw, ready, settled, stored
from tests.gui.fakes import CONFIDENCE, inset
from tests.gui.operations.test_importing import sentence
from tests.gui.operations.test_refine_all import CTRL, SHIFT, coarse, press, refine

__all__ = ["coarse"]

FIRST, SECOND = Box(20, 30, 80, 100), Box(100, 40, 180, 120)
UNSURE = (2,)
"""The edge that the fake refiner is not sure of: CONFIDENCE has 0.3 there."""


@pytest.fixture
def doubtful(qtbot: QtBot, app: App) -> App:
    """A window with a doubtful box on each of the first two images, the second one shown."""
    draw(qtbot, app, FIRST)
    accept(qtbot, app)
    box_verbs.step_image(app.parts, 1)
    ready(qtbot, app)
    draw(qtbot, app, SECOND)
    accept(qtbot, app)
    return app


def box_row(app: App, role: Qt.ItemDataRole, row: int = 0) -> object:
    model = app.window.boxes.model()
    return model.data(model.index(row, 0), role)


def image_row(app: App, row: int) -> Row:
    model = app.window.images.model()
    found = model.data(model.index(row, 0), ROW)
    assert isinstance(found, Row)
    return found


@pytest.mark.parametrize("way", ["return", "auto", "next drag", "next image"])
def test_every_way_of_accepting_flags_an_unsure_edge(qtbot: QtBot, app: App, way: str) -> None:
    if way == "auto":
        app.window.action_by_id["auto_accept"].trigger()
    draw_only = way != "auto"
    if draw_only:
        draw(qtbot, app, FIRST)
    if way == "return":
        press(qtbot, app, Qt.Key.Key_Return)
    elif way == "next drag":
        draw(qtbot, app, SECOND)
    elif way == "next image":
        box_verbs.step_image(app.parts, 1)
    else:
        drag(app.window.canvas, [(20, 30), (50, 60), (80, 100)])
    qtbot.waitUntil(lambda: len(stored(app)) == 1)
    settled(qtbot, app)
    assert stored(app)[0].doubtful == UNSURE
    assert app.session.doubtful == {app.session.images[0].id: 1}


def test_a_box_that_is_edited_before_it_is_accepted_is_in_doubt_only_where_it_was_not(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, FIRST)
    press(qtbot, app, Qt.Key.Key_E)  # the least sure edge, which is the right one
    press(qtbot, app, Qt.Key.Key_Right, CTRL)
    accept(qtbot, app)
    assert stored(app)[0].doubtful == ()


def test_the_lists_say_which_edge_and_what_to_do(qtbot: QtBot, doubtful: App) -> None:
    tip = str(box_row(doubtful, Qt.ItemDataRole.ToolTipRole))
    assert "edge in doubt: right" in tip
    assert "press Space if it is right" in tip
    assert "edge in doubt: right" in str(box_row(doubtful, Qt.ItemDataRole.AccessibleTextRole))
    assert [image_row(doubtful, row).doubtful for row in range(3)] == [1, 1, 0]
    assert "1 box with an edge in doubt" in image_row(doubtful, 0).description
    model = doubtful.window.images.model()
    assert "1 box with an edge in doubt" in str(model.data(model.index(0, 0), Qt.ItemDataRole.ToolTipRole))


def test_the_icon_marks_the_edge(qtbot: QtBot, doubtful: App) -> None:
    side = theme.SWATCH_SIDE
    marked = theme.swatch(1, doubtful=(2,)).pixmap(side, side).toImage()
    plain = theme.swatch(1).pixmap(side, side).toImage()
    differing = {x for x in range(side) for y in range(side) if marked.pixel(x, y) != plain.pixel(x, y)}
    assert differing and min(differing) > side / 2
    icon = box_row(doubtful, Qt.ItemDataRole.DecorationRole)
    assert icon.pixmap(side, side).toImage() == marked  # type: ignore[attr-defined]


def test_shift_n_goes_through_them_on_all_images_and_return_finds_them_right(qtbot: QtBot, doubtful: App) -> None:
    for row, drawn in ((1, SECOND), (0, FIRST), (1, SECOND)):
        press(qtbot, doubtful, Qt.Key.Key_N, SHIFT)
        qtbot.waitUntil(lambda row=row: doubtful.session.row == row and doubtful.session.selected is not None)
        assert doubtful.session.selected is not None
        assert doubtful.session.selected.accepted.x2 == pytest.approx(inset(drawn).x2)
    press(qtbot, doubtful, Qt.Key.Key_Return)
    settled(qtbot, doubtful)
    assert [box.doubtful for box in stored(doubtful)] == [UNSURE, ()]
    assert title(doubtful.session.undo_steps[0]) == "Keep box"
    press(qtbot, doubtful, Qt.Key.Key_N, SHIFT)
    qtbot.waitUntil(lambda: doubtful.session.row == 0 and doubtful.session.selected is not None)
    press(qtbot, doubtful, Qt.Key.Key_K)
    settled(qtbot, doubtful)
    press(qtbot, doubtful, Qt.Key.Key_N, SHIFT)
    assert sentence(doubtful) == checking.NO_DOUBT
    press(qtbot, doubtful, Qt.Key.Key_Z, CTRL)
    settled(qtbot, doubtful)
    assert sorted(doubtful.session.doubtful.values()) == [1]


def test_a_move_ends_the_doubt_and_undo_brings_it_back(qtbot: QtBot, doubtful: App) -> None:
    click(doubtful.window.canvas, (140, 80))
    assert doubtful.session.selected is not None
    assert "edge in doubt: right" in words_in_doubt(doubtful.session.selected, doubtful.session)
    press(qtbot, doubtful, Qt.Key.Key_Right, CTRL)
    settled(qtbot, doubtful)
    assert [box.doubtful for box in stored(doubtful)] == [UNSURE, ()]
    press(qtbot, doubtful, Qt.Key.Key_Z, CTRL)
    settled(qtbot, doubtful)
    assert [box.doubtful for box in stored(doubtful)] == [UNSURE, UNSURE]


def test_proposals_that_are_taken_are_flagged_and_those_that_are_not_are_not(qtbot: QtBot, coarse: App) -> None:
    refine(qtbot, coarse, CTRL | SHIFT)
    press(qtbot, coarse, Qt.Key.Key_N)
    press(qtbot, coarse, Qt.Key.Key_K)
    settled(qtbot, coarse)
    coarse.window.action_by_id["accept_proposals"].trigger()
    settled(qtbot, coarse)
    held = stored(coarse)
    assert all(box.edge_confidence == CONFIDENCE for box in held)
    assert sorted(box.doubtful for box in held) == [(), UNSURE, UNSURE, UNSURE]
    assert sum(coarse.session.doubtful.values()) == 3


def test_a_window_that_opens_the_project_knows_of_the_doubt(qtbot: QtBot, doubtful: App, pictures: Path) -> None:
    counts = dict(doubtful.session.doubtful)
    assert doubtful.session.project_path is not None
    doubtful.session.doubtful = {}
    doubtful.open(pictures)
    qtbot.waitUntil(lambda: doubtful.session.doubtful == counts)
    project = ProjectStore.open(doubtful.session.project_path)
    try:
        assert project.doubtful() == counts
    finally:
        project.close()
