"""The list of categories by mouse and key: one is moved, merged into another, deleted, and comes back."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QDialog, QLineEdit
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.dialogs.category_dialog import DeleteCategoryDialog, MergeCategoryDialog
from boxrefine_gui.operations import box_verbs, category_verbs
from boxrefine_gui.panels.category_view import CategoryView
from core.geometry import Box
from core.records import CategoryUse
from tests.gui.driving import accept, draw, settled, stored

D = TypeVar("D", bound=QDialog)
ALT, CTRL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def three(qtbot: QtBot, app: App) -> App:
    """Cup, saucer and spoon; two boxes are cups, the keyboard is in the list, on the cup."""
    for name in ("cup", "saucer", "spoon"):
        box_verbs.add_category(app.parts, name)
        settled(qtbot, app)
    box_verbs.choose_category(app.parts, 1)
    for box in (Box(20, 30, 100, 100), Box(120, 30, 180, 100)):
        draw(qtbot, app, box)
        accept(qtbot, app)
    app.window.categories.view.setFocus()
    return app


def view(app: App) -> CategoryView:
    return app.window.categories.view


def names(app: App) -> list[str]:
    return [category.name for category in app.session.categories]


def go_to(app: App, row: int) -> None:
    view(app).setCurrentIndex(view(app).model().index(row, 0))


def back_in_the_window(qtbot: QtBot, app: App) -> None:
    """After a question, the window gets the keyboard back: offscreen there is no window manager that sees to it."""
    app.window.activateWindow()
    qtbot.waitUntil(app.window.isActiveWindow)


def undone(qtbot: QtBot, app: App) -> None:
    back_in_the_window(qtbot, app)
    qtbot.keyClick(view(app), Qt.Key.Key_Z, CTRL)
    settled(qtbot, app)


def asked(qtbot: QtBot, app: App, kind: type[D]) -> D:
    """The question, once it is shown."""
    qtbot.waitUntil(lambda: app.window.findChild(kind) is not None)
    dialog = app.window.findChild(kind)
    assert isinstance(dialog, kind)
    return dialog


def test_alt_and_arrows_move_a_category_and_the_keyboard_stays_on_it(qtbot: QtBot, three: App) -> None:
    for _ in range(2):  # the second before the store has done the first
        qtbot.keyClick(view(three), Qt.Key.Key_Down, ALT)
    settled(qtbot, three)
    assert names(three) == ["saucer", "spoon", "cup"]
    assert view(three).currentIndex().row() == 2
    qtbot.keyClick(view(three), Qt.Key.Key_Down, ALT)
    qtbot.keyClick(view(three), Qt.Key.Key_Up, ALT)
    settled(qtbot, three)
    assert names(three) == ["saucer", "cup", "spoon"]
    assert [category.id for category in three.session.categories] == [2, 1, 3]
    for wanted in (["saucer", "spoon", "cup"], ["saucer", "cup", "spoon"], ["cup", "saucer", "spoon"]):
        undone(qtbot, three)
        assert names(three) == wanted


def test_digits_follow_the_order(qtbot: QtBot, three: App) -> None:
    qtbot.keyClick(view(three), Qt.Key.Key_Down, ALT)
    settled(qtbot, three)
    qtbot.keyClick(three.window.canvas, Qt.Key.Key_1)
    assert three.session.category_id == 2
    assert str(view(three).model().index(0, 0).data()).split() == ["1", "saucer"]


@pytest.mark.parametrize(
    ("row", "before", "wanted"),
    [
        (0, 3, ["saucer", "spoon", "cup"]),
        (0, 2, ["saucer", "cup", "spoon"]),
        (2, 0, ["spoon", "cup", "saucer"]),
    ],
)
def test_a_dragged_row_goes_where_it_is_dropped(
    qtbot: QtBot, three: App, row: int, before: int, wanted: list[str]
) -> None:
    model = view(three).model()
    assert model.flags(QModelIndex()) & Qt.ItemFlag.ItemIsDropEnabled
    assert not model.flags(model.index(0, 0)) & Qt.ItemFlag.ItemIsDropEnabled
    assert model.moveRow(QModelIndex(), row, QModelIndex(), before)
    settled(qtbot, three)
    assert names(three) == wanted
    undone(qtbot, three)
    assert names(three) == ["cup", "saucer", "spoon"]


def test_delete_takes_a_category_without_boxes_and_undo_brings_it_back(qtbot: QtBot, three: App) -> None:
    go_to(three, 1)
    qtbot.keyClick(view(three), Qt.Key.Key_Delete)
    qtbot.keyClick(view(three), Qt.Key.Key_Delete)  # at once again, as a nervous hand does: one goes, not two
    settled(qtbot, three)
    assert names(three) == ["cup", "spoon"]
    assert view(three).currentIndex().row() == 1
    assert "“saucer” is deleted; Ctrl+Z" in three.window.notices.sentence.text()
    assert three.session.category_id == 1
    undone(qtbot, three)
    assert names(three) == ["cup", "saucer", "spoon"]
    assert len(stored(three)) == 2


def test_delete_in_the_list_leaves_a_selected_box_alone(qtbot: QtBot, three: App) -> None:
    three.session.select(three.session.corrections[0].id)
    go_to(three, 2)
    qtbot.keyClick(view(three), Qt.Key.Key_Delete)
    settled(qtbot, three)
    assert names(three) == ["cup", "saucer"]
    assert len(stored(three)) == 2


def test_a_category_with_boxes_is_asked_about_and_return_changes_nothing(qtbot: QtBot, three: App) -> None:
    qtbot.keyClick(view(three), Qt.Key.Key_Delete)
    dialog = asked(qtbot, three, DeleteCategoryDialog)
    assert dialog.sentence.text() == "“cup” has 2 boxes on 1 image."
    assert [dialog.others.itemText(n) for n in range(dialog.others.count())] == ["saucer", "spoon"]
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    settled(qtbot, three)
    assert not dialog.isVisible()
    assert names(three) == ["cup", "saucer", "spoon"]


def test_return_presses_the_button_that_has_the_keyboard_and_cancels_from_elsewhere(qtbot: QtBot, three: App) -> None:
    qtbot.keyClick(view(three), Qt.Key.Key_Delete)
    dialog = asked(qtbot, three, DeleteCategoryDialog)
    qtbot.waitUntil(dialog.isActiveWindow)
    dialog.others.setFocus()
    assert dialog.cancel.isDefault()
    dialog.move_button.setFocus()
    qtbot.keyClick(dialog.move_button, Qt.Key.Key_Return)
    settled(qtbot, three)
    assert names(three) == ["saucer", "spoon"]


def test_its_boxes_move_to_another_one(qtbot: QtBot, three: App) -> None:
    qtbot.keyClick(view(three), Qt.Key.Key_Delete)
    dialog = asked(qtbot, three, DeleteCategoryDialog)
    dialog.others.setCurrentIndex(1)
    dialog.move_button.click()
    settled(qtbot, three)
    assert names(three) == ["saucer", "spoon"]
    assert [correction.category_id for correction in stored(three)] == [3, 3]
    assert [correction.category_id for correction in three.session.corrections] == [3, 3]
    assert three.session.category_id == 3
    undone(qtbot, three)
    assert names(three) == ["cup", "saucer", "spoon"]
    assert [correction.category_id for correction in stored(three)] == [1, 1]


def test_a_merge_on_very_many_images_shows_the_open_one_as_it_is(
    qtbot: QtBot, three: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("boxrefine_gui.state.project_view.MANY_IMAGES", 1)
    other = replace(three.session.corrections[0], id=0, image_id=three.session.images[1].id)
    three.store.write(lambda project: project.accept(other)[1], on_done=three.session.apply)
    category_verbs.merge_category(three.parts, 1, CategoryUse(3, 2), into=2)
    qtbot.waitUntil(lambda: [correction.category_id for correction in three.session.corrections] == [2, 2])
    undone(qtbot, three)
    qtbot.waitUntil(lambda: [correction.category_id for correction in three.session.corrections] == [1, 1])


def test_or_they_go_with_it(qtbot: QtBot, three: App) -> None:
    before = stored(three)
    qtbot.keyClick(view(three), Qt.Key.Key_Backspace)
    asked(qtbot, three, DeleteCategoryDialog).delete_button.click()
    settled(qtbot, three)
    assert (names(three), stored(three)) == (["saucer", "spoon"], [])
    assert three.session.corrections == ()
    undone(qtbot, three)
    assert (names(three), stored(three)) == (["cup", "saucer", "spoon"], before)


def test_the_last_category_can_only_go_with_its_boxes(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, Box(20, 30, 100, 100))
    accept(qtbot, app)
    go_to(app, 0)
    app.window.categories.delete.trigger()
    dialog = asked(qtbot, app, DeleteCategoryDialog)
    assert not dialog.move_button.isVisible()
    dialog.delete_button.click()
    settled(qtbot, app)
    assert (names(app), app.session.category_id) == ([], None)
    back_in_the_window(qtbot, app)
    draw(qtbot, app, Box(20, 30, 100, 100))
    accept(qtbot, app)
    assert names(app) == ["object"]


def test_the_right_button_merges_into_the_chosen_one(qtbot: QtBot, three: App) -> None:
    box_verbs.choose_category(three.parts, 3)
    go_to(three, 0)
    three.window.categories.merge.trigger()
    dialog = asked(qtbot, three, MergeCategoryDialog)
    assert dialog.others.currentText() == "spoon"
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    settled(qtbot, three)
    assert names(three) == ["saucer", "spoon"]
    assert [correction.category_id for correction in stored(three)] == [3, 3]
    assert "2 boxes of “cup” are “spoon” now" in three.window.notices.sentence.text()
    undone(qtbot, three)
    assert names(three) == ["cup", "saucer", "spoon"]


def test_a_name_that_is_taken_offers_the_merge(qtbot: QtBot, three: App) -> None:
    three.window.categories.rename.trigger()
    editor = view(three).findChild(QLineEdit)
    assert editor is not None
    editor.setText("saucer")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    dialog = asked(qtbot, three, MergeCategoryDialog)
    assert dialog.sentence.text() == "There is a category “saucer” already. “cup” has 2 boxes on 1 image."
    assert dialog.others.currentText() == "saucer"
    dialog.merge_button.click()
    settled(qtbot, three)
    assert names(three) == ["saucer", "spoon"]


def test_what_cannot_be_done_cannot_be_chosen(qtbot: QtBot, three: App) -> None:
    panel = three.window.categories
    go_to(three, 0)
    assert (panel.move_up.isEnabled(), panel.move_down.isEnabled()) == (False, True)
    go_to(three, 2)
    assert (panel.move_up.isEnabled(), panel.move_down.isEnabled()) == (True, False)
    assert panel.merge.isEnabled()


def test_a_question_goes_with_its_project(qtbot: QtBot, three: App) -> None:
    qtbot.keyClick(view(three), Qt.Key.Key_Delete)
    dialog = asked(qtbot, three, DeleteCategoryDialog)
    three.session.project_changed.emit()
    assert not dialog.isVisible()
    assert len(names(three)) == 3


def test_undo_of_a_deletion_chooses_the_category_again_and_redo_another(qtbot: QtBot, three: App) -> None:
    box_verbs.choose_category(three.parts, 3)
    go_to(three, 2)
    qtbot.keyClick(view(three), Qt.Key.Key_Delete)
    settled(qtbot, three)
    assert three.session.category_id == 1
    undone(qtbot, three)
    assert three.session.category_id == 3
    three.window.action_by_id["redo"].trigger()
    settled(qtbot, three)
    assert three.session.category_id == 1


def test_undo_of_a_merge_chooses_the_category_again(qtbot: QtBot, three: App) -> None:
    category_verbs.merge_category(three.parts, 1, CategoryUse(2, 1), 2)
    settled(qtbot, three)
    assert three.session.category_id == 2
    undone(qtbot, three)
    assert three.session.category_id == 1


def test_undo_of_adding_one_chooses_the_one_before(qtbot: QtBot, three: App) -> None:
    box_verbs.choose_category(three.parts, 2)
    box_verbs.add_category(three.parts, "bowl")
    settled(qtbot, three)
    assert three.session.category_id == 4
    undone(qtbot, three)
    assert three.session.category_id == 2


def test_what_was_chosen_after_a_deletion_stays_chosen(qtbot: QtBot, three: App) -> None:
    box_verbs.choose_category(three.parts, 3)
    category_verbs.delete_with_boxes(three.parts, 3, CategoryUse(0, 0))
    settled(qtbot, three)
    box_verbs.choose_category(three.parts, 2)
    undone(qtbot, three)
    assert three.session.category_id == 2


# A click, and the keyboard after it


def clicked(qtbot: QtBot, app: App, row: int) -> None:
    at = view(app).visualRect(view(app).model().index(row, 0)).center()
    qtbot.mouseClick(view(app).viewport(), Qt.MouseButton.LeftButton, pos=at)
    settled(qtbot, app)


def test_a_click_chooses_and_says_nothing_where_no_box_is_selected(qtbot: QtBot, three: App) -> None:
    clicked(qtbot, three, 2)
    assert three.session.category_id == 3
    assert three.window.notices.sentence.text() == ""
    assert [entry.category_id for entry in stored(three)] == [1, 1]


def test_a_click_that_relabels_says_what_it_did_and_how_to_undo_it(qtbot: QtBot, three: App) -> None:
    three.session.select(three.session.corrections[0].id)
    clicked(qtbot, three, 1)
    assert [entry.category_id for entry in stored(three)] == [2, 1]
    assert three.window.notices.sentence.text() == ("Relabelled 1 box from “cup” to “saucer”. Ctrl+Z takes it back.")
    undone(qtbot, three)
    assert [entry.category_id for entry in stored(three)] == [1, 1]


def test_the_list_keeps_the_keyboard_after_a_click_and_delete_means_what_was_clicked(qtbot: QtBot, three: App) -> None:
    three.session.select(three.session.corrections[0].id)
    clicked(qtbot, three, 2)
    assert three.window.focusWidget() is view(three)
    clicked(qtbot, three, 1)
    assert view(three).currentIndex().row() == 1  # though the next boxes are still cups
    qtbot.keyClick(view(three), Qt.Key.Key_Z, CTRL)
    qtbot.keyClick(view(three), Qt.Key.Key_Z, CTRL)
    settled(qtbot, three)
    assert [entry.category_id for entry in stored(three)] == [1, 1]
    qtbot.keyClick(view(three), Qt.Key.Key_Delete)
    settled(qtbot, three)
    assert names(three) == ["cup", "spoon"] and len(stored(three)) == 2
    three.window.canvas.setFocus()
    assert view(three).currentIndex().row() == 0
