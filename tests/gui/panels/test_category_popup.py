"""The categories at the cursor: typed, chosen, added, left without a change, while the drawn box goes on snapping."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.operations import box_verbs, category_verbs
from boxrefine_gui.panels.category_popup import CategoryPopup
from boxrefine_gui.state.project_view import read_whole
from core.geometry import Box
from core.records import Correction
from tests.core.frame_time import frame_s
from tests.gui.driving import accept, drag, draw, move, press, release, settled, stored
from tests.gui.fakes import FakeModels

NAMES = ("person", "dog", "hot dog", "cat", "<b>bold</b> & <img src='/dev/zero'>")
HERE, THERE = Box(20, 30, 100, 100), Box(120, 30, 180, 100)


@pytest.fixture
def five(qtbot: QtBot, app: App) -> App:
    """A window with five categories, of which person is chosen, and one drawn box."""
    add(qtbot, app, *NAMES)
    app.session.choose_category(1)
    qtbot.waitUntil(app.window.isActiveWindow)
    draw(qtbot, app, HERE)
    return app


def add(qtbot: QtBot, app: App, *names: str) -> None:
    app.parts.store.run(
        lambda project: (project.add_categories(names), read_whole(project))[1], on_done=app.session.apply
    )
    settled(qtbot, app)


def opened(qtbot: QtBot, app: App) -> CategoryPopup:
    """The pop-up after the key C on the canvas."""
    app.window.canvas.setFocus()
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_C)
    popup = app.window.category_popup
    qtbot.waitUntil(popup.line.hasFocus)
    return popup


def rows(popup: CategoryPopup) -> list[str]:
    model = popup.view.model()
    return [str(model.index(row, 0).data(Qt.ItemDataRole.EditRole)) for row in range(model.rowCount())]


def test_a_few_letters_and_return_give_the_drawn_box_its_category(qtbot: QtBot, five: App) -> None:
    popup = opened(qtbot, five)
    assert popup.line.placeholderText() == "Category of the drawn box"
    qtbot.keyClicks(popup.line, "DO")
    assert rows(popup)[:2] == ["dog", "hot dog"]
    qtbot.keyClick(popup.line, Qt.Key.Key_Return)
    assert popup.isHidden() and five.window.focusWidget() is five.window.canvas
    assert five.session.draft is not None and five.session.draft.category_id == 2
    accept(qtbot, five)
    assert [entry.category_id for entry in stored(five)] == [2]


def test_escape_and_a_click_elsewhere_change_nothing(qtbot: QtBot, five: App) -> None:
    popup = opened(qtbot, five)
    qtbot.keyClicks(popup.line, "cat")
    qtbot.keyClick(popup.line, Qt.Key.Key_Escape)
    assert popup.isHidden() and five.window.focusWidget() is five.window.canvas
    assert five.session.draft is not None and five.session.draft.category_id == 1
    popup = opened(qtbot, five)
    assert popup.line.text() == ""
    five.window.categories.new_name.setFocus()
    assert popup.isHidden() and five.session.draft.category_id == 1


def test_arrows_and_pages_go_through_the_list_and_stop_at_its_ends(qtbot: QtBot, five: App) -> None:
    popup = opened(qtbot, five)
    for key, row in ((Qt.Key.Key_Up, 0), (Qt.Key.Key_Down, 1), (Qt.Key.Key_PageDown, 4), (Qt.Key.Key_PageUp, 0)):
        qtbot.keyClick(popup.line, key)
        assert popup.view.currentIndex().row() == row
    qtbot.keyClick(popup.line, Qt.Key.Key_Down)
    qtbot.keyClick(popup.line, Qt.Key.Key_Enter)
    assert five.session.category_id == 2


def test_the_last_ones_come_first(qtbot: QtBot, five: App) -> None:
    for name in ("cat", "hot"):
        qtbot.keyClicks(opened(qtbot, five).line, name)
        qtbot.keyClick(five.window.category_popup.line, Qt.Key.Key_Return)
    assert rows(opened(qtbot, five))[:3] == ["hot dog", "cat", "person"]


def test_it_relabels_the_selected_box_as_one_undo_step(qtbot: QtBot, five: App) -> None:
    accept(qtbot, five)
    five.session.select(five.session.corrections[0].id)
    popup = opened(qtbot, five)
    assert popup.line.placeholderText() == "Category of the selected box"
    qtbot.keyClicks(popup.line, "cat")
    qtbot.keyClick(popup.line, Qt.Key.Key_Return)
    settled(qtbot, five)
    assert [entry.category_id for entry in stored(five)] == [4] and five.session.category_id == 1
    box_verbs.undo(five.parts)
    settled(qtbot, five)
    assert [entry.category_id for entry in stored(five)] == [1]


def test_a_new_name_is_asked_for_after_the_near_one(qtbot: QtBot, five: App) -> None:
    popup = opened(qtbot, five)
    qtbot.keyClicks(popup.line, "dgo")
    assert rows(popup) == ["dog", "Create “dgo”? There is “dog”."]
    qtbot.keyClick(popup.line, Qt.Key.Key_Down)
    qtbot.keyClick(popup.line, Qt.Key.Key_Return)
    settled(qtbot, five)
    assert [category.name for category in five.session.categories] == [*NAMES, "dgo"]
    assert five.session.draft is not None and five.session.draft.category_id == 6


def test_a_box_accepted_before_its_new_category_is_stored_still_gets_it(qtbot: QtBot, five: App) -> None:
    popup = opened(qtbot, five)
    qtbot.keyClicks(popup.line, "zebra")
    qtbot.keyClick(popup.line, Qt.Key.Key_Return)
    qtbot.keyClick(five.window.canvas, Qt.Key.Key_Return)  # at once, as a fast hand does
    assert five.session.draft is None and five.session.category_id == 1
    settled(qtbot, five)
    qtbot.waitUntil(lambda: [entry.category_id for entry in stored(five)] == [6])
    assert five.session.category_id == 6


def test_a_box_that_is_left_before_its_new_category_is_stored_still_gets_it(qtbot: QtBot, five: App) -> None:
    accept(qtbot, five)
    first = five.session.corrections[0].id
    five.session.select(first)
    popup = opened(qtbot, five)
    qtbot.keyClicks(popup.line, "zebra")
    qtbot.keyClick(popup.line, Qt.Key.Key_Return)
    five.session.select(None)
    settled(qtbot, five)
    assert [entry.category_id for entry in stored(five)] == [6] and five.session.category_id == 1


def test_a_name_like_no_other_is_added_by_return(qtbot: QtBot, five: App) -> None:
    popup = opened(qtbot, five)
    qtbot.keyClicks(popup.line, "zebra")
    assert rows(popup) == ["Create “zebra”"]
    qtbot.keyClick(popup.line, Qt.Key.Key_Return)
    settled(qtbot, five)
    assert five.session.categories[-1].name == "zebra" and five.session.category_id == 6


def test_a_name_in_another_case_is_not_added_again(qtbot: QtBot, five: App) -> None:
    popup = opened(qtbot, five)
    qtbot.keyClicks(popup.line, "PERSON")
    assert rows(popup) == ["person"]


@pytest.mark.parametrize("name", ["x" * 1000, "<u>'/dev/zero'</u>", "\u202egod", "a\tb"])
def test_long_and_strange_names_end_in_a_category_or_a_sentence(qtbot: QtBot, five: App, name: str) -> None:
    popup = opened(qtbot, five)
    popup.line.setText(name)
    popup.line.textEdited.emit(popup.line.text())
    qtbot.keyClick(popup.line, Qt.Key.Key_Return)
    settled(qtbot, five)
    added = [category.name for category in five.session.categories[5:]]
    if name.isprintable():
        assert added == [name]
    else:
        assert added == [] and "leave out the hidden characters" in five.window.notices.sentence.text()
    assert five.window.category_popup.isHidden()
    opened(qtbot, five)
    five.window.grab()


def test_letters_and_digits_typed_there_run_no_command(qtbot: QtBot, five: App) -> None:
    heard: list[str] = []
    popup = opened(qtbot, five)
    for id, action in five.window.action_by_id.items():
        action.triggered.connect(lambda _=False, id=id: heard.append(id))
    letters = {key for row in five.window.rows for key in row.keys if len(key) == 1}
    assert {"C", "A", "1"} <= letters
    for letter in sorted(letters):
        qtbot.keyClick(popup.line, letter.lower())
    for key in (Qt.Key.Key_PageDown, Qt.Key.Key_Tab, Qt.Key.Key_Down, Qt.Key.Key_Escape):
        qtbot.keyClick(popup.line, key)
    assert heard == [] and five.session.draft is not None


def test_the_drawn_box_goes_on_snapping_below_it(qtbot: QtBot, app: App, models: FakeModels) -> None:
    canvas = app.window.canvas
    press(canvas, (20, 30))
    move(canvas, (80, 80))
    canvas.setFocus()
    qtbot.keyClick(canvas, Qt.Key.Key_C)
    assert app.window.category_popup.isVisible()
    move(canvas, (100, 100))
    qtbot.waitUntil(lambda: app.session.draft is not None and app.session.draft.is_current)
    assert app.session.draft is not None and app.session.draft.drawn.x2 == pytest.approx(100, abs=1)
    assert app.window.category_popup.isVisible()
    release(canvas, (100, 100))
    assert app.window.category_popup.isVisible() and app.session.draft is not None


def test_it_opens_after_each_drag_if_the_user_wants_that(qtbot: QtBot, five: App) -> None:
    popup = five.window.category_popup
    qtbot.waitUntil(lambda: five.session.draft is not None)
    assert popup.isHidden()
    five.window.action_by_id["ask_category"].trigger()
    assert five.session.settings.ask_category
    drag(five.window.canvas, [(120, 30), (150, 60), (180, 100)])
    qtbot.waitUntil(popup.isVisible)
    qtbot.keyClicks(popup.line, "cat")
    qtbot.keyClick(popup.line, Qt.Key.Key_Return)
    accept(qtbot, five)
    assert [entry.category_id for entry in stored(five)] == [1, 4]


def test_with_auto_accept_the_box_has_its_category_already(qtbot: QtBot, five: App) -> None:
    settings = replace(five.session.settings, ask_category=True, auto_accept=True)
    box_verbs.choose_settings(five.parts, settings)
    drag(five.window.canvas, [(120, 30), (150, 60), (180, 100)])
    qtbot.waitUntil(lambda: len(stored(five)) == 2)
    assert five.window.category_popup.isHidden()


def test_a_category_that_is_deleted_meanwhile_leaves_the_list(qtbot: QtBot, five: App) -> None:
    popup = opened(qtbot, five)
    qtbot.keyClicks(popup.line, "cat")
    category_verbs.delete_category(five.parts, 4, ask=lambda _: None)
    settled(qtbot, five)
    assert rows(popup) == ["Create “cat”"]
    qtbot.keyClick(popup.line, Qt.Key.Key_Escape)
    assert [category.name for category in five.session.categories] == [*NAMES[:3], NAMES[4]]


def test_a_category_that_is_added_meanwhile_does_not_move_the_chosen_row(qtbot: QtBot, five: App) -> None:
    popup = opened(qtbot, five)
    qtbot.keyClick(popup.line, Qt.Key.Key_Down)
    qtbot.keyClick(popup.line, Qt.Key.Key_Down)
    assert rows(popup)[popup.view.currentIndex().row()] == "hot dog"
    add(qtbot, five, "owl")
    category_verbs.delete_category(five.parts, 2, ask=lambda _: None)
    settled(qtbot, five)
    assert rows(popup)[popup.view.currentIndex().row()] == "hot dog"
    qtbot.keyClick(popup.line, Qt.Key.Key_Return)
    assert five.session.category_id == 3


def test_it_closes_with_its_box(qtbot: QtBot, five: App) -> None:
    popup = opened(qtbot, five)
    box_verbs.step_image(five.parts, 1)
    assert popup.isHidden()


def test_it_stays_inside_the_window(qtbot: QtBot, five: App) -> None:
    for at in ((1, 1), (199, 149), (1, 149), (199, 1)):
        move(five.window.canvas, at)
        popup = opened(qtbot, five)
        assert five.window.rect().contains(popup.geometry())
        qtbot.keyClick(popup.line, Qt.Key.Key_Escape)


@pytest.mark.slow
def test_three_thousand_categories_answer_each_key_within_a_frame(qtbot: QtBot, five: App) -> None:
    add(qtbot, five, *(f"category {number:04}" for number in range(3000)))
    popup, text = opened(qtbot, five), "category 123"
    assert popup.view.model().rowCount() == 3005
    least = [1.0] * len(text)
    for _ in range(3):
        popup.line.clear()
        for at, letter in enumerate(text):
            start = time.thread_time()  # other programs on the machine do not count
            qtbot.keyClick(popup.line, letter)
            least[at] = min(least[at], time.thread_time() - start)
    assert rows(popup)[0] == "category 1230"
    assert max(least) < frame_s()


def test_the_first_box_of_a_project_gets_a_category_by_name(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, THERE)
    popup = opened(qtbot, app)
    assert popup.view.model().rowCount() == 0
    qtbot.keyClick(popup.line, Qt.Key.Key_Return)  # nothing to choose: it stays
    assert popup.isVisible()
    qtbot.keyClicks(popup.line, "cup")
    qtbot.keyClick(popup.line, Qt.Key.Key_Return)
    settled(qtbot, app)
    accept(qtbot, app)
    [box] = stored(app)
    assert isinstance(box, Correction) and app.session.categories[0].name == "cup" and box.category_id == 1


def test_the_row_that_makes_the_first_category_is_whole(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, HERE)
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_C)
    popup = app.window.category_popup
    qtbot.keyClicks(popup.line, "tv")
    assert popup.view.visualRect(popup.view.model().index(0, 0)).height() > 0
    assert popup.view.viewport().height() >= popup.view.sizeHintForRow(0)
    assert popup.line.height() >= popup.line.sizeHint().height()
