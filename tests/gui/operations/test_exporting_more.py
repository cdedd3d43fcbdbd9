"""The fields of the export dialog: splits, pictures, categories, done images; the last choice is remembered."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.dialogs.export_dialog import ExportDialog
from core.geometry import Box
from tests.gui.driving import accept, draw


@pytest.fixture
def dialog(qtbot: QtBot, app: App, tmp_path: Path) -> ExportDialog:
    """The dialog of a project with one accepted box."""
    draw(qtbot, app, Box(10, 10, 90, 90))
    accept(qtbot, app)
    return opened(app, tmp_path / "out")


def opened(app: App, out: Path) -> ExportDialog:
    app.window.action_by_id["export"].trigger()
    found = app.window.findChild(ExportDialog)
    assert found is not None
    found.folder.setText(str(out))
    return found


def choose(dialog: ExportDialog, **data: object) -> None:
    """Choose the entry with this value in each field."""
    for field, value in data.items():
        box = getattr(dialog.more, field)
        place = box.findData(value)
        assert place >= 0
        box.setCurrentIndex(place)


def test_pictures_and_splits_are_written_and_remembered(
    qtbot: QtBot, app: App, dialog: ExportDialog, tmp_path: Path
) -> None:
    next(button for button, name in dialog.names.items() if name == "yolo").setChecked(True)
    choose(dialog, pictures="link", splits="0.8/0.2")
    qtbot.mouseClick(dialog.export_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "written" in app.window.notices.sentence.text())
    assert len([path for path in (tmp_path / "out" / "images").rglob("*") if path.is_symlink()]) == 1
    assert (tmp_path / "out" / "labels" / "train").is_dir()
    assert "Ultralytics asks for both" in app.window.notices.sentence.text()
    qtbot.waitUntil(lambda: app.window.findChild(ExportDialog) is None)
    again = opened(app, tmp_path / "two")
    assert (again.more.pictures.currentData(), again.more.splits.currentData()) == ("link", "0.8/0.2")
    assert again.more.images.currentData() is False
    again.reject()


def test_a_category_is_renamed_and_others_are_left_out(
    qtbot: QtBot, app: App, dialog: ExportDialog, tmp_path: Path
) -> None:
    name = app.session.categories[0].name
    dialog.more.renamed.setText(f"{name}=thing")
    next(button for button, format in dialog.names.items() if format == "csv").setChecked(True)
    qtbot.mouseClick(dialog.export_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "written" in app.window.notices.sentence.text())
    rows = (tmp_path / "out" / "_annotations.csv").read_text("utf-8").splitlines()
    assert [row.split(",")[3] for row in rows] == ["class", "thing"]


@pytest.mark.parametrize(("text", "fault"), [("thing", "Write pairs"), ("nothing=thing", "There is no category")])
def test_what_cannot_be_renamed_is_told_before_the_export(dialog: ExportDialog, text: str, fault: str) -> None:
    dialog.more.renamed.setText(text)
    assert fault in dialog.more.problem.text()
    assert not dialog.export_button.isEnabled()
    dialog.more.renamed.clear()
    assert dialog.export_button.isEnabled()
    assert dialog.more.problem.isHidden()
    dialog.reject()


def test_only_done_images_may_be_nothing(qtbot: QtBot, app: App, dialog: ExportDialog, tmp_path: Path) -> None:
    choose(dialog, images=True)
    qtbot.mouseClick(dialog.export_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "0 boxes on 0 images written" in app.window.notices.sentence.text())
