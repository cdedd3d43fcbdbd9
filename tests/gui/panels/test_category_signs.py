"""Categories are hidden, locked, shown alone; they get colours and keys; the list counts their boxes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QColorDialog
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.dialogs.category_looks_dialog import CategoryLooksDialog
from boxrefine_gui.operations import box_verbs, category_verbs, checking
from boxrefine_gui.operations.box_verbs import Parts
from boxrefine_gui.panels.category_data import signs_of
from boxrefine_gui.panels.category_delegate import COUNT_ROLE, KEY_ROLE, Sign
from boxrefine_gui.widgets import theme
from core.geometry import Box
from core.records import Correction, ImportedBox
from tests.gui.driving import accept, click, draw, settled, stored

LEFT, RIGHT = Box(20, 30, 100, 100), Box(120, 30, 180, 100)
ALT = Qt.KeyboardModifier.AltModifier


@pytest.fixture
def two(qtbot: QtBot, app: App) -> App:
    """A cup on the left and a saucer on the right; the keyboard is on the canvas."""
    for name in ("cup", "saucer", "spoon"):
        box_verbs.add_category(app.parts, name)
        settled(qtbot, app)
    for category_id, box in ((1, LEFT), (2, RIGHT)):
        app.session.choose_category(category_id)
        draw(qtbot, app, box)
        accept(qtbot, app)
    app.window.canvas.setFocus()
    qtbot.waitUntil(app.window.isActiveWindow)
    return app


def middle(box: Box) -> tuple[float, float]:
    return (box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2


def is_painted(app: App, category_id: int) -> bool:
    """Whether the canvas shows the color of a category."""
    wanted, image = theme.category_color(category_id, app.session.colors).rgb(), app.window.canvas.grab().toImage()
    return any(image.pixel(x, y) == wanted for y in range(image.height()) for x in range(image.width()))


def column(app: App, role: int) -> list[str]:
    model = app.window.categories.view.model()
    return [str(model.index(row, 0).data(role)) for row in range(model.rowCount())]


def click_sign(qtbot: QtBot, app: App, row: int, sign: Sign) -> None:
    """Click on the sign of a row, where the list shows it under the mouse."""
    view = app.window.categories.view
    rect = view.visualRect(view.model().index(row, 0))
    spots = (QPoint(x, rect.center().y()) for x in range(rect.left(), rect.right()))
    at = next(spot for spot in spots if view.sign_at(spot) == (row, sign))
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)


def test_hidden_boxes_are_not_painted_not_picked_and_still_exported(qtbot: QtBot, two: App) -> None:
    assert is_painted(two, 1) and is_painted(two, 2)
    click_sign(qtbot, two, 0, Sign.HIDDEN)
    assert not is_painted(two, 1) and is_painted(two, 2)
    click(two.window.canvas, middle(LEFT))
    assert two.session.selected_id is None
    for _ in range(2):
        qtbot.keyClick(two.window.canvas, Qt.Key.Key_Tab)
        assert two.session.selected is not None and two.session.selected.category_id == 2
    assert two.session.category_id == 2  # a click on a sign chooses nothing
    assert [entry.category_id for entry in stored(two)] == [1, 2]
    click_sign(qtbot, two, 0, Sign.HIDDEN)
    assert is_painted(two, 1)


def test_locked_boxes_are_painted_and_cannot_be_selected_moved_or_deleted(qtbot: QtBot, two: App) -> None:
    click(two.window.canvas, middle(LEFT))
    assert two.session.selected_id == two.session.corrections[0].id
    click_sign(qtbot, two, 0, Sign.LOCKED)
    assert two.session.selected_id is None and is_painted(two, 1)
    before = stored(two)
    click(two.window.canvas, middle(LEFT))
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Delete):
        qtbot.keyClick(two.window.canvas, key)
    settled(qtbot, two)
    assert stored(two) == before
    boxes = two.window.boxes
    at = boxes.visualRect(boxes.model().index(0, 0)).center()
    qtbot.mouseClick(boxes.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert two.session.selected_id is None and "hidden or locked" in two.window.notices.sentence.text()


@pytest.mark.parametrize("toggle", [category_verbs.toggle_locked, category_verbs.toggle_hidden])
def test_delete_in_the_list_spares_locked_and_hidden_boxes(
    qtbot: QtBot, two: App, toggle: Callable[[Parts, int], None]
) -> None:
    toggle(two.parts, 1)
    boxes = two.window.boxes
    boxes.setFocus()
    boxes.setCurrentIndex(boxes.model().index(0, 0))
    boxes.selectAll()
    two.window.notices.dismiss_all()
    qtbot.keyClick(boxes, Qt.Key.Key_Delete)
    settled(qtbot, two)
    assert [entry.category_id for entry in stored(two)] == [1]
    two.window.notices.dismiss_all()
    boxes.selectAll()
    qtbot.keyClick(boxes, Qt.Key.Key_Backspace)
    settled(qtbot, two)
    assert len(stored(two)) == 1 and "hidden or locked" in two.window.notices.sentence.text()


def test_one_category_is_shown_alone_and_h_shows_all(qtbot: QtBot, two: App) -> None:
    two.window.categories.view.setCurrentIndex(two.window.categories.view.model().index(0, 0))
    two.window.categories.show_alone.trigger()
    assert is_painted(two, 1) and not is_painted(two, 2)
    assert two.window.status.sight.text() == "only “cup” is shown (Shift+H: show all)"
    assert signs_of(two.session, 1) == (Sign.SOLO,) and signs_of(two.session, 2) == (Sign.HIDDEN,)
    two.window.canvas.setFocus()
    qtbot.keyClick(two.window.canvas, Qt.Key.Key_H, Qt.KeyboardModifier.ShiftModifier)
    assert two.session.sight.is_plain and two.window.status.sight.text() == "" and is_painted(two, 2)


def test_the_status_bar_counts_what_is_hidden_and_locked(two: App) -> None:
    category_verbs.toggle_hidden(two.parts, 1)
    category_verbs.toggle_hidden(two.parts, 3)
    category_verbs.toggle_locked(two.parts, 2)
    assert two.window.status.sight.text() == "2 categories hidden, 1 locked (Shift+H: show all)"


def test_a_box_accepted_in_a_hidden_category_shows_it_again(qtbot: QtBot, two: App) -> None:
    category_verbs.toggle_hidden(two.parts, 2)
    draw(qtbot, two, Box(30, 110, 90, 140))
    accept(qtbot, two)
    assert two.session.sight.shows(2) and "“saucer” is shown again" in two.window.notices.sentence.text()


def test_the_only_shown_category_is_deleted_and_the_others_come_back(qtbot: QtBot, two: App) -> None:
    category_verbs.toggle_solo(two.parts, 3)
    assert not is_painted(two, 1)
    category_verbs.delete_category(two.parts, 3, ask=lambda _: None)
    settled(qtbot, two)
    assert two.session.sight.is_plain and is_painted(two, 1)


def test_boxes_to_check_of_hidden_categories_are_not_accepted_unseen(qtbot: QtBot, two: App) -> None:
    assert two.session.image is not None
    image_id, box = two.session.image.id, Box(30, 110, 90, 140)
    unseen = ImportedBox("cup", Correction(image_id, 0, box, box, confirmed=False))
    two.parts.store.write(lambda project: project.import_boxes([unseen], file="a")[1], on_done=two.session.apply)
    settled(qtbot, two)
    category_verbs.toggle_hidden(two.parts, 1)
    qtbot.keyClick(two.window.canvas, Qt.Key.Key_N)
    assert two.session.selected_id is None
    assert two.window.notices.sentence.text() == checking.REST_IS_OUT_OF_SIGHT
    checking.accept_all_here(two.parts)
    settled(qtbot, two)
    assert [entry.confirmed for entry in stored(two)] == [True, True, False]
    category_verbs.show_all(two.parts)
    checking.accept_all_here(two.parts)
    settled(qtbot, two)
    assert all(entry.confirmed for entry in stored(two))


def test_counts_follow_each_box_undo_and_merge(qtbot: QtBot, two: App) -> None:
    assert column(two, COUNT_ROLE) == ["1", "1", "0"]
    draw(qtbot, two, Box(30, 110, 90, 140))
    accept(qtbot, two)
    assert column(two, COUNT_ROLE) == ["1", "2", "0"]
    box_verbs.undo(two.parts)
    settled(qtbot, two)
    assert column(two, COUNT_ROLE) == ["1", "1", "0"]
    category_verbs.ask_merge(two.parts, 1, ask=lambda use: category_verbs.merge_category(two.parts, 1, use, into=3))
    settled(qtbot, two)
    qtbot.waitUntil(lambda: column(two, COUNT_ROLE) == ["1", "1"])


def looks(qtbot: QtBot, app: App, row: int) -> CategoryLooksDialog:
    """The dialog for the color and the key, opened by its key in the list."""
    view = app.window.categories.view
    view.setFocus()
    view.setCurrentIndex(view.model().index(row, 0))
    qtbot.keyClick(view, Qt.Key.Key_Return, ALT)
    qtbot.waitUntil(lambda: app.window.findChild(CategoryLooksDialog) is not None)
    dialog = app.window.findChild(CategoryLooksDialog)
    assert isinstance(dialog, CategoryLooksDialog)
    return dialog


def test_a_letter_chosen_in_the_dialog_chooses_the_category(qtbot: QtBot, two: App) -> None:
    dialog = looks(qtbot, two, 2)
    qtbot.keyClicks(dialog.key, "v")
    qtbot.keyClick(dialog.key, Qt.Key.Key_Return)
    settled(qtbot, two)
    assert column(two, KEY_ROLE) == ["1", "2", "V"]
    two.window.activateWindow()
    qtbot.waitUntil(two.window.isActiveWindow)
    qtbot.keyClick(two.window.canvas, Qt.Key.Key_V)
    assert two.session.category_id == 3
    two.session.select(two.session.corrections[0].id)
    qtbot.keyClick(two.window.canvas, Qt.Key.Key_V)
    settled(qtbot, two)
    assert [entry.category_id for entry in stored(two)] == [3, 2]


def test_a_digit_goes_to_another_category(qtbot: QtBot, two: App) -> None:
    dialog = looks(qtbot, two, 2)
    dialog.key.setText("1")
    dialog.choose.click()
    settled(qtbot, two)
    assert column(two, KEY_ROLE) == ["", "2", "1"]
    two.window.activateWindow()
    qtbot.waitUntil(two.window.isActiveWindow)
    qtbot.keyClick(two.window.canvas, Qt.Key.Key_1)
    assert two.session.category_id == 3


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("a", "A belongs to “Previous image”: choose another key, or change that one."),
        ("+", "“+” is no letter or digit: choose another key."),
    ],
)
def test_a_key_that_cannot_be_had_is_one_sentence(qtbot: QtBot, two: App, key: str, sentence: str) -> None:
    dialog = looks(qtbot, two, 0)
    qtbot.keyClicks(dialog.key, key)
    assert dialog.sentence.text() == sentence and not dialog.choose.isEnabled()
    qtbot.keyClick(dialog.key, Qt.Key.Key_Backspace)
    assert dialog.sentence.text() == "" and dialog.choose.isEnabled()
    dialog.reject()


def test_a_key_of_another_category_is_said_before_it_is_taken(qtbot: QtBot, two: App) -> None:
    category_verbs.choose_key(two.parts, 1, "V")
    settled(qtbot, two)
    dialog = looks(qtbot, two, 1)
    qtbot.keyClicks(dialog.key, "v")
    assert dialog.sentence.text() == "“cup” has V now, and loses it."
    dialog.choose.click()
    settled(qtbot, two)
    assert [entry.key for entry in two.session.categories] == ["", "V", ""]


def test_a_chosen_colour_is_painted_stored_and_undone(qtbot: QtBot, two: App) -> None:
    dialog = looks(qtbot, two, 0)
    dialog.color.click()
    picker = dialog.findChild(QColorDialog)
    assert isinstance(picker, QColorDialog) and picker.currentColor() == theme.category_color(1)
    picker.setCurrentColor(QColor("#123abc"))
    picker.accept()
    assert dialog.color.text() == "#123ABC"
    dialog.choose.click()
    settled(qtbot, two)
    assert two.session.colors[1] == "#123ABC" and is_painted(two, 1)
    box_verbs.undo(two.parts)
    settled(qtbot, two)
    assert two.session.colors[1] == theme.category_color(1).name().upper()


def test_a_category_that_is_deleted_while_its_dialog_is_open_is_a_sentence(qtbot: QtBot, two: App) -> None:
    dialog = looks(qtbot, two, 2)
    dialog.key.setText("v")
    category_verbs.delete_category(two.parts, 3, ask=lambda _: None)
    settled(qtbot, two)
    dialog.choose.click()
    settled(qtbot, two)
    assert "has no category with the id 3" in two.window.notices.sentence.text()


def test_an_action_that_takes_the_letter_comes_before_the_category(qtbot: QtBot, two: App) -> None:
    category_verbs.choose_key(two.parts, 3, "V")
    settled(qtbot, two)
    box_verbs.choose_settings(two.parts, replace(two.session.settings, keys={"show_names": ("V",)}))
    assert column(two, KEY_ROLE) == ["1", "2", ""]
    before = two.session.settings.show_names
    qtbot.keyClick(two.window.canvas, Qt.Key.Key_V)
    assert two.session.settings.show_names is not before and two.session.category_id == 2
