"""Notices stand below the picture: nothing moves when one comes, the keyboard stays, and none is lost under another."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.state.level import Level
from boxrefine_gui.widgets import theme
from boxrefine_gui.widgets.notices import NoticeList
from boxrefine_gui.widgets.two_lines import TwoLines
from core.errors import BadFileError
from tests.gui.driving import drag

LONG = "The picture is damaged, " * 40 + "so replace it."


def place(app: App, widget: QWidget) -> QRect:
    """Where a widget stands in the window."""
    return QRect(widget.mapTo(app.window, QPoint(0, 0)), widget.size())


def warn(app: App, *names: str) -> None:
    for name in names:
        app.session.report(BadFileError(f"The picture {name} is damaged: replace it."))


def test_notices_come_and_go_below_the_picture_and_move_nothing(app: App) -> None:
    canvas, notices = app.window.canvas, app.window.notices
    before = canvas.geometry(), canvas.view, notices.geometry()
    app.session.report(BadFileError(LONG))
    assert (canvas.geometry(), canvas.view, notices.geometry()) == before
    assert not place(app, canvas).intersects(place(app, notices))
    notices.dismiss()
    assert (canvas.geometry(), canvas.view, notices.geometry()) == before


def test_a_drag_may_begin_at_any_pixel_of_the_picture_under_a_notice(app: App) -> None:
    warn(app, "a.png")
    canvas = app.window.canvas
    for y in (1, canvas.height() - 2):
        assert app.window.childAt(canvas.mapTo(app.window, QPoint(canvas.width() // 2, y))) is canvas
    drag(canvas, [(20, 100), (60, 120), (90, 149)])
    assert app.session.draft is not None


def test_several_are_counted_and_closing_one_shows_the_next_newest(qtbot: QtBot, app: App) -> None:
    notices = app.window.notices
    warn(app, "a.png", "b.png")
    app.session.tell("3 boxes written.")
    assert notices.sentence.text() == "3 boxes written." and notices.more.text() == "1 of 3"
    qtbot.mouseClick(notices.more, Qt.MouseButton.LeftButton)
    assert "b.png" in notices.sentence.text() and notices.more.text() == "2 of 3"
    qtbot.mouseClick(notices.close_button, Qt.MouseButton.LeftButton)
    assert notices.sentence.text() == "3 boxes written." and notices.more.text() == "1 of 2"
    notices.dismiss()
    assert "a.png" in notices.sentence.text() and not notices.more.isVisible()
    notices.dismiss()
    assert not notices.sentence.isVisible() and notices.shown is None


def test_a_passing_one_replaces_the_one_before_and_uncovers_what_stays(app: App) -> None:
    notices = app.window.notices
    warn(app, "a.png", "a.png")
    app.session.tell("One.")
    app.session.tell("Two.")
    assert [notice.sentence for notice in notices.kept][1:] == ["Two."] and len(notices.kept) == 2
    notices._until.timeout.emit()
    assert "a.png" in notices.sentence.text() and notices.sentence.isVisible()


def test_no_more_are_kept_than_can_be_read(app: App) -> None:
    warn(app, *(f"{number}.png" for number in range(80)))
    assert len(app.window.notices.kept) == 50 and "79.png" in app.window.notices.sentence.text()


def test_they_never_take_the_keyboard_and_can_be_reached_by_it(qtbot: QtBot, app: App) -> None:
    canvas, notices = app.window.canvas, app.window.notices
    canvas.setFocus()
    warn(app, "a.png", "b.png")
    assert canvas.hasFocus()
    qtbot.mouseClick(notices.close_button, Qt.MouseButton.LeftButton)
    assert canvas.hasFocus()
    for _ in range(6):
        if not notices.close_button.hasFocus():
            app.window.focus_next_panel()
    assert notices.close_button.hasFocus()
    qtbot.keyClick(notices.close_button, Qt.Key.Key_Space)
    assert notices.shown is None and canvas.hasFocus()


def test_what_is_cut_can_be_read_whole(qtbot: QtBot, app: App) -> None:
    notices = app.window.notices
    warn(app, "a.png")
    assert not notices.whole.isVisible()
    app.session.report(BadFileError(LONG))
    assert notices.whole.isVisible() and notices.sentence.lines()[-1].endswith("…")
    qtbot.mouseClick(notices.whole, Qt.MouseButton.LeftButton)
    dialog = notices.findChild(NoticeList)
    assert dialog is not None
    assert dialog.text.toPlainText().startswith(LONG) and "a.png" in dialog.text.toPlainText()
    qtbot.mouseClick(dialog.close_all, Qt.MouseButton.LeftButton)
    assert notices.shown is None


@pytest.mark.parametrize("level", Level)
def test_the_dark_scheme_has_dark_notices(app: App, level: Level) -> None:
    app.session.tell("3 boxes written.", level)
    app.window.action_by_id["theme_dark"].trigger()
    shown = app.window.notices.grab().toImage()
    ground = shown.pixelColor(shown.width() // 2, 2)
    assert ground == QColor(theme.notice_colors(stays=level.stays).ground) and ground.lightness() < 64
    app.window.action_by_id["theme_light"].trigger()
    shown = app.window.notices.grab().toImage()
    assert shown.pixelColor(shown.width() // 2, 2).lightness() > 200


@pytest.mark.parametrize(
    ("text", "is_cut"), [("short", False), ("one two " * 12, False), ("a sentence…", False), ("word " * 90, True)]
)
def test_two_lines_say_whether_they_are_cut(qtbot: QtBot, text: str, is_cut: bool) -> None:
    label = TwoLines()
    qtbot.addWidget(label)
    label.resize(400, 40)
    label.setText(text)
    assert label.is_cut == is_cut == bool(label.toolTip()) and len(label.lines()) <= 2


def test_the_picture_has_the_keyboard_when_the_start_page_goes(qtbot: QtBot, app: App) -> None:
    warn(app, "a.png")
    app.window.start_page.show_page()
    qtbot.keyClick(app.window.start_page, Qt.Key.Key_Escape)
    assert app.window.canvas.hasFocus()
    app.window.start_page.show_page()
    app.window.start_page.hide()
    assert app.window.canvas.hasFocus()
