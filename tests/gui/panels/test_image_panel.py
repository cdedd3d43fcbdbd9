"""The panel above the image list: its menus with counts, its texts, and the keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.operations import box_verbs
from boxrefine_gui.panels.image_list import ALL_ROWS
from boxrefine_gui.panels.image_panel import MOST_CATEGORIES
from core.geometry import Box
from core.listing import Order, Query, Tab
from core.records import Correction
from tests.gui.driving import settled
from tests.gui.fakes import sample_like_pictures
from tests.gui.operations.test_finding import found, names, write

NAMES = tuple(f"frame_{number:04}.png" for number in range(1, 21))
BOX = Box(10, 10, 60, 60)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return sample_like_pictures(tmp_path / "pictures", NAMES)


def entries(menu: QMenu) -> dict[str, str]:
    """Text of each entry -> its number; separators are left out."""
    texts = [action.text().replace("&", "").split("\t") for action in menu.actions() if not action.isSeparator()]
    return {text: "".join(number) for text, *number in texts}


def entry(menu: QMenu, text: str) -> QAction:
    return next(action for action in menu.actions() if action.text().replace("&", "").split("\t")[0] == text)


def opened(qtbot: QtBot, app: App, menu: QMenu) -> QMenu:
    """A menu filled as it is when the user opens it."""
    menu.aboutToShow.emit()
    settled(qtbot, app)
    return menu


@pytest.fixture
def worked(qtbot: QtBot, app: App) -> App:
    """A window on images in each state."""
    write(qtbot, app, lambda project: project.add_categories(["cup", "R&D"]))
    boxes = [Correction(image_id, 1 + image_id // 3, BOX, BOX) for image_id in (1, 2, 3)]
    write(qtbot, app, lambda project: project.accept_all(boxes)[1])
    write(qtbot, app, lambda project: project.mark([1, 9], done=True))
    for image_id, note in ((2, "blurred"), (3, "blurred"), (4, "<b>dog & cat</b>"), (5, "")):
        write(qtbot, app, lambda project, image_id=image_id, note=note: project.flag(image_id, note))
    return app


def test_the_filters_have_their_counts_and_those_without_images_are_off(qtbot: QtBot, worked: App) -> None:
    menu = opened(qtbot, worked, worked.window.image_panel.filter.choices)
    assert entries(menu) == {
        "All images": "20", "Untouched": "16", "In work": "2", "To check": "0", "Doubtful": "0", "Flagged": "4",
        "Done": "2", "Done, without boxes": "1", "Category": "", "Note of the flag": "", "Folder": "",
        "Show all images": "",
    }  # fmt: skip
    assert entry(menu, "All images").isChecked() and not entry(menu, "To check").isEnabled()
    assert not entry(menu, "Show all images").isEnabled()
    entry(menu, "Flagged").trigger()
    found(qtbot, worked)
    panel = worked.window.image_panel
    assert names(worked) == list(NAMES[1:5]) and panel.filter.text() == "Flagged"
    assert "4 of 20" in panel.count.toolTip()
    menu = opened(qtbot, worked, menu)
    assert entry(menu, "Flagged").isChecked()
    entry(menu, "Show all images").trigger()
    found(qtbot, worked)
    assert names(worked) == list(NAMES)


def test_categories_and_notes_are_offered_with_their_counts(qtbot: QtBot, worked: App) -> None:
    panel = worked.window.image_panel
    opened(qtbot, worked, panel.filter.choices)
    assert entries(panel.categories) == {"Any category": "", "cup": "2", "RD": "1"}
    assert entries(panel.notes) == {
        "Any note": "", "“blurred”": "2", "“<b>dog  cat</b>”": "1", "no note": "1",
    }  # fmt: skip
    entry(panel.categories, "RD").trigger()
    found(qtbot, worked)
    assert names(worked) == [NAMES[2]] and panel.filter.shown == "R&D ▾"
    opened(qtbot, worked, panel.filter.choices)
    entry(panel.notes, "“blurred”").trigger()
    found(qtbot, worked)
    assert worked.session.query == Query(category_id=2, note="blurred") and names(worked) == [NAMES[2]]
    opened(qtbot, worked, panel.filter.choices)
    entry(panel.categories, "Any category").trigger()
    found(qtbot, worked)
    assert names(worked) == list(NAMES[1:3])


def test_of_many_categories_those_on_the_most_images_are_offered(qtbot: QtBot, app: App) -> None:
    write(qtbot, app, lambda project: project.add_categories([f"kind {n}" for n in range(3 * MOST_CATEGORIES)]))
    last = 3 * MOST_CATEGORIES
    boxes = [Correction(image_id, last, BOX, BOX) for image_id in (1, 2)]
    write(qtbot, app, lambda project: project.accept_all(boxes)[1])
    panel = app.window.image_panel
    opened(qtbot, app, panel.filter.choices)
    offered = entries(panel.categories)
    assert len(offered) <= MOST_CATEGORIES + 2 and offered[f"kind {last - 1}"] == "2"


def test_orders_are_chosen_in_their_menu_and_sorted_again(qtbot: QtBot, worked: App) -> None:
    menu = opened(qtbot, worked, worked.window.image_panel.sort.choices)
    assert list(entries(menu)) == [
        "As added", "Name", "Doubt", "Most useful to label next", "Changed last", "Number of boxes", "Sort again",
    ]  # fmt: skip
    assert not entry(menu, "Sort again").isEnabled()
    entry(menu, "Number of boxes").trigger()
    found(qtbot, worked)
    assert worked.session.query == Query(order=Order.BOXES) and names(worked) == list(NAMES)
    assert "Number of boxes" in worked.window.image_panel.sort.toolTip()
    menu = opened(qtbot, worked, menu)
    entry(menu, "Sort again").trigger()
    found(qtbot, worked)
    assert names(worked) == list(NAMES)


@pytest.mark.qt_log_ignore("This plugin does not support")
@pytest.mark.parametrize(("id", "button"), [("filter", "filter"), ("sort", "sort")])
def test_the_menus_open_by_keys(qtbot: QtBot, app: App, id: str, button: str) -> None:
    menu = getattr(app.window.image_panel, button).choices
    app.window.action_by_id[id].trigger()
    qtbot.waitUntil(menu.isVisible)
    qtbot.keyClick(menu, Qt.Key.Key_Down)
    qtbot.keyClick(menu, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not menu.isVisible())


def test_no_letter_in_the_search_runs_a_command(qtbot: QtBot, app: App) -> None:
    ran: list[str] = []
    for id, action in app.window.action_by_id.items():
        action.triggered.connect(lambda _=False, id=id: ran.append(id))
    search = app.window.image_panel.search
    app.window.image_panel.start_search()
    letters = "adwqunrkfzmlse19 "
    qtbot.keyClicks(search, letters)
    assert ran == [] and search.text() == letters and app.session.query.text == letters.strip()
    qtbot.keyClick(search, Qt.Key.Key_Delete)
    qtbot.keyClick(search, Qt.Key.Key_Backspace)
    assert ran == [] and search.text() == letters[:-1]


def test_the_count_is_short_in_a_narrow_panel_and_the_filter_is_elided(qtbot: QtBot, app: App) -> None:
    panel = app.window.image_panel
    app.finder.show(Query(Tab.UNTOUCHED, order=Order.NAME, text="frame_00"))
    found(qtbot, app)
    panel.resize(150, 400)
    assert panel.count.text() == "20" and "20 of 20" in panel.count.toolTip()
    panel.resize(300, 400)
    assert panel.count.text() == "20 of 20"


def test_the_row_below_the_open_image_stays_in_view(qtbot: QtBot, app: App) -> None:
    view = app.window.images
    for row in (*range(1, len(NAMES)), 0, 9):
        box_verbs.show_image(app.parts, row + 1)
        below = min(row + 1, len(NAMES) - 1)
        for shown in (row, below):
            assert view.viewport().rect().contains(view.visualRect(view.model().index(shown, 0)))


def test_a_change_to_one_image_paints_and_asks_for_that_row_only(qtbot: QtBot, app: App) -> None:
    """The work for a change does not grow with the list: no other row is read, and nothing is laid out again."""
    model, read = app.window.images.model(), list[int]()
    app.finder.show(Query(Tab.UNTOUCHED))
    found(qtbot, app)
    resets: list[None] = []
    model.modelReset.connect(lambda: resets.append(None))
    model.touched.connect(read.append)
    box_verbs.show_image(app.parts, 5)
    write(qtbot, app, lambda project: project.mark([20], done=True))
    assert names(app) == list(NAMES[:-1]) and resets == []
    write(qtbot, app, lambda project: project.mark([19], done=True))
    assert resets == [] and ALL_ROWS not in read


@pytest.mark.parametrize("button", ["filter", "sort"])
def test_the_buttons_are_reached_by_tab_and_show_the_focus(qtbot: QtBot, app: App, button: str) -> None:
    target = getattr(app.window.image_panel, button)
    without = target.grab().toImage()
    app.window.image_panel.start_search()
    for _ in range(12):
        if target.hasFocus():
            break
        qtbot.keyClick(app.window.focusWidget(), Qt.Key.Key_Tab, Qt.KeyboardModifier.ShiftModifier)
    assert target.hasFocus() and target.grab().toImage() != without
    assert target.accessibleName() and target.focusPolicy() & Qt.FocusPolicy.TabFocus
