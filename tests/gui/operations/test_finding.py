"""What the image list shows: filters, search and order in the real window, and its place across restarts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.operations import box_verbs, marking
from boxrefine_gui.panels.list_words import listed_words
from core.geometry import Box
from core.listing import Order, Query, Tab
from core.records import Changes, Correction
from core.store.project_store import ProjectStore
from tests.gui.driving import accept, draw, ready, settled
from tests.gui.fakes import sample_like_pictures
from tests.journeys.conftest import Windows

NAMES = ("frame_0001.png", "frame_0002.png", "frame_0010.png", "other_0003.png", "other_0004.png")
BOX = Box(10, 10, 60, 60)
UNSURE = Correction(
    2, 1, BOX, BOX, refined=BOX, edge_confidence=(0.9, 0.9, 0.3, 0.9), score=0.8, encoder="fake", refiner="fake"
)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return sample_like_pictures(tmp_path / "pictures", NAMES)


@pytest.fixture
def windows(qtbot: QtBot) -> Iterator[Windows]:
    windows = Windows(qtbot)
    yield windows
    windows.quit_all()


def write(qtbot: QtBot, app: App, job: Callable[[ProjectStore], Changes]) -> None:
    """Change the project as an operation of the window does."""
    app.parts.store.write(job, on_done=app.session.apply)
    found(qtbot, app)


def found(qtbot: QtBot, app: App) -> None:
    """Wait until the list shows what is asked for."""
    qtbot.waitUntil(lambda: app.finder.is_idle and app.store.is_idle)


def show(qtbot: QtBot, app: App, query: Query) -> list[str]:
    app.finder.show(query)
    found(qtbot, app)
    return names(app)


def names(app: App) -> list[str]:
    """What the list shows, read from its model."""
    model = app.window.images.model()
    return [str(model.index(row, 0).data()) for row in range(model.rowCount())]


def current(app: App) -> str:
    return str(app.window.images.currentIndex().data())


def type_into(qtbot: QtBot, app: App, text: str) -> None:
    qtbot.keyClicks(app.window.image_panel.search, text)
    found(qtbot, app)


def test_a_search_lists_what_it_finds_and_return_opens_the_best(qtbot: QtBot, app: App) -> None:
    panel = app.window.image_panel
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert panel.search.hasFocus()
    type_into(qtbot, app, "other")
    assert names(app) == list(NAMES[3:]) and app.session.row == 0 and listed_words(app.session) == "2 of 5"
    assert app.window.status.position.text().startswith("1 of 5, not listed")
    qtbot.keyClick(panel.search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: app.session.row == 3 and app.window.canvas.hasFocus())
    assert current(app) == NAMES[3] and app.window.status.position.text().startswith("1 of 2 listed")
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_D)
    assert app.session.row == 4 and not app.window.action_by_id["next"].isEnabled()
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(panel.search, Qt.Key.Key_Escape)
    found(qtbot, app)
    assert names(app) == list(NAMES) and current(app) == NAMES[4] and app.window.canvas.hasFocus()


def test_return_does_not_wait_for_the_list(qtbot: QtBot, app: App) -> None:
    panel = app.window.image_panel
    panel.start_search()
    qtbot.keyClicks(panel.search, "10")
    qtbot.keyClick(panel.search, Qt.Key.Key_Return)  # at once
    qtbot.waitUntil(lambda: app.session.row == 2)
    panel.start_search()
    qtbot.keyClicks(panel.search, "5")  # it replaces the text; no name has it, so it is a place
    qtbot.keyClick(panel.search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: app.session.row == 4)


def test_a_search_without_a_match_says_so_and_opens_nothing(qtbot: QtBot, app: App) -> None:
    app.window.image_panel.start_search()
    type_into(qtbot, app, "zebra")
    assert names(app) == [] and app.session.row == 0
    qtbot.keyClick(app.window.image_panel.search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "No image of this name" in app.window.notices.sentence.text())
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_D)  # there is no next one
    assert app.session.row == 0


def test_the_arrow_down_leads_from_the_search_into_the_list(qtbot: QtBot, app: App) -> None:
    app.window.image_panel.start_search()
    type_into(qtbot, app, "other")
    qtbot.keyClick(app.window.image_panel.search, Qt.Key.Key_Down)
    assert app.window.images.hasFocus() and app.session.row == 0  # going there opens nothing
    qtbot.keyClick(app.window.images, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: app.session.row == 3)


def test_each_filter_lists_its_images_and_steps_through_them(qtbot: QtBot, app: App) -> None:
    write(qtbot, app, lambda project: project.mark([1, 3], done=True))
    write(qtbot, app, lambda project: project.flag(4, "blurred"))
    app.parts.store.run(lambda project: project.add_category("cup"))
    write(qtbot, app, lambda project: project.accept_all([UNSURE.with_doubt()])[1])
    assert app.session.images_in(Tab.DOUBTFUL) == 1
    for tab, wanted in {
        Tab.UNTOUCHED: [3, 4], Tab.IN_WORK: [1], Tab.TO_CHECK: [], Tab.DOUBTFUL: [1], Tab.FLAGGED: [3],
        Tab.DONE: [0, 2], Tab.EMPTY: [0, 2], Tab.ALL: [0, 1, 2, 3, 4],
    }.items():  # fmt: skip
        assert show(qtbot, app, Query(tab)) == [NAMES[row] for row in wanted]
        assert app.session.images_in(tab) == len(wanted)
    assert show(qtbot, app, Query(category_id=1)) == [NAMES[1]]
    assert show(qtbot, app, Query(note="blurred")) == [NAMES[3]]
    show(qtbot, app, Query(Tab.DONE))
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_D)
    assert app.session.row == 2
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_A)
    assert app.session.row == 0


def test_stepping_from_an_image_outside_the_list_goes_on_from_its_place(qtbot: QtBot, app: App) -> None:
    write(qtbot, app, lambda project: project.mark([1, 2, 4], done=True))
    box_verbs.show_image(app.parts, 3)
    show(qtbot, app, Query(Tab.DONE))
    assert app.window.images.currentIndex().row() == -1
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_D)
    assert app.session.row == 3
    box_verbs.show_image(app.parts, 3)
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_A)
    assert app.session.row == 1


def test_an_image_leaves_the_filter_when_the_user_leaves_the_image(qtbot: QtBot, app: App) -> None:
    show(qtbot, app, Query(Tab.UNTOUCHED))
    draw(qtbot, app, BOX)
    accept(qtbot, app)
    assert names(app) == list(NAMES) and current(app) == NAMES[0]
    assert listed_words(app.session) == "5 of 5" and app.session.images_in(Tab.UNTOUCHED) == 4
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_D)
    assert names(app) == list(NAMES[1:]) and current(app) == NAMES[1] and app.session.row == 1
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_W)
    found(qtbot, app)
    assert names(app) == list(NAMES[2:]) and current(app) == NAMES[2]
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)  # and comes back
    found(qtbot, app)
    assert names(app) == list(NAMES[1:]) and current(app) == NAMES[1]


def test_the_order_stays_while_the_user_works_until_it_is_asked_for_again(qtbot: QtBot, app: App) -> None:
    by_boxes = Query(order=Order.BOXES)
    assert show(qtbot, app, by_boxes) == list(NAMES)
    box_verbs.show_image(app.parts, 4)
    ready(qtbot, app)
    draw(qtbot, app, BOX)
    accept(qtbot, app)
    assert names(app) == list(NAMES)
    app.finder.sort_again()
    found(qtbot, app)
    assert names(app) == [NAMES[3], *NAMES[:3], NAMES[4]] and current(app) == NAMES[3]
    assert show(qtbot, app, Query(order=Order.DATE))[0] == NAMES[3]
    assert show(qtbot, app, Query(order=Order.DOUBT))[0] == NAMES[3]  # the fake refiner doubts an edge
    assert show(qtbot, app, Query(order=Order.NAME)) == list(NAMES)


def test_new_images_come_into_a_filtered_list(qtbot: QtBot, app: App, pictures: Path) -> None:
    show(qtbot, app, Query(Tab.UNTOUCHED, order=Order.NAME))
    sample_like_pictures(pictures, ("frame_0003.png",))
    app.window.action_by_id["rescan"].trigger()
    qtbot.waitUntil(lambda: names(app) == [*NAMES[:2], "frame_0003.png", *NAMES[2:]])


def test_a_category_that_is_deleted_no_longer_filters(qtbot: QtBot, app: App) -> None:
    app.parts.store.run(lambda project: project.add_category("cup"))
    write(qtbot, app, lambda project: project.accept_all([UNSURE.with_doubt()])[1])
    assert show(qtbot, app, Query(category_id=1)) == [NAMES[1]]
    write(qtbot, app, lambda project: project.delete_category(1))
    assert app.session.query == Query() and names(app) == list(NAMES)


def test_the_place_filter_and_order_are_kept_per_project(
    qtbot: QtBot, windows: Windows, pictures: Path, tmp_path: Path
) -> None:
    other = sample_like_pictures(tmp_path / "other", ("a.png",))
    app = windows.open(pictures)
    box_verbs.show_image(app.parts, 4)
    show(qtbot, app, Query(Tab.UNTOUCHED, order=Order.NAME, text="other"))
    app.open(other)
    qtbot.waitUntil(lambda: app.session.image is not None and app.session.image.path.parent == other)
    assert app.session.query == Query() and names(app) == ["a.png"]
    app.open(pictures)
    qtbot.waitUntil(lambda: len(app.session.images) == 5)
    found(qtbot, app)
    assert app.session.query == Query(Tab.UNTOUCHED, order=Order.NAME)  # a search is not kept
    windows.quit(app)
    again = windows.open(pictures)
    found(qtbot, again)
    assert again.session.row == 3 and again.session.query == Query(Tab.UNTOUCHED, order=Order.NAME)
    assert again.window.image_panel.filter.text() == "Untouched"


def test_closing_while_a_list_is_being_found_is_quiet(qtbot: QtBot, app: App) -> None:
    for tab in Tab:
        app.finder.show(replace(app.session.query, tab=tab))
    settled(qtbot, app)
    assert marking.mark_of(app.session).done is False


def test_without_a_project_the_search_finds_nothing_and_no_error(qtbot: QtBot, closed_app: App) -> None:
    panel = closed_app.window.image_panel
    panel.start_search()
    qtbot.keyClicks(panel.search, "a")
    qtbot.keyClick(panel.search, Qt.Key.Key_Return)
    panel.filter.choices.aboutToShow.emit()
    panel.sort.choices.aboutToShow.emit()
    for id in ("done_next", "done", "flag", "next_untouched", "previous_untouched", "first_undone", "next"):
        closed_app.window.action_by_id[id].trigger()
    qtbot.waitUntil(lambda: closed_app.store.is_idle)
    assert closed_app.window.notices.shown is None and closed_app.window.notices._bug is None


def test_what_another_window_marks_leaves_the_filter(qtbot: QtBot, app: App) -> None:
    show(qtbot, app, Query(Tab.UNTOUCHED))
    assert app.session.project_path is not None
    other = ProjectStore.open(app.session.project_path)
    other.mark([4], done=True)
    other.close()
    app.project_watch.look()
    qtbot.waitUntil(lambda: names(app) == [*NAMES[:3], NAMES[4]])


def test_the_right_button_opens_an_image_and_offers_to_mark_it(qtbot: QtBot, app: App) -> None:
    view = app.window.images
    assert [action.objectName() for action in view.actions()] == ["done_next", "done", "flag"]
    place = view.visualRect(view.model().index(2, 0)).center()
    qtbot.mousePress(view.viewport(), Qt.MouseButton.RightButton, pos=place)
    assert app.session.row == 2
