"""File, Divide into shares: the dialog refuses what cannot be, and the shares are projects of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.dialogs.share_dialog import ShareDialog
from core.store.project_check import check_project
from tests.core.merging.people import opened
from tests.gui.driving import ScriptedAsk


def shown(app: App) -> ShareDialog:
    app.window.action_by_id["share"].trigger()
    dialog = app.window.findChild(ShareDialog)
    assert dialog is not None
    return dialog


def divide(qtbot: QtBot, app: App, dialog: ShareDialog, *, wait_for: str) -> str:
    qtbot.mouseClick(dialog.divide_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not app.window.jobs.rows and wait_for in app.window.notices.sentence.text())
    return app.window.notices.sentence.text()


def test_the_shares_are_projects_with_all_pictures_between_them(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    dialog = shown(app)
    assert dialog.folder.text() == f"{tmp_path / 'pictures'}-shares"
    dialog.people.setText("anna, ben")
    dialog.overlap.setValue(100)
    said = divide(qtbot, app, dialog, wait_for="The shares are in")
    assert "anna has 3 images, ben has 3 images; 3 of them twice" in said
    for name in ("anna", "ben"):
        path = tmp_path / "pictures-shares" / name / "boxrefine.sqlite"
        assert check_project(path) == []
        with opened(path) as store:
            assert [image.path.parent for image in store.images()] == [tmp_path / "pictures"] * 3
    again = shown(app)
    again.people.setText("anna, ben")
    assert not again.divide_button.isEnabled() and "exists already" in again.problem.text()


def test_pictures_are_copied(qtbot: QtBot, app: App, ask: ScriptedAsk, tmp_path: Path) -> None:
    dialog = shown(app)
    ask.answer = tmp_path / "elsewhere"
    dialog._browse()
    dialog.people.setText("3")
    dialog.pictures.setCurrentIndex(dialog.pictures.findData("copy"))
    divide(qtbot, app, dialog, wait_for="share-3 has 1 image.")
    assert len(list((tmp_path / "elsewhere").glob("share-*/*.png"))) == 3


@pytest.mark.parametrize(
    ("text", "problem"),
    [("1", "two people"), ("anna", "two people"), ("a, a", "there twice"), ("a, ../b", "no name of a folder")],
)
def test_what_cannot_be_is_told_at_once(app: App, text: str, problem: str) -> None:
    dialog = shown(app)
    assert dialog.divide_button.isEnabled()
    dialog.people.setText(text)
    assert problem in dialog.problem.text() and not dialog.divide_button.isEnabled()


def test_more_people_than_pictures_are_one_sentence_that_names_the_project(qtbot: QtBot, app: App) -> None:
    dialog = shown(app)
    dialog.people.setText("9")
    said = divide(qtbot, app, dialog, wait_for="fewer than there are people")
    assert str(app.session.project_path) in said
