"""Lines, fills and names of boxes, as the settings have them."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.widgets import theme
from core.geometry import Box
from tests.gui.driving import accept, draw, leave

BOX = Box(40, 60, 160, 130)


def shown(app: App, **settings: int) -> QImage:
    app.session.set_settings(replace(app.session.settings, **settings))  # type: ignore[arg-type]
    leave(app.window.canvas)
    return app.window.canvas.grab().toImage()


def stored_box(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, BOX)
    accept(qtbot, app)


def colored(app: App, image: QImage) -> int:
    """How many pixels of the row through the middle of the box have the color of its category."""
    rect = app.window.canvas.view.to_screen(app.session.corrections[0].accepted)
    color = theme.category_color(app.session.corrections[0].category_id)
    return sum(image.pixelColor(x, round(rect.center().y())) == color for x in range(image.width()))


def test_lines_have_the_width_of_the_setting(qtbot: QtBot, app: App) -> None:
    stored_box(qtbot, app)
    thin, usual, wide = (colored(app, shown(app, line_width=width)) for width in (1, 2, 6))
    assert thin < usual < wide and wide >= 2 * 5


def test_the_drawn_box_and_its_refinement_have_it_too(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, BOX)
    assert app.session.draft is not None
    rect, widths = app.window.canvas.view.to_screen(app.session.draft.box), []
    y = round(rect.top() + rect.height() / 3)
    for width in (2, 6):
        image = shown(app, line_width=width)
        widths.append(sum(image.pixelColor(x, y) == theme.REFINED for x in range(image.width())))
    assert widths[1] > widths[0]


def test_boxes_are_filled_by_as_much_as_the_setting_says(qtbot: QtBot, app: App) -> None:
    stored_box(qtbot, app)
    middle = app.window.canvas.view.to_screen(app.session.corrections[0].accepted).center().toPoint()
    color = theme.category_color(app.session.corrections[0].category_id)
    bare, half, most = (shown(app, fill_opacity=percent).pixelColor(middle) for percent in (0, 40, 80))

    def distance(image_color: object) -> float:
        return sum(abs(a - b) for a, b in zip(image_color.getRgb(), color.getRgb(), strict=True))  # type: ignore[attr-defined]

    assert distance(bare) > distance(half) > distance(most) > 0
    assert abs(distance(half) / distance(bare) - 0.6) < 0.1


def test_names_have_the_size_of_the_setting(qtbot: QtBot, app: App) -> None:
    stored_box(qtbot, app)
    rect = app.window.canvas.view.to_screen(app.session.corrections[0].accepted)
    color = theme.category_color(app.session.corrections[0].category_id)

    def height(image: QImage) -> int:
        return sum(image.pixelColor(round(rect.left()) + 2, y) == color for y in range(round(rect.top()) - 3))

    small, usual, large = (height(shown(app, name_size=percent)) for percent in (70, 100, 200))
    assert 0 < small < usual < large


def test_a_red_sign_shows_that_the_refinement_is_off(app: App) -> None:
    def red(image: QImage) -> bool:
        return any(image.pixelColor(x, 12) == theme.OFF for x in range(8, 60))

    assert not red(shown(app))
    app.window.action_by_id["snapping"].trigger()
    assert red(shown(app))
    app.window.action_by_id["snapping"].trigger()
    assert not red(shown(app))
