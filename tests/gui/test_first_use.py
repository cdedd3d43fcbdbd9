"""What somebody sees who has never used the window: hints, words beside the box, and nothing that moves away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QCheckBox, QRadioButton, QStyle, QStyleOptionButton
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.canvas.hints import first_steps, why_no_picture, words_beside
from boxrefine_gui.operations import box_verbs, drawing
from boxrefine_gui.widgets import theme
from core.errors import BadFileError
from core.geometry import Box
from tests.gui.driving import accept, close_to, draw, move, press, ready, release

DRAWN = Box(20, 30, 120, 110)


def test_a_newcomer_is_told_how_it_goes_until_the_first_box(qtbot: QtBot, app: App) -> None:
    assert "Space accepts it" in first_steps(app.session)
    app.window.action_by_id["auto_accept"].trigger()
    assert "letting go accepts it" in first_steps(app.session)
    app.window.action_by_id["auto_accept"].trigger()
    draw(qtbot, app, DRAWN)
    assert first_steps(app.session) == ""
    accept(qtbot, app)
    assert first_steps(app.session) == ""


def test_the_key_and_the_category_stand_beside_the_drawn_box(qtbot: QtBot, app: App) -> None:
    def words() -> str:
        assert app.session.draft is not None
        return words_beside(app.session.draft, app.session, is_dragging=False)

    draw(qtbot, app, DRAWN)
    assert words() == "Space: accept     C: category     Escape: discard"
    box_verbs.add_category(app.parts, "cup")
    qtbot.waitUntil(lambda: app.session.category_id is not None)
    assert words() == "Space: accept as cup     C: category     Escape: discard"
    app.session.set_drawn(DRAWN, plain=True)
    assert words() == "Space: accept as cup, as drawn     C: category     Escape: discard"
    accept(qtbot, app)
    app.session.select(app.session.corrections[0].id)
    drawing.refine_again(app.parts)
    assert words() == "Space: accept     Escape: keep it as it was"


def test_while_a_folder_is_being_opened_nobody_is_asked_to_open_one(
    qtbot: QtBot, closed_app: App, pictures: Path, tmp_path: Path
) -> None:
    session = closed_app.session
    assert "Open a folder" in why_no_picture(session)
    closed_app.open(tmp_path / "nowhere")
    assert why_no_picture(session) == ""
    qtbot.waitUntil(lambda: "Open a folder" in why_no_picture(session))
    assert "nowhere" in closed_app.window.notices.sentence.text()
    closed_app.open(pictures)
    assert "opening pictures" in closed_app.window.status.activity.text()
    ready(qtbot, closed_app)
    assert session.scan is None


def test_models_load_also_where_no_picture_comes(qtbot: QtBot, closed_app: App, tmp_path: Path) -> None:
    closed_app.open(tmp_path / "nowhere")
    assert "loading the model" in closed_app.window.status.activity.text()
    assert "until it is there" in closed_app.window.status.activity.text()
    qtbot.waitUntil(lambda: closed_app.session.models is not None)


def test_icons_are_drawn_in_the_colours_of_the_scheme_and_only_then(app: App) -> None:
    def drawn() -> int:
        return app.window.action_by_id["undo"].icon().cacheKey()

    seen = []
    for theme_, masks in (("light", True), ("light", False), ("dark", False), ("dark", True)):
        box_verbs.choose_settings(app.parts, replace(app.session.settings, theme=theme_, show_masks=masks))
        seen.append(drawn())
    assert seen[0] == seen[1] != seen[2] == seen[3]


def test_empty_lists_say_so(app: App) -> None:
    for view in (app.window.boxes, app.window.categories.view):
        shown = view.viewport().grab().toImage()
        ground = shown.pixelColor(shown.width() - 2, shown.height() - 2)
        inked = (shown.pixelColor(x, y) != ground for x in range(shown.width()) for y in range(40))
        assert any(inked)


def test_a_notice_moves_nothing_under_a_drawing_hand(qtbot: QtBot, app: App) -> None:
    canvas = app.window.canvas
    press(canvas, (20, 30))
    move(canvas, (90, 80))
    before = (canvas.geometry(), canvas.view)
    app.session.report(BadFileError("The picture x.png is damaged: replace it."))
    qtbot.waitUntil(lambda: app.window.notices.height() > 20)
    assert (canvas.geometry(), canvas.view) == before
    assert app.window.notices.width() == canvas.width()
    release(canvas, (90, 80))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_notice_can_be_read(qtbot: QtBot, app: App, scheme: str) -> None:
    box_verbs.choose_settings(app.parts, replace(app.session.settings, theme=scheme))
    notices = app.window.notices
    for show in (app.session.tell, lambda words: app.session.report(BadFileError(words))):
        show("The picture x.png is damaged: replace it.")
        qtbot.waitUntil(lambda: notices.height() > 20)
        shown = notices.grab().toImage()
        ground = shown.pixelColor(shown.width() // 2, 2)
        inked = (shown.pixelColor(x, y) for x in range(10, shown.width() // 2) for y in range(shown.height()))
        assert max(_contrast(color, ground) for color in inked) >= 7


def test_escape_closes_a_notice_when_there_is_nothing_else_to_give_up(qtbot: QtBot, app: App) -> None:
    notices, canvas = app.window.notices, app.window.canvas
    app.session.tell("3 boxes written.")
    draw(qtbot, app, DRAWN)
    qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    assert app.session.draft is None
    assert notices.sentence.isVisible()
    qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    assert not notices.sentence.isVisible()


def test_escape_leaves_the_line_for_a_new_category(qtbot: QtBot, app: App) -> None:
    name = app.window.categories.new_name
    name.setFocus()
    qtbot.keyClicks(name, "cu")
    qtbot.keyClick(name, Qt.Key.Key_Escape)
    assert name.text() == ""
    assert app.window.canvas.hasFocus()
    assert app.session.categories == ()


def test_the_next_picture_is_shown_whole_even_where_it_was_at_hand(qtbot: QtBot, app: App) -> None:
    canvas, whole = app.window.canvas, app.window.canvas.view
    for key in (Qt.Key.Key_D, Qt.Key.Key_A, Qt.Key.Key_D):
        canvas.zoom(4.0)
        qtbot.keyClick(canvas, key)
        qtbot.waitUntil(lambda: app.session.picture is not None)
        assert canvas.view == whole


def test_where_a_drag_began_stays_there_when_the_view_changes(app: App) -> None:
    canvas = app.window.canvas
    press(canvas, (20, 30))
    move(canvas, (90, 80))
    canvas.zoom(2.0, QPointF(0, 0))
    move(canvas, (120, 110))
    assert app.session.draft is not None
    assert close_to(app.session.draft.drawn, DRAWN)
    release(canvas, (120, 110))


def test_no_category_looks_like_a_refinement() -> None:
    for category_id in range(1, 30):
        color = theme.category_color(category_id)
        for other in (theme.REFINED, theme.DOUBTFUL, theme.DRAWN):
            assert _distance(color, other) > 60


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_wrong_is_written_with_contrast(app: App, scheme: str) -> None:
    session = app.session
    box_verbs.choose_settings(app.parts, replace(session.settings, theme=scheme))
    palette = QApplication.palette()
    for ground in (palette.base().color(), palette.highlight().color()):
        assert _contrast(theme.problem_color(), ground) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", [QCheckBox, QRadioButton])
def test_what_can_be_ticked_stands_out_and_so_does_its_mark(
    qtbot: QtBot, app: App, scheme: str, kind: type[QCheckBox | QRadioButton]
) -> None:
    box_verbs.choose_settings(app.parts, replace(app.session.settings, theme=scheme))
    button = kind()
    qtbot.addWidget(button)
    button.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
    button.show()
    ground = QApplication.palette().window().color()
    outline = {color.rgb() for color in _colors(button, skip=0)}
    assert max(_contrast(QColor(rgb), ground) for rgb in outline) >= (3 if scheme == "dark" else 1.5)
    inside = _colors(button, skip=4)[0]
    button.setChecked(True)
    assert max(_contrast(color, inside) for color in _colors(button, skip=4)) >= 4.5


def _colors(button: QCheckBox | QRadioButton, *, skip: int) -> list[QColor]:
    """What the indicator is painted in, `skip` pixels from its edges."""
    option = QStyleOptionButton()
    button.initStyleOption(option)
    is_box = isinstance(button, QCheckBox)
    part = QStyle.SubElement.SE_CheckBoxIndicator if is_box else QStyle.SubElement.SE_RadioButtonIndicator
    place = button.style().subElementRect(part, option, button).adjusted(skip, skip, -skip, -skip)
    shown = button.grab().toImage()
    return [
        shown.pixelColor(x, y)
        for x in range(place.left(), place.right() + 1)
        for y in range(place.top(), place.bottom() + 1)
    ]


def test_the_painted_edge_lies_between_the_pixels_that_are_stored(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, DRAWN)
    accept(qtbot, app)
    canvas, (stored,) = app.window.canvas, app.session.corrections
    scale, view = canvas.view.scale, canvas.view
    canvas.zoom(16.0, QPointF(stored.accepted.x1 * scale + view.left, stored.accepted.y1 * scale + view.top))
    corner = canvas.view.to_screen(stored.accepted).topLeft()
    shown, color = canvas.grab().toImage(), theme.category_color(stored.category_id)
    row = round(corner.y()) + 40
    on_line = [x for x in range(shown.width()) if _distance(shown.pixelColor(x, row), color) < 40]
    assert on_line and abs(sum(on_line) / len(on_line) + 0.5 - corner.x()) <= 1


def _distance(first: QColor, second: QColor) -> float:
    pairs = zip(first.getRgb()[:3], second.getRgb()[:3], strict=True)  # type: ignore[index]
    return float(sum((a - b) ** 2 for a, b in pairs) ** 0.5)


def _contrast(first: QColor, second: QColor) -> float:
    """WCAG 2's contrast ratio."""
    lights = sorted((_luminance(first), _luminance(second)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _luminance(color: QColor) -> float:
    parts = (color.redF(), color.greenF(), color.blueF())
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
