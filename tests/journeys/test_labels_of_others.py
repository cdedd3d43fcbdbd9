"""The story of labels that exist: import, refine the folder, quit half-way, come back, check, export."""

from __future__ import annotations

import json
from pathlib import Path

from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.dialogs.export_dialog import ExportDialog
from core.geometry import Box
from tests.gui.annotation_files import save_coco
from tests.gui.driving import close_to, settled, stored
from tests.gui.fakes import FakeModels, inset, sample_like_pictures
from tests.journeys.conftest import Windows

LEFT, RIGHT = Box(10, 20, 90, 120), Box(110, 30, 190, 130)
BOXES = {"a.png": [LEFT, RIGHT], "b.png": [LEFT], "c.png": [RIGHT], "lost.png": [LEFT]}
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def test_from_anothers_file_to_tight_boxes(qtbot: QtBot, windows: Windows, tmp_path: Path) -> None:
    folder = sample_like_pictures(tmp_path / "pictures")
    coarse = save_coco(tmp_path / "coarse.json", BOXES)
    app = windows.open(folder)
    bring(qtbot, app, coarse)
    refine_until_the_first_picture_is_done(qtbot, app)
    windows.quit(app)

    again = windows.open(folder)
    assert sorted(proposals(again)) == [False, False, True, True]  # what was proposed is still there
    qtbot.keyClick(again.window.canvas, Qt.Key.Key_R, CTRL | SHIFT)
    qtbot.waitUntil(lambda: "2 refinements are proposed on 2 images" in sentence(again))
    assert all(proposals(again))
    check(qtbot, again)
    bring(qtbot, again, coarse)
    assert "4 of its boxes were here already" in sentence(again)
    assert accepted(again) == [inset(LEFT), RIGHT, inset(LEFT), inset(RIGHT)]
    check_export(qtbot, again, tmp_path / "out")


def sentence(app: App) -> str:
    return app.window.notices.sentence.text()


def proposals(app: App) -> list[bool]:
    return [correction.proposal is not None for correction in stored(app)]


def accepted(app: App) -> list[Box]:
    return [correction.accepted for correction in stored(app)]


def bring(qtbot: QtBot, app: App, path: Path) -> None:
    """Drop a file on the window; one of its pictures is not in the folder."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    buttons, modifiers = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    app.window.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, modifiers))
    qtbot.waitUntil(lambda: "its picture lost.png is not in this folder" in sentence(app))
    settled(qtbot, app)


def refine_until_the_first_picture_is_done(qtbot: QtBot, app: App) -> None:
    """The second picture is held back, as if it took long."""
    models = app.parts.load_models
    assert isinstance(models, FakeModels)
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_R, CTRL | SHIFT)
    app.session.changed.connect(lambda _: models.refiner.gate.clear())  # at the first proposals
    qtbot.waitUntil(lambda: all(correction.proposal is not None for correction in app.session.corrections))
    assert accepted(app) == [LEFT, RIGHT, LEFT, RIGHT]
    (row,) = app.window.jobs.rows
    assert "Refining b.png" in row.words.text()
    row.cancel()
    models.open_all()


def check(qtbot: QtBot, app: App) -> None:
    """Take the first, keep the second, take all of the next image, and the last one by itself."""
    canvas, session = app.window.canvas, app.session
    for key in (Qt.Key.Key_N, Qt.Key.Key_Return, Qt.Key.Key_K):
        qtbot.keyClick(canvas, key)
    settled(qtbot, app)
    qtbot.keyClick(canvas, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: session.row == 1 and session.selected_id is not None)
    qtbot.keyClick(canvas, Qt.Key.Key_Return, SHIFT)
    settled(qtbot, app)
    qtbot.keyClick(canvas, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: session.row == 2 and session.selected_id is not None)
    qtbot.keyClick(canvas, Qt.Key.Key_Return)
    settled(qtbot, app)
    assert session.to_check == {}


def check_export(qtbot: QtBot, app: App, out: Path) -> None:
    """The file tells what was drawn, what was proposed, and where each box comes from."""
    app.window.action_by_id["export"].trigger()
    dialog = app.window.findChild(ExportDialog)
    assert dialog is not None
    dialog.folder.setText(str(out))
    qtbot.mouseClick(dialog.export_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "written to" in sentence(app))
    notes = json.loads((out / "annotations.json").read_text("utf-8"))["annotations"]
    assert {note["source"] for note in notes} == {"coarse.json"}
    assert not any("confirmed" in note for note in notes)
    x, y, width, height = notes[0]["drawn_bbox"]
    assert close_to(Box(x, y, x + width, y + height), LEFT)
    assert notes[1]["bbox"] == notes[1]["drawn_bbox"] != notes[1]["refined_bbox"]
