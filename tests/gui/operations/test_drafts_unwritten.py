"""Drawn boxes that the project's file could not take: written as soon as it can, and never said to be kept before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.dialogs.question import Question
from boxrefine_gui.operations import project_watch
from core.errors import StorageError
from core.store.project_store import ProjectStore
from tests.gui.driving import accept, draw, settled, stored
from tests.gui.operations.test_drafts import FIRST, SECOND, kept

Room = Callable[[], None]


@pytest.fixture
def make_room(monkeypatch: pytest.MonkeyPatch, app: App) -> Iterator[Room]:
    """A disk that is full until this is called."""

    def full(*_: object) -> None:
        raise StorageError("The project could not be saved because the disk is full: make room and try again.")

    with monkeypatch.context() as patch:
        patch.setattr(ProjectStore, "keep_drawn", full)
        patch.setattr(ProjectStore, "accept", full)
        yield patch.undo


def question(app: App) -> Question:
    (asked,) = app.window.findChildren(Question)
    return asked


def test_the_next_write_that_works_brings_them_along(qtbot: QtBot, app: App, make_room: Room) -> None:
    draw(qtbot, app, FIRST)
    accept(qtbot, app)
    assert kept(qtbot, app) == [] and app.session.drawn_count == 1
    draw(qtbot, app, SECOND)
    settled(qtbot, app)
    make_room()
    accept(qtbot, app)
    settled(qtbot, app)
    assert len(stored(app)) + len(kept(qtbot, app)) == 2
    assert not app.session.left.unwritten


def test_closing_writes_them_where_it_can(qtbot: QtBot, app: App, make_room: Room) -> None:
    draw(qtbot, app, FIRST)
    accept(qtbot, app)
    assert kept(qtbot, app) == []
    make_room()
    app.window.close()
    qtbot.waitUntil(lambda: bool(app.window.findChildren(Question)))
    assert "It is kept in the project" in question(app).informativeText()
    assert len(kept(qtbot, app)) == 1


def test_closing_says_so_where_it_cannot_and_can_be_insisted_on(qtbot: QtBot, app: App, make_room: Room) -> None:
    draw(qtbot, app, FIRST)
    accept(qtbot, app)
    settled(qtbot, app)
    app.window.close()
    app.window.close()
    qtbot.waitUntil(lambda: bool(app.window.findChildren(Question)))
    assert "1 of 1 could not be written to the project, and closing loses it" in question(app).informativeText()
    assert app.window.isVisible()
    qtbot.mouseClick(question(app).yes_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not app.window.isVisible())
    make_room()


def test_a_project_that_is_saved_elsewhere_has_them(qtbot: QtBot, app: App, make_room: Room, tmp_path: Path) -> None:
    draw(qtbot, app, FIRST)
    accept(qtbot, app)
    settled(qtbot, app)
    make_room()
    project_watch.save_elsewhere(app.parts, tmp_path / "elsewhere.sqlite")
    qtbot.waitUntil(lambda: app.session.project_path == tmp_path / "elsewhere.sqlite")
    assert len(kept(qtbot, app)) == 1
