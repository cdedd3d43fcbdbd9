"""The story of a first project: draw, snap, accept, undo, redo, relabel, export, quit, come back."""

from __future__ import annotations

import json
from pathlib import Path

from pycocotools.coco import COCO
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.dialogs.export_dialog import ExportDialog
from core.geometry import Box
from tests.gui.driving import accept, click, close_to, draw, settled, stored
from tests.gui.fakes import inset, sample_like_pictures
from tests.journeys.conftest import Windows

BOXES = (Box(10, 10, 60, 60), Box(70, 20, 120, 90), Box(130, 60, 190, 140))
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def test_three_boxes_from_the_first_drag_to_the_export_and_back(qtbot: QtBot, windows: Windows, tmp_path: Path) -> None:
    folder = sample_like_pictures(tmp_path / "pictures")
    app = windows.open(folder)
    for box in BOXES:
        draw(qtbot, app, box)
        draft = app.session.draft
        assert draft is not None and close_to(draft.box, inset(box))
        accept(qtbot, app)
    undo_and_redo(qtbot, app)
    relabel_the_second(qtbot, app)
    document = export_coco(qtbot, app, tmp_path / "out")
    before = stored(app)
    windows.quit(app)

    again = windows.open(folder)
    settled(qtbot, again)
    assert list(again.session.corrections) == before
    assert [category.name for category in again.session.categories] == ["object", "cup"]
    assert again.window.boxes.model().rowCount() == 3
    check_export(document, before)
    # The undo steps are there, too.
    qtbot.keyClick(again.window.canvas, Qt.Key.Key_Z, CTRL)
    settled(qtbot, again)
    assert [correction.category_id for correction in stored(again)] == [1, 1, 1]


def undo_and_redo(qtbot: QtBot, app: App) -> None:
    canvas = app.window.canvas
    for _ in range(2):
        qtbot.keyClick(canvas, Qt.Key.Key_Z, CTRL)
    settled(qtbot, app)
    assert len(app.session.corrections) == 1
    for _ in range(2):
        qtbot.keyClick(canvas, Qt.Key.Key_Z, CTRL | SHIFT)
    settled(qtbot, app)
    assert len(app.session.corrections) == 3


def relabel_the_second(qtbot: QtBot, app: App) -> None:
    name = app.window.categories.new_name
    name.setFocus()
    qtbot.keyClicks(name, "cup")
    qtbot.keyClick(name, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(app.session.categories) == 2)
    click(app.window.canvas, (95, 55))
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_2)
    settled(qtbot, app)
    assert [correction.category_id for correction in stored(app)] == [1, 2, 1]


def export_coco(qtbot: QtBot, app: App, out: Path) -> Path:
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_E, CTRL)
    dialog = app.window.findChild(ExportDialog)
    assert dialog is not None
    qtbot.waitUntil(dialog.isActiveWindow)
    dialog.folder.setText(str(out))
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "3 boxes on 1 image written" in app.window.notices.sentence.text())
    (document,) = out.glob("*.json")
    return document


def check_export(document: Path, corrections: list[object]) -> None:
    coco = COCO(str(document))
    assert len(coco.getImgIds()) == 1  # the others are untouched
    assert len(coco.getAnnIds()) == len(corrections)
    names = {category["name"] for category in json.loads(document.read_text("utf-8"))["categories"]}
    assert names == {"object", "cup"}
