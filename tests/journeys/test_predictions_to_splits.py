"""The story of a detector's predictions: imported into a folder of splits, checked, exported for training."""

from __future__ import annotations

import json
from pathlib import Path

import yaml
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.dialogs.export_dialog import ExportDialog
from core.formats.choices import COPY
from core.formats.converting import read_files
from core.geometry import Box
from core.progress import run
from tests.gui.driving import accept, draw, settled, stored
from tests.gui.fakes import sample_like_pictures
from tests.journeys.conftest import Windows

FOUND, WRONG, DRAWN = Box(20, 30, 100, 100), Box(110, 20, 180, 90), Box(20, 40, 120, 110)
KEYS = (*(Qt.Key.Key_N, Qt.Key.Key_Delete), *(Qt.Key.Key_N, Qt.Key.Key_Space), *(Qt.Key.Key_N, Qt.Key.Key_Space))
SPLITS = {"train": ("1.jpg", "2.jpg"), "valid": ("3.jpg",)}


def test_from_predictions_to_a_folder_to_train_on(qtbot: QtBot, windows: Windows, tmp_path: Path) -> None:
    folder = dataset_of(tmp_path / "cups")
    app = windows.open(folder)
    qtbot.waitUntil(lambda: len(app.session.images) == 3 and not app.session.scan)
    bring(qtbot, app, folder / "runs" / "predictions.json")
    assert "3 boxes on 2 images" in sentence(app)
    assert [(item.origin.probability, item.confirmed) for item in stored(app) if item.origin] == [
        (0.9, False),
        (0.2, False),
        (0.8, False),
    ]
    check(qtbot, app)
    export(qtbot, app, tmp_path / "out")
    windows.quit(app)
    look_at(tmp_path / "out")


def dataset_of(folder: Path) -> Path:
    for split, names in SPLITS.items():
        sample_like_pictures(folder / split / "images", names)
    (folder / "data.yaml").write_text("names: ['cup', 'saucer']\n")
    boxes = [("1", FOUND, 0.9), ("1", WRONG, 0.2), ("3", FOUND, 0.8)]
    predictions = [
        {"image_id": id, "category_id": 0, "bbox": [box.x1, box.y1, box.width, box.height], "score": score}
        for id, box, score in boxes
    ]
    (folder / "runs").mkdir()
    (folder / "runs" / "predictions.json").write_text(json.dumps(predictions))
    return folder


def sentence(app: App) -> str:
    return app.window.notices.sentence.text()


def bring(qtbot: QtBot, app: App, path: Path) -> None:
    """Drop a file on the window."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    buttons, modifiers = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    app.window.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, modifiers))
    qtbot.waitUntil(lambda: "imported from" in sentence(app))
    settled(qtbot, app)


def check(qtbot: QtBot, app: App) -> None:
    """Delete the wrong one, accept the others, and draw one that was missed."""
    canvas = app.window.canvas
    for key in KEYS:
        qtbot.keyClick(canvas, key)
        settled(qtbot, app)
    assert [(item.accepted, item.confirmed) for item in stored(app)] == [(FOUND, True), (FOUND, True)]
    qtbot.keyClick(canvas, Qt.Key.Key_A)
    settled(qtbot, app)
    draw(qtbot, app, DRAWN)
    accept(qtbot, app)
    settled(qtbot, app)


def export(qtbot: QtBot, app: App, out: Path) -> None:
    app.window.action_by_id["export"].trigger()
    dialog = app.window.findChild(ExportDialog)
    assert dialog is not None
    next(button for button, name in dialog.names.items() if name == "yolo").setChecked(True)
    pictures = dialog.more.pictures
    pictures.setCurrentIndex(pictures.findData(COPY))
    dialog.folder.setText(str(out))
    qtbot.mouseClick(dialog.export_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "written to" in sentence(app))


def look_at(out: Path) -> None:
    """Splits are those of the folders, classes those of data.yaml, and what was written is what was labelled."""
    listed = yaml.safe_load((out / "data.yaml").read_text("utf-8"))
    assert (listed["train"], listed["val"]) == ("images/train", "images/val")
    assert listed["names"] == {0: "cup", 1: "saucer"}
    assert len(list(out.glob("images/*/*.jpg"))) == 3
    back = run(read_files(out)).dataset
    names = {image.id: image.path.name for image in back.images}
    assert sorted((names[item.image_id], round(item.accepted.x2)) for item in back.corrections)[-1] == ("3.jpg", 100)
    assert len(back.corrections) == 3
