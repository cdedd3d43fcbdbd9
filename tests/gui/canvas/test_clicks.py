"""Drawing by clicks: on two corners, or on the four outermost points; a drag draws and Ctrl selects as well."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.canvas.hints import first_steps
from boxrefine_gui.operations import box_verbs
from core.geometry import Box
from core.records import Drawing
from core.refiner.protocol import Refiner
from tests.gui.driving import Point, accept, click, close_to, drag, draw, hover, move, press, release, settled, stored
from tests.gui.fakes import inset
from tests.gui.operations.test_importing import sentence

DRAWN = Box(20, 30, 120, 110)
EXTREMES: tuple[Point, ...] = ((20, 60), (70, 30), (120, 80), (40, 110))
CTRL, ALT, SHIFT = (
    Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier,
)  # fmt: skip


def by(app: App, way: str) -> None:
    app.window.action_by_id[f"draw_by_{way}"].trigger()
    assert app.session.settings.draw_by == way


def choose(app: App, **choices: bool) -> None:
    box_verbs.choose_settings(app.parts, replace(app.session.settings, **choices))  # type: ignore[arg-type]


def drawn(app: App) -> Box:
    assert app.session.draft is not None
    return app.session.draft.drawn


# Two clicks


def test_the_box_follows_the_pointer_between_two_clicks(qtbot: QtBot, app: App) -> None:
    by(app, "two_clicks")
    canvas = app.window.canvas
    click(canvas, (20, 30))
    assert app.session.draft is None
    for corner in ((60, 60), (90, 80)):
        hover(app.window.canvas, corner)
        qtbot.waitUntil(lambda: app.session.draft is not None and app.session.draft.is_current)
        assert close_to(drawn(app), Box(20, 30, *corner))
        assert app.session.draft is not None and app.session.draft.is_held
        assert close_to(app.session.draft.box, inset(drawn(app)))
    click(canvas, (120, 110))
    assert close_to(drawn(app), DRAWN) and not app.session.draft.is_held
    hover(app.window.canvas, (150, 140))
    assert close_to(drawn(app), DRAWN)
    accept(qtbot, app)
    (correction,) = stored(app)
    assert close_to(correction.accepted, inset(DRAWN)) and 0 < correction.seconds < 30


def test_a_drag_draws_as_ever_while_boxes_are_drawn_by_clicks(qtbot: QtBot, app: App) -> None:
    for way in ("two_clicks", "four_points"):
        by(app, way)
        draw(qtbot, app, DRAWN)
        assert close_to(drawn(app), DRAWN)
        qtbot.keyClick(app.window.canvas, Qt.Key.Key_Escape)


def test_two_clicks_at_one_place_draw_nothing(qtbot: QtBot, app: App) -> None:
    by(app, "two_clicks")
    canvas = app.window.canvas
    click(canvas, (50, 50))
    click(canvas, (50, 50))
    hover(app.window.canvas, (120, 110))
    assert app.session.draft is None and not canvas.tools.click.is_active
    click(canvas, (50, 50))  # a box that grew and came back
    hover(app.window.canvas, (120, 110))
    click(canvas, (50, 50))
    assert app.session.draft is None and not canvas.tools.click.is_active
    assert app.window.notices.sentence.text() == ""


def test_a_thin_one_makes_no_box_and_says_so(app: App) -> None:
    by(app, "two_clicks")
    click(app.window.canvas, (50, 50))
    click(app.window.canvas, (150, 50.5))
    assert app.session.draft is None
    assert sentence(app).startswith("That made no box: each side takes 6 pixels of the screen.")


@pytest.mark.parametrize("key", [Qt.Key.Key_Escape, Qt.Key.Key_Backspace])
def test_escape_and_backspace_take_the_corner_back(qtbot: QtBot, app: App, key: Qt.Key) -> None:
    canvas = app.window.canvas
    draw(qtbot, app, Box(130, 20, 190, 80))
    by(app, "two_clicks")
    click(canvas, (20, 30))
    hover(app.window.canvas, (120, 110))
    qtbot.keyClick(canvas, key)
    assert not canvas.tools.click.is_active and close_to(drawn(app), Box(130, 20, 190, 80))
    hover(app.window.canvas, (150, 140))
    assert close_to(drawn(app), Box(130, 20, 190, 80))


def test_the_next_box_accepts_the_one_before(qtbot: QtBot, app: App) -> None:
    by(app, "two_clicks")
    canvas = app.window.canvas
    for corners in (((20, 30), (120, 110)), ((130, 20), (190, 80))):
        for corner in corners:
            click(canvas, corner)
        qtbot.waitUntil(lambda: app.session.draft is not None and app.session.draft.is_current)
    settled(qtbot, app)
    assert [close_to(entry.drawn, DRAWN) for entry in stored(app)] == [True]


def test_space_between_two_clicks_accepts_what_is_shown(qtbot: QtBot, app: App) -> None:
    by(app, "two_clicks")
    click(app.window.canvas, (20, 30))
    hover(app.window.canvas, (120, 110))
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_Space)
    hover(app.window.canvas, (150, 140))
    settled(qtbot, app)
    assert [close_to(entry.drawn, DRAWN) for entry in stored(app)] == [True]
    assert app.session.draft is None and not app.window.canvas.tools.click.is_active


def test_a_half_drawn_box_does_not_stay_on_an_image_that_the_user_leaves(qtbot: QtBot, app: App) -> None:
    by(app, "two_clicks")
    draw(qtbot, app, Box(130, 20, 190, 80))
    click(app.window.canvas, (20, 30))
    hover(app.window.canvas, (120, 110))
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_D)
    settled(qtbot, app)
    assert app.session.row == 1 and app.session.drawn_count == 0
    assert [close_to(entry.drawn, Box(130, 20, 190, 80)) for entry in stored(app)] == [True]  # the image accepts it
    hover(app.window.canvas, (150, 140))
    click(app.window.canvas, (10, 10))
    assert app.session.draft is None


def test_auto_accept_accepts_at_the_last_click(qtbot: QtBot, app: App) -> None:
    choose(app, auto_accept=True)
    for way, points in (("two_clicks", ((20, 30), (120, 110))), ("four_points", EXTREMES)):
        by(app, way)
        for point in points:
            click(app.window.canvas, point)
        settled(qtbot, app)
    assert [close_to(entry.drawn, DRAWN) for entry in stored(app)] == [True, True]


def test_the_view_may_change_between_two_clicks(qtbot: QtBot, app: App) -> None:
    by(app, "two_clicks")
    click(app.window.canvas, (20, 30))
    app.window.canvas.zoom(1.5)
    click(app.window.canvas, (120, 110))
    assert close_to(drawn(app), DRAWN)


def test_alt_keeps_the_box_as_it_is_drawn(qtbot: QtBot, app: App) -> None:
    for way, points in (("two_clicks", ((20, 30), (120, 110))), ("four_points", EXTREMES)):
        by(app, way)
        for point in points:
            press(app.window.canvas, point, ALT)
            release(app.window.canvas, point, ALT)
        assert app.session.draft is not None and app.session.draft.plain, way


# Four points


def test_four_points_make_their_bounding_box(qtbot: QtBot, app: App) -> None:
    by(app, "four_points")
    for number, point in enumerate(EXTREMES):
        clicks = app.window.canvas.tools.click.clicks
        assert (len(clicks.points) if clicks is not None else 0) == number
        click(app.window.canvas, point)
    assert app.window.canvas.tools.click.clicks is None
    assert close_to(drawn(app), DRAWN)
    qtbot.waitUntil(lambda: app.session.draft is not None and app.session.draft.is_current)
    accept(qtbot, app)
    assert len(stored(app)) == 1


def test_the_last_point_can_be_taken_back(qtbot: QtBot, app: App) -> None:
    by(app, "four_points")
    canvas = app.window.canvas
    for point in ((5, 5), *EXTREMES[:2]):
        click(canvas, point)
    for _ in range(3):
        qtbot.keyClick(canvas, Qt.Key.Key_Backspace)
    assert canvas.tools.click.clicks is None
    for point in EXTREMES:
        click(canvas, point)
    assert close_to(drawn(app), DRAWN)
    qtbot.keyClick(canvas, Qt.Key.Key_Backspace)  # with no point left it means the drawn box
    assert app.session.draft is None


def test_escape_takes_all_points_back_and_no_box(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, Box(130, 20, 190, 80))
    by(app, "four_points")
    for point in EXTREMES[:3]:
        click(app.window.canvas, point)
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_Escape)
    assert app.window.canvas.tools.click.clicks is None and app.session.draft is not None
    for point in EXTREMES:
        click(app.window.canvas, point)
    assert close_to(drawn(app), DRAWN)


def test_points_outside_the_picture_count_as_its_border(app: App) -> None:
    by(app, "four_points")
    for point in ((-3, 60), (70, -2), (203, 80), (40, 152)):
        click(app.window.canvas, point)
    assert close_to(drawn(app), Box(0, 0, 200, 150))


def test_four_points_in_a_line_make_no_box_and_the_last_one_can_be_set_again(app: App) -> None:
    by(app, "four_points")
    for x in (20, 40, 60, 80):
        click(app.window.canvas, (x, 50))
    assert sentence(app) == "These points make no box: one of its sides is too short. Click another last point."
    click(app.window.canvas, (60, 90))
    assert close_to(drawn(app), Box(20, 50, 60, 90))


# What the refiner is told


@pytest.mark.parametrize(
    ("way", "points", "wanted"),
    [("two_clicks", ((20, 30), (120, 110)), Drawing.DRAG), ("four_points", EXTREMES, Drawing.PLACED)],
)
def test_the_refiner_is_told_how_the_box_was_drawn(
    qtbot: QtBot, app: App, way: str, points: tuple[Point, ...], wanted: Drawing
) -> None:
    models, asked = app.session.models, []
    assert models is not None

    def for_drawing(refiner: Refiner, drawing: Drawing) -> Refiner:
        asked.append(drawing)
        return refiner

    app.session.set_models(replace(models, for_drawing=for_drawing))
    by(app, way)
    for point in points:
        click(app.window.canvas, point)
    qtbot.waitUntil(lambda: app.session.draft is not None and app.session.draft.is_current)
    assert set(asked) == {wanted}


# Selecting and editing


@pytest.mark.parametrize("way", ["two_clicks", "four_points"])
def test_a_click_with_ctrl_selects(qtbot: QtBot, app: App, way: str) -> None:
    draw(qtbot, app, DRAWN)
    accept(qtbot, app)
    by(app, way)
    canvas = app.window.canvas
    press(canvas, (70, 70), CTRL)
    release(canvas, (70, 70), CTRL)
    assert app.session.selected_id == stored(app)[0].id
    drag(canvas, [(70, 70), (90, 80)], SHIFT)  # moves it
    settled(qtbot, app)
    assert close_to(stored(app)[0].accepted, Box(42, 42, 138, 118))
    drag(canvas, [(138, 118), (128, 108)])  # its handle
    settled(qtbot, app)
    assert close_to(stored(app)[0].accepted, Box(42, 42, 128, 108))
    assert not canvas.tools.click.is_active and app.session.draft is None


def test_a_plain_click_in_a_box_draws(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, DRAWN)
    accept(qtbot, app)
    by(app, "two_clicks")
    for corner in ((50, 50), (90, 90)):
        click(app.window.canvas, corner)
    assert close_to(drawn(app), Box(50, 50, 90, 90)) and app.session.selected_id is None


def test_another_way_to_draw_takes_the_clicks_back(app: App) -> None:
    by(app, "four_points")
    click(app.window.canvas, (20, 30))
    by(app, "two_clicks")
    assert app.window.canvas.tools.click.clicks is None
    click(app.window.canvas, (20, 30))
    hover(app.window.canvas, (120, 110))
    by(app, "drag")
    assert app.window.canvas.tools.click.clicks is None and app.session.draft is None
    move(app.window.canvas, (150, 140))
    assert app.session.draft is None


def test_the_first_steps_say_what_to_click(app: App) -> None:
    by(app, "two_clicks")
    assert first_steps(app.session).startswith("Click two opposite corners of an object.")
    by(app, "four_points")
    assert first_steps(app.session).startswith("Click the four outermost points of an object.")


def test_a_cancelled_drag_leaves_the_box_before_it_as_it_was(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, DRAWN)
    canvas = app.window.canvas
    press(canvas, (130, 20))
    move(canvas, (190, 80))
    qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    release(canvas, (190, 80))
    assert close_to(drawn(app), DRAWN)
    qtbot.keyClick(canvas, Qt.Key.Key_D)  # the next image accepts it
    settled(qtbot, app)
    assert len(stored(app)) == 1
