"""Letters that are typed into lists and fields are text there: none of them runs a command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.operations import box_verbs
from boxrefine_gui.widgets.key_sets import KEY_SETS, with_settings
from core.geometry import Box
from tests.gui.driving import accept, draw, settled, stored

SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


def letters_of(app: App) -> set[str]:
    """The letters and signs that run a command by themselves now."""
    rows, _ = with_settings(app.window.rows, app.session.settings)
    return {key.lower() for row in rows for key in row.keys if len(key) == 1}


def images(app: App) -> QWidget:
    return app.window.images


def categories(app: App) -> QWidget:
    return app.window.categories.view


def boxes(app: App) -> QWidget:
    return app.window.boxes


def new_name(app: App) -> QWidget:
    return app.window.categories.new_name


def renaming(app: App) -> QWidget:
    app.window.categories.view.setFocus()
    app.window.categories.rename.trigger()
    editor = app.window.categories.view.findChild(QLineEdit)
    assert editor is not None
    return editor


def teaching(app: App) -> QWidget:
    app.window.action_by_id["teach_panel"].trigger()
    return app.window.teach_panel.button


def popup(app: App) -> QWidget:
    app.window.category_popup.open()
    return app.window.category_popup.line


PLACES = (images, categories, boxes, new_name, renaming, teaching, popup)


@pytest.fixture
def called(qtbot: QtBot, app: App) -> list[str]:
    """The ids of the actions that were run from here on, in a window with two categories and a selected box."""
    for name in ("cup", "saucer"):
        box_verbs.add_category(app.parts, name)
        settled(qtbot, app)
    draw(qtbot, app, Box(20, 30, 100, 100))
    accept(qtbot, app)
    app.session.select(app.session.corrections[0].id)
    qtbot.waitUntil(app.window.isActiveWindow)
    heard: list[str] = []
    for id, action in app.window.action_by_id.items():
        action.triggered.connect(lambda _=False, id=id: heard.append(id))
    return heard


@pytest.mark.parametrize("key_set", KEY_SETS)
@pytest.mark.parametrize("place", PLACES)
def test_no_letter_runs_a_command(
    qtbot: QtBot, app: App, called: list[str], place: Callable[[App], QWidget], key_set: str
) -> None:
    box_verbs.choose_settings(app.parts, replace(app.session.settings, key_set=key_set))
    widget = place(app)
    called.clear()
    widget.setFocus()
    qtbot.waitUntil(widget.hasFocus)
    letters = letters_of(app)
    assert {"a", "s", "1"} <= letters
    for letter in sorted(letters | {"+"}):
        qtbot.keyClick(widget, letter)
    qtbot.keyClick(widget, Qt.Key.Key_R, SHIFT)
    assert called == []
    assert app.session.snapping and [entry.category_id for entry in stored(app)] == [2]


@pytest.mark.parametrize("pans", [False, True])
@pytest.mark.parametrize("place", [images, categories, boxes, new_name, renaming])
def test_space_in_a_list_or_a_field_is_no_command(
    qtbot: QtBot, app: App, called: list[str], place: Callable[[App], QWidget], pans: bool
) -> None:
    choices = {"rescan": ("Space",), "export": ("Shift+Space",)}  # which work in the whole window
    box_verbs.choose_settings(app.parts, replace(app.session.settings, keys=choices, space_pans=pans))
    widget = place(app)
    called.clear()
    widget.setFocus()
    qtbot.waitUntil(widget.hasFocus)
    for modifiers in (Qt.KeyboardModifier.NoModifier, SHIFT):
        qtbot.keyClick(widget, Qt.Key.Key_Space, modifiers)
    assert called == []
    app.window.canvas.setFocus()
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: called == ["rescan"])


def test_no_letter_runs_a_command_in_any_widget_that_takes_the_keyboard(
    qtbot: QtBot, app: App, called: list[str]
) -> None:
    app.window.action_by_id["teach_panel"].trigger()
    app.window.category_popup.open()
    found = [child for child in app.window.findChildren(QWidget) if child.focusPolicy() & Qt.FocusPolicy.TabFocus]
    places = [child for child in found if child.isVisible() and child.isEnabled() and child is not app.window.canvas]
    assert {app.window.category_popup.line, app.window.images, app.window.boxes} < set(places)
    called.clear()
    for place in places:
        place.setFocus()
        for letter in sorted(letters_of(app)):
            if place.hasFocus():  # a letter in the list of images begins a search
                qtbot.keyClick(place, letter)
    assert called == []


@pytest.mark.parametrize("place", [images, categories, boxes, new_name])
def test_keys_with_ctrl_are_commands_there_too(
    qtbot: QtBot, app: App, called: list[str], place: Callable[[App], QWidget]
) -> None:
    widget = place(app)
    widget.setFocus()
    qtbot.waitUntil(widget.hasFocus)
    qtbot.keyClick(widget, Qt.Key.Key_1, CTRL)
    assert called == ["pixels"]


def test_letters_are_commands_on_the_picture(qtbot: QtBot, app: App, called: list[str]) -> None:
    app.window.canvas.setFocus()
    for key in (Qt.Key.Key_S, Qt.Key.Key_F, Qt.Key.Key_1):
        qtbot.keyClick(app.window.canvas, key)
    assert called == ["snapping", "fit", "category_1"]


def test_after_a_name_is_added_the_next_one_can_be_typed(qtbot: QtBot, app: App, called: list[str]) -> None:
    line = app.window.categories.new_name
    line.setFocus()
    qtbot.waitUntil(line.hasFocus)
    names = ["spoon", "fork", "knife", "plate", "bowl", "glass", "jug", "pan", "kettle", "teapot"]
    for name in names:
        qtbot.keyClicks(line, name)
        qtbot.keyClick(line, Qt.Key.Key_Return)
    settled(qtbot, app)
    assert [category.name for category in app.session.categories] == ["cup", "saucer", *names]
    assert line.hasFocus() and called == []
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert line.hasFocus()
    qtbot.keyClick(line, Qt.Key.Key_Escape)
    assert app.window.focusWidget() is app.window.canvas


def test_a_name_like_an_existing_one_is_asked_for_and_the_field_keeps_the_keyboard(
    qtbot: QtBot, app: App, called: list[str]
) -> None:
    panel = app.window.categories
    line = panel.new_name
    line.setFocus()
    qtbot.waitUntil(line.hasFocus)
    qtbot.keyClicks(line, "Sauzer")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    settled(qtbot, app)
    assert panel.question.text() == "There is “saucer”. Return again adds “Sauzer”."
    assert panel.question.isVisible() and line.hasFocus() and len(app.session.categories) == 2
    qtbot.keyClick(line, Qt.Key.Key_Return)
    settled(qtbot, app)
    assert [category.name for category in app.session.categories] == ["cup", "saucer", "Sauzer"]
    assert panel.question.isHidden() and line.hasFocus() and line.text() == ""


def test_a_name_in_another_case_chooses_the_existing_category(qtbot: QtBot, app: App, called: list[str]) -> None:
    line = app.window.categories.new_name
    line.setFocus()
    app.session.select(None)
    qtbot.keyClicks(line, "CUP")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    settled(qtbot, app)
    assert [category.name for category in app.session.categories] == ["cup", "saucer"]
    assert app.session.category_id == 1


def test_letters_find_rows_in_the_lists(qtbot: QtBot, app: App, called: list[str]) -> None:
    window = app.window
    window.categories.view.setFocus()
    qtbot.keyClicks(window.categories.view, "sa")
    assert window.categories.view.currentIndex().row() == 1 and app.session.category_id == 2
    window.images.setFocus()
    qtbot.keyClick(window.images, "c")  # which begins a search
    assert window.image_panel.search.hasFocus() and window.image_panel.search.text() == "c"
    qtbot.keyClick(window.image_panel.search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: app.session.row == 2 and window.canvas.hasFocus())


def test_pages_of_a_long_list_of_categories_are_no_images(qtbot: QtBot, app: App, called: list[str]) -> None:
    names = [f"category {number}" for number in range(300)]
    app.parts.store.write(lambda project: project.add_categories(names), on_done=app.session.apply)
    settled(qtbot, app)
    view = app.window.categories.view
    view.setFocus()
    view.setCurrentIndex(view.model().index(0, 0))
    for key in (Qt.Key.Key_PageDown, Qt.Key.Key_PageDown):
        qtbot.keyClick(view, key)
    assert view.currentIndex().row() > 8 and app.session.row == 0 and called == []


def test_delete_in_the_list_of_boxes_means_its_row(qtbot: QtBot, app: App, called: list[str]) -> None:
    window = app.window
    at = window.boxes.visualRect(window.boxes.model().index(0, 0)).center()
    qtbot.mouseClick(window.boxes.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert window.focusWidget() is window.boxes
    draw(qtbot, app, Box(120, 30, 180, 100))
    window.boxes.setFocus()
    window.boxes.setCurrentIndex(window.boxes.model().index(0, 0))
    qtbot.keyClick(window.boxes, Qt.Key.Key_Delete)
    settled(qtbot, app)
    assert stored(app) == [] and app.session.draft is not None


@pytest.mark.parametrize("name", ["export", "shortcuts", "keys", "models", "manual", "flag"])
def test_no_letter_in_a_dialog_runs_a_command(qtbot: QtBot, app: App, called: list[str], name: str) -> None:
    app.window.action_by_id[name].trigger()
    dialog = next(child for child in app.window.findChildren(QDialog) if child.isVisible())
    qtbot.waitUntil(dialog.isActiveWindow)
    called.clear()
    for letter in "sdfmrb1 ":
        qtbot.keyClick(dialog.focusWidget() or dialog, letter)
    assert called == []
    dialog.close()
