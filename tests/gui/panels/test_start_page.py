"""The start page: there while no project is open, with the recent ones, and back from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.operations import opening
from core.geometry import Box
from core.settings import load_settings, settings_path
from tests.gui.driving import accept, draw, ready, settled
from tests.gui.fakes import sample_like_pictures


def rows(app: App) -> list[str]:
    page = app.window.start_page.recent
    return [page.item(row).text() for row in range(page.count())]


def test_it_is_there_while_no_project_is_open(qtbot: QtBot, closed_app: App, tmp_path: Path) -> None:
    page = closed_app.window.start_page
    opening.open_path(closed_app.parts, tmp_path / "gone")
    qtbot.waitUntil(page.isVisible)
    assert rows(closed_app) == []
    assert page.buttons["open_folder"].hasFocus()
    closed_app.open(sample_like_pictures(tmp_path / "pictures"))
    ready(qtbot, closed_app)
    qtbot.waitUntil(lambda: not page.isVisible())


def test_it_shows_the_progress_of_recent_projects_and_leads_back(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    draw(qtbot, app, Box(20, 30, 100, 100))
    accept(qtbot, app)
    app.window.action_by_id["done"].trigger()
    settled(qtbot, app)
    recent = (*app.session.settings.recent, str(tmp_path / "gone <b>"))
    app.session.set_settings(replace(app.session.settings, recent=recent))
    app.window.action_by_id["start_page"].trigger()
    page = app.window.start_page
    assert page.isVisible()
    qtbot.waitUntil(lambda: "1 of 3 done, 1 box" in rows(app)[0] and "not there now" in rows(app)[1])
    assert rows(app)[1].startswith("gone <b>\n")
    qtbot.keyClick(page.recent, Qt.Key.Key_Down)
    qtbot.keyClick(page.recent, Qt.Key.Key_Delete)
    assert len(rows(app)) == 1
    qtbot.waitUntil(lambda: len(load_settings(settings_path()).recent) == 1)
    qtbot.keyClick(page.recent, Qt.Key.Key_Escape)
    assert not page.isVisible()
    assert app.window.canvas.hasFocus()


def test_return_opens_a_recent_project(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    first = app.session.project_path
    app.open(sample_like_pictures(tmp_path / "others"))
    qtbot.waitUntil(lambda: app.session.project_path != first)
    ready(qtbot, app)
    app.window.action_by_id["start_page"].trigger()
    assert len(rows(app)) == 2
    page = app.window.start_page
    qtbot.keyClick(page.recent, Qt.Key.Key_Down)
    qtbot.keyClick(page.recent, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: app.session.project_path == first and not page.isVisible())
    ready(qtbot, app)
