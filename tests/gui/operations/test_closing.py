"""Closing the window while it teaches asks first, unless nobody asked for the teaching."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.dialogs.question import Question
from boxrefine_gui.operations.teaching import NEW_BOXES
from tests.gui.driving import ready
from tests.gui.fakes import sample_like_pictures
from tests.gui.panels.test_teaching import FIGURES, STEP, WAIT, fill, says


@pytest.fixture
def teaching(qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch) -> App:
    """A window that teaches, at one of eight steps."""
    fill(qtbot, app)
    says(monkeypatch, {"progress": STEP | {"figures": FIGURES}}, then=WAIT)
    app.window.action_by_id["teach"].trigger()
    qtbot.waitUntil(lambda: bool(app.session.teaching.losses))
    return app


def question(app: App) -> Question | None:
    return app.window.findChild(Question)


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Escape])
def test_return_and_escape_keep_it_open_and_teaching(qtbot: QtBot, teaching: App, key: Qt.Key) -> None:
    teaching.window.close()
    teaching.window.close()
    (asked,) = teaching.window.findChildren(Question)
    assert teaching.window.isVisible() and asked.text() == "Teaching is 12 % done."
    qtbot.waitUntil(asked.isActiveWindow)
    qtbot.keyClick(asked, key)
    qtbot.waitUntil(lambda: question(teaching) is None)
    assert teaching.window.isVisible() and teaching.trainer.is_running


def test_it_closes_if_the_user_says_so(qtbot: QtBot, teaching: App) -> None:
    teaching.window.close()
    asked = question(teaching)
    assert asked is not None
    qtbot.mouseClick(asked.yes_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not teaching.window.isVisible())
    assert not teaching.trainer.is_running


def test_what_began_by_itself_is_not_asked_about(qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(qtbot, app, boxes=NEW_BOXES)
    says(monkeypatch, {"progress": STEP | {"figures": FIGURES}}, then=WAIT)
    app.window.action_by_id["teach_when_idle"].trigger()
    app.teaching.start_if_wanted()
    qtbot.waitUntil(lambda: bool(app.session.teaching.losses))
    app.window.close()
    assert question(app) is None
    qtbot.waitUntil(lambda: not app.window.isVisible())


def test_another_folder_is_opened_without_a_question_since_teaching_goes_on(
    qtbot: QtBot, teaching: App, tmp_path: Path
) -> None:
    teaching.open(sample_like_pictures(tmp_path / "other"))
    qtbot.waitUntil(lambda: teaching.session.folder is not None and teaching.session.folder.name == "other")
    ready(qtbot, teaching)
    assert question(teaching) is None and teaching.trainer.is_running
