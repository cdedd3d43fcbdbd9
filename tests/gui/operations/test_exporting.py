"""Exporting into a folder that has files already asks first, and replaces nothing that nobody gave up."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from boxrefine_gui.actions.table import EXPORTED, export_folder
from boxrefine_gui.app import App
from boxrefine_gui.dialogs.export_dialog import ExportDialog
from boxrefine_gui.dialogs.question import Question
from boxrefine_gui.operations import opening
from boxrefine_gui.operations.exporting import NOT_EXPORTED
from core.formats import EXPORTERS
from core.geometry import Box
from core.store.project_store import ProjectStore
from tests.gui.driving import accept, draw, settled


def open_dialog(app: App, out: Path, format: str = "coco") -> ExportDialog:
    app.window.action_by_id["export"].trigger()
    dialog = app.window.findChild(ExportDialog)
    assert dialog is not None
    dialog.folder.setText(str(out))
    next(button for button, name in dialog.names.items() if name == format).setChecked(True)
    return dialog


def export(qtbot: QtBot, app: App, out: Path, format: str = "coco", *, untouched: bool = False) -> None:
    """Press Export, and wait for what comes of it: a sentence, or a question."""
    dialog = open_dialog(app, out, format)
    dialog.untouched.setChecked(untouched)
    qtbot.mouseClick(dialog.export_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(
        lambda: app.window.findChild(Question) is not None or "written" in app.window.notices.sentence.text()
    )


def question(app: App) -> Question:
    found = app.window.findChild(Question)
    assert found is not None
    return found


@pytest.fixture
def out(qtbot: QtBot, app: App, tmp_path: Path) -> Path:
    """A folder with an export of somebody else and a file of another kind."""
    draw(qtbot, app, Box(10, 10, 90, 90))
    accept(qtbot, app)
    folder = tmp_path / "out"
    (folder / "Annotations").mkdir(parents=True)
    for name in ("annotations.json", "notes.txt", "Annotations/a.xml", "Annotations/b.xml"):
        (folder / name).write_text("mine")
    return folder


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Escape])
def test_return_and_escape_leave_what_is_there(qtbot: QtBot, app: App, out: Path, key: Qt.Key) -> None:
    export(qtbot, app, out)
    asked = question(app)
    assert asked.text() == f"annotations.json is in {out} already."
    assert asked.defaultButton() is asked.no_button
    qtbot.waitUntil(asked.isActiveWindow)
    qtbot.keyClick(asked, key)
    qtbot.waitUntil(lambda: app.window.notices.sentence.text() == NOT_EXPORTED)
    assert (out / "annotations.json").read_text("utf-8") == "mine"


def test_what_the_user_gives_up_is_replaced(qtbot: QtBot, app: App, out: Path) -> None:
    export(qtbot, app, out)
    qtbot.mouseClick(question(app).yes_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "1 box on 1 image written" in app.window.notices.sentence.text())
    assert (out / "annotations.json").read_text("utf-8") != "mine"
    assert (out / "notes.txt").read_text("utf-8") == "mine"


def test_the_first_of_many_files_are_named(qtbot: QtBot, app: App, out: Path) -> None:
    (out / "data.yaml").write_text("mine")
    for name in "abc":
        (out / "labels").mkdir(exist_ok=True)
        (out / "labels" / f"{name}.txt").write_text("mine")
    export(qtbot, app, out, "yolo", untouched=True)
    assert question(app).text() == f"labels/a.txt, labels/b.txt, labels/c.txt and 1 more file are in {out} already."
    question(app).reject()


def test_where_nothing_is_replaced_nothing_is_asked(qtbot: QtBot, app: App, out: Path) -> None:
    export(qtbot, app, out, "yolo")
    assert app.window.findChild(Question) is None
    assert (out / "annotations.json").read_text("utf-8") == "mine"
    assert (out / "data.yaml").exists()


def test_a_click_on_what_a_format_means_chooses_it(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    dialog = open_dialog(app, tmp_path)
    for name in ("voc", "yolo", "coco"):
        meaning = next(label for label in dialog.findChildren(QLabel) if label.text() == EXPORTERS[name].description)
        qtbot.mouseClick(meaning, Qt.MouseButton.LeftButton)
        assert [dialog.names[button] for button in dialog.names if button.isChecked()] == [name]
    dialog.reject()


def test_the_folder_proposed_is_beside_the_pictures_or_else_one_of_its_own_at_home(
    qtbot: QtBot, app: App, pictures: Path, tmp_path: Path
) -> None:
    assert export_folder(app.session) == pictures / EXPORTED
    project = tmp_path / "data" / "projects" / "harbour-1234.sqlite"  # as for a folder that may not be written
    ProjectStore.create(project).close()
    opening.open_project(app.parts, project)
    qtbot.waitUntil(lambda: app.session.project_path == project)
    assert export_folder(app.session) == Path.home() / EXPORTED / "harbour-1234"
    app.window.action_by_id["export"].trigger()
    dialog = app.window.findChild(ExportDialog)
    assert dialog is not None and dialog.folder.text() == str(Path.home() / EXPORTED / "harbour-1234")
    dialog.reject()


def test_without_a_project_the_folder_proposed_is_at_home(closed_app: App) -> None:
    assert export_folder(closed_app.session) == Path.home() / EXPORTED


def test_an_image_that_is_done_without_boxes_is_a_negative_and_an_untouched_one_is_not(
    qtbot: QtBot, app: App, out: Path
) -> None:
    app.parts.store.write(lambda project: project.mark([2], done=True), on_done=app.session.apply)
    settled(qtbot, app)
    dialog = open_dialog(app, out, "yolo")
    assert not dialog.untouched.isHidden() and "1 image without boxes" in dialog.untouched.text()
    assert not dialog.untouched.isChecked()
    dialog.reject()
    export(qtbot, app, out, "yolo")
    qtbot.waitUntil(lambda: "1 box on 1 image, and 1 image without boxes," in app.window.notices.sentence.text())
    assert {path.name: bool(path.read_text("utf-8")) for path in (out / "labels").iterdir()} == {
        "a.txt": True, "b.txt": False,
    }  # fmt: skip
