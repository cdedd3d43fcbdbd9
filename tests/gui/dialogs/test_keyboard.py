"""Without a mouse: F6 goes through the panels, Return chooses in a list, Escape leads back to the canvas."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QRectF, Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.dialogs.export_dialog import ExportDialog
from boxrefine_gui.operations import box_verbs
from core.geometry import Box
from tests.gui.driving import accept, draw, settled


@pytest.fixture
def two_categories(qtbot: QtBot, app: App) -> App:
    """A window with the categories cup, which is chosen, and saucer."""
    for name in ("cup", "saucer"):
        box_verbs.add_category(app.parts, name)
        settled(qtbot, app)
    box_verbs.choose_category(app.parts, app.session.categories[0].id)
    return app


def test_return_chooses_a_category_and_gives_the_keyboard_back(qtbot: QtBot, two_categories: App) -> None:
    window, session = two_categories.window, two_categories.session
    window.categories.view.setFocus()
    qtbot.keyClick(window.categories.view, Qt.Key.Key_Down)
    qtbot.keyClick(window.categories.view, Qt.Key.Key_Return)
    assert session.category_id == session.categories[1].id
    assert window.focusWidget() is window.canvas


def test_escape_leaves_the_categories_and_their_mark_tells_the_truth(qtbot: QtBot, two_categories: App) -> None:
    window, session = two_categories.window, two_categories.session
    view = window.categories.view
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Down)
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert window.focusWidget() is window.canvas
    assert session.category_id == session.categories[0].id
    assert view.currentIndex().row() == 0


def test_return_in_the_box_list_selects_the_box_for_the_arrow_keys(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, Box(20, 30, 100, 100))
    accept(qtbot, app)
    window = app.window
    window.boxes.setFocus()
    qtbot.keyClick(window.boxes, Qt.Key.Key_Down)
    qtbot.keyClick(window.boxes, Qt.Key.Key_Return)
    assert app.session.selected is not None
    assert window.focusWidget() is window.canvas


def test_f6_moves_the_keyboard_through_the_panels(qtbot: QtBot, app: App) -> None:
    window = app.window
    seen = []
    for _ in range(4):
        seen.append(window.focusWidget())
        qtbot.keyClick(window.focusWidget(), Qt.Key.Key_F6)
    assert seen == [window.canvas, window.images, window.categories.view, window.boxes]
    assert window.focusWidget() is window.canvas


def test_f6_finds_the_teaching_panel_too_and_goes_on_from_within_a_panel(qtbot: QtBot, app: App) -> None:
    window = app.window
    window.action_by_id["teach_panel"].trigger()
    window.boxes.setFocus()
    qtbot.keyClick(window.boxes, Qt.Key.Key_F6)
    assert window.focusWidget() is window.teach_panel.button
    window.categories.new_name.setFocus()
    qtbot.keyClick(window.categories.new_name, Qt.Key.Key_F6)
    assert window.focusWidget() is window.boxes


def test_return_exports_from_wherever_the_keyboard_is_in_the_dialog(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    draw(qtbot, app, Box(20, 30, 100, 100))
    accept(qtbot, app)
    app.window.action_by_id["export"].trigger()
    dialog = app.window.findChild(ExportDialog)
    assert dialog is not None
    dialog.folder.setText(str(tmp_path / "out"))
    qtbot.waitUntil(dialog.isActiveWindow)
    yolo = next(button for button, format in dialog.names.items() if format == "yolo")
    yolo.setFocus()
    qtbot.keyClick(yolo, Qt.Key.Key_Space)
    assert yolo.isChecked()
    qtbot.keyClick(yolo, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: (tmp_path / "out" / "data.yaml").exists())


def test_a_box_chosen_out_of_sight_is_brought_into_view(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, Box(2, 2, 12, 12))
    accept(qtbot, app)
    canvas = app.window.canvas
    canvas.zoom(16.0)
    seen = QRectF(canvas.rect())
    assert not canvas.view.to_screen(app.session.corrections[0].accepted).intersects(seen)
    qtbot.keyClick(canvas, Qt.Key.Key_Tab)
    assert canvas.view.to_screen(app.session.corrections[0].accepted).intersects(seen)


def test_arrow_keys_pan_where_no_box_is_selected(qtbot: QtBot, app: App) -> None:
    canvas = app.window.canvas
    canvas.zoom(8.0)
    before = canvas.view
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    qtbot.keyClick(canvas, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert canvas.view.left < before.left
    assert before.top - canvas.view.top == pytest.approx(10 * (before.left - canvas.view.left))
