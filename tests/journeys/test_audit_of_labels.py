"""The story of labels with three planted faults: found without a window, then repaired in it and taken back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.dialogs.audit_dialog import AuditDialog
from core.cli import main
from tests.gui.driving import settled
from tests.journeys.conftest import Windows


def labelled(folder: Path) -> Path:
    """Three pictures: a box is there twice, one is two pixels wide, and one picture is in two splits."""
    noise = np.random.default_rng(0)
    names = ("train/a.png", "train/b.png", "valid/c.png")
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = noise.integers(0, 255, (15, 20, 3), np.uint8)
        Image.fromarray(coarse).resize((200, 150)).save(path)
    with Image.open(folder / "train/a.png") as picture:
        picture.save(folder / "valid/c.png", compress_level=1)  # the same picture in other bytes
    boxes = [(1, [20, 20, 60, 50]), (1, [20, 20, 61, 50]), (2, [100, 40, 2, 60]), (3, [30, 30, 50, 50])]
    document = {
        "images": [{"id": id, "file_name": name, "width": 200, "height": 150} for id, name in enumerate(names, 1)],
        "annotations": [
            {"id": id, "image_id": image, "category_id": 1, "bbox": box} for id, (image, box) in enumerate(boxes, 1)
        ],
        "categories": [{"id": 1, "name": "cat"}],
    }
    (folder / "labels.json").write_text(json.dumps(document))
    return folder


def test_three_planted_faults(qtbot: QtBot, windows: Windows, tmp_path: Path) -> None:
    folder = labelled(tmp_path / "set")
    report = tmp_path / "report.html"
    arguments = ["audit", folder / "labels.json", "--images", folder, "--out", report, "--fast"]
    assert main([str(argument) for argument in arguments]) == 0
    text = report.read_text("utf-8")
    for title in ("Picture in two splits (1)", "Box that is there twice (1)", "Tiny box (1)"):
        assert title in text

    assert main(["import", str(folder), "--boxes", str(folder / "labels.json")]) == 0
    app = windows.open(folder)
    dialog = audited(qtbot, app)
    assert [finding.kind for finding in dialog.model.rows] == ["duplicate", "copy", "tiny"]
    dialog.list.selectAll()
    qtbot.keyClick(dialog.list, Qt.Key.Key_R)
    at_rest(qtbot, app, dialog)
    assert [finding.kind for finding in dialog.model.rows] == ["copy"]
    assert sum(app.session.counts.values()) == 2
    qtbot.keyClick(dialog.list, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    at_rest(qtbot, app, dialog)
    assert sum(app.session.counts.values()) == 4


def audited(qtbot: QtBot, app: App) -> AuditDialog:
    app.window.action_by_id["audit"].trigger()
    (dialog,) = app.window.findChildren(AuditDialog)
    assert isinstance(dialog, AuditDialog)
    at_rest(qtbot, app, dialog)
    dialog.activateWindow()
    dialog.list.setFocus()
    return dialog


def at_rest(qtbot: QtBot, app: App, dialog: AuditDialog) -> None:
    settled(qtbot, app)
    qtbot.waitUntil(lambda: dialog.is_ready and app.exports.is_idle and app.store.is_idle)
