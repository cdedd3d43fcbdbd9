"""The mask behind a refinement is seen, can be switched off, is stored with the box and leaves with the export."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.dialogs.export_dialog import ExportDialog
from core.geometry import Box
from tests.gui.driving import accept, draw, stored
from tests.gui.fakes import FakeModels, diamond, inset

BOX = Box(40, 30, 160, 110)
IN_MASK, OUT_OF_MASK = (100.0, 50.0), (48.0, 38.0)


@pytest.fixture
def models() -> FakeModels:
    models = FakeModels()
    models.refiner.makes_masks = True
    return models


def color_at(app: App, at: tuple[float, float]) -> QColor:
    """The colour of the canvas at a point in image pixels."""
    view = app.window.canvas.view
    shown = app.window.canvas.grab().toImage()
    ratio = shown.devicePixelRatio()
    x, y = at[0] * view.scale + view.left, at[1] * view.scale + view.top
    return shown.pixelColor(int(x * ratio), int(y * ratio))


def test_the_mask_is_tinted_until_m_switches_it_off(qtbot: QtBot, app: App) -> None:
    bare = [color_at(app, at) for at in (IN_MASK, OUT_OF_MASK)]
    draw(qtbot, app, BOX)
    tinted = [color_at(app, at) for at in (IN_MASK, OUT_OF_MASK)]
    assert tinted[0] != bare[0]
    assert tinted[1] == bare[1]
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_M)
    assert color_at(app, IN_MASK) == bare[0]
    assert not app.session.settings.show_masks
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_M)
    accept(qtbot, app)
    assert color_at(app, IN_MASK) != bare[0]
    assert not app.window.notices.sentence.isVisible()


def test_where_there_is_no_mask_m_says_what_makes_them(qtbot: QtBot, app: App, models: FakeModels) -> None:
    models.refiner.makes_masks = False
    draw(qtbot, app, BOX)
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_M)
    assert "Ctrl+M" in app.window.notices.sentence.text()
    assert app.window.notices.sentence.isVisible()


@pytest.mark.parametrize("wanted", [True, False])
def test_an_accepted_box_keeps_its_outline_and_exports_it_if_wanted(
    qtbot: QtBot, app: App, tmp_path: Path, wanted: bool
) -> None:
    draw(qtbot, app, BOX)
    accept(qtbot, app)
    (correction,) = stored(app)
    assert correction.refined is not None
    assert len(correction.outline) == 1
    assert correction.outline[0] == pytest.approx(diamond(inset(BOX)), abs=0.02)
    app.window.action_by_id["export"].trigger()
    dialog = app.window.findChild(ExportDialog)
    assert dialog is not None
    dialog.outlines.setChecked(wanted)
    dialog.folder.setText(str(tmp_path / "out"))
    qtbot.mouseClick(dialog.export_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "1 box on 1 image written" in app.window.notices.sentence.text())
    (note,) = json.loads((tmp_path / "out" / "annotations.json").read_text("utf-8"))["annotations"]
    assert len(note["segmentation"]) == int(wanted)
    width, height = note["bbox"][2:]
    assert note["area"] == pytest.approx(width * height / 2 if wanted else width * height, rel=0.01)


def test_outlines_are_offered_for_coco_alone(qtbot: QtBot, app: App) -> None:
    app.window.action_by_id["export"].trigger()
    dialog = app.window.findChild(ExportDialog)
    assert dialog is not None
    assert dialog.outlines.isEnabled()
    next(button for button, name in dialog.names.items() if name == "yolo").setChecked(True)
    assert not dialog.outlines.isEnabled()
    dialog.reject()
