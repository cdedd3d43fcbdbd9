"""Selecting, moving, resizing, nudging, relabelling, deleting; undo and redo."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.canvas.edit_box_tool import INSIDE, Grip, edge_to_move, move_edges
from boxrefine_gui.operations import box_verbs
from core.errors import StorageError
from core.geometry import Box
from core.store.project_store import ProjectStore
from tests.gui.driving import NO_MODIFIER, accept, click, close_to, drag, draw, mouse, settled, stored
from tests.gui.fakes import inset

FIRST = Box(20, 30, 100, 100)
SECOND = Box(120, 40, 180, 120)
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def two_boxes(qtbot: QtBot, app: App) -> App:
    """A window with two stored boxes; neither is selected."""
    for box in (FIRST, SECOND):
        draw(qtbot, app, box)
        accept(qtbot, app)
    assert app.session.selected is None
    return app


def boxes(app: App) -> list[Box]:
    return [correction.accepted for correction in stored(app)]


def test_a_click_selects_and_a_click_beside_selects_nothing(two_boxes: App) -> None:
    click(two_boxes.window.canvas, (50, 60))
    assert two_boxes.session.selected is not None
    assert close_to(two_boxes.session.selected.accepted, inset(FIRST))
    click(two_boxes.window.canvas, (190, 10))
    assert two_boxes.session.selected is None


def test_clicking_again_goes_outward_through_nested_boxes(qtbot: QtBot, app: App) -> None:
    for box in (Box(10, 10, 190, 140), Box(60, 50, 120, 100)):
        draw(qtbot, app, box)
        accept(qtbot, app)
    outer, inner = (correction.id for correction in stored(app))
    for expected in (inner, outer, inner):
        click(app.window.canvas, (90, 75))
        assert app.session.selected_id == expected


def test_tab_goes_through_the_boxes(qtbot: QtBot, two_boxes: App) -> None:
    first, second = (correction.id for correction in stored(two_boxes))
    canvas = two_boxes.window.canvas
    qtbot.keyClick(canvas, Qt.Key.Key_Tab)
    assert two_boxes.session.selected_id == first
    qtbot.keyClick(canvas, Qt.Key.Key_Tab)
    assert two_boxes.session.selected_id == second
    qtbot.keyClick(canvas, Qt.Key.Key_Backtab, SHIFT)
    assert two_boxes.session.selected_id == first


@pytest.mark.parametrize(("at", "modifiers"), [((22, 49), NO_MODIFIER), ((50, 60), SHIFT)])
def test_dragging_the_border_or_inside_with_shift_moves_in_one_step(
    qtbot: QtBot, two_boxes: App, at: tuple[float, float], modifiers: Qt.KeyboardModifier
) -> None:
    click(two_boxes.window.canvas, (50, 60))
    drag(two_boxes.window.canvas, [at, (at[0] + 5, at[1] + 2), (at[0] + 10, at[1] + 5)], modifiers)
    settled(qtbot, two_boxes)
    assert close_to(boxes(two_boxes)[0], Box(32, 37, 108, 103))
    two_boxes.window.action_by_id["undo"].trigger()
    settled(qtbot, two_boxes)
    assert close_to(boxes(two_boxes)[0], inset(FIRST))


def test_dragging_a_handle_resizes(qtbot: QtBot, two_boxes: App) -> None:
    click(two_boxes.window.canvas, (50, 60))
    drag(two_boxes.window.canvas, [(98, 98), (104, 100), (110, 108)])
    settled(qtbot, two_boxes)
    assert close_to(boxes(two_boxes)[0], Box(22, 32, 110, 108))


@pytest.mark.parametrize("is_selected", [True, False])
def test_a_drag_inside_a_box_draws_and_the_box_stays(qtbot: QtBot, two_boxes: App, is_selected: bool) -> None:
    if is_selected:
        click(two_boxes.window.canvas, (50, 60))
    drag(two_boxes.window.canvas, [(40, 50), (50, 60), (70, 80)])
    settled(qtbot, two_boxes)
    assert two_boxes.session.draft is not None and close_to(two_boxes.session.draft.drawn, Box(40, 50, 70, 80))
    assert close_to(boxes(two_boxes)[0], inset(FIRST))


def test_the_cursor_says_where_a_drag_moves_and_where_it_draws(qtbot: QtBot, two_boxes: App) -> None:
    canvas = two_boxes.window.canvas
    click(canvas, (50, 60))
    for at, modifiers, shape in (
        ((50, 60), NO_MODIFIER, Qt.CursorShape.CrossCursor),
        ((22, 49), NO_MODIFIER, Qt.CursorShape.SizeAllCursor),
        ((50, 60), SHIFT, Qt.CursorShape.SizeAllCursor),
        ((98, 98), NO_MODIFIER, Qt.CursorShape.SizeFDiagCursor),
    ):
        mouse(canvas, QEvent.Type.MouseMove, at, button=Qt.MouseButton.NoButton, modifiers=modifiers)
        assert canvas.cursor().shape() is shape
    mouse(canvas, QEvent.Type.MouseMove, (50, 60), button=Qt.MouseButton.NoButton)
    qtbot.keyPress(canvas, Qt.Key.Key_Shift)
    assert canvas.cursor().shape() is Qt.CursorShape.SizeAllCursor
    qtbot.keyRelease(canvas, Qt.Key.Key_Shift)
    assert canvas.cursor().shape() is Qt.CursorShape.CrossCursor


def test_ctrl_drag_draws_inside_the_selected_box(qtbot: QtBot, two_boxes: App) -> None:
    click(two_boxes.window.canvas, (50, 60))
    drag(two_boxes.window.canvas, [(40, 50), (50, 60), (70, 80)], CTRL)
    assert two_boxes.session.draft is not None
    assert boxes(two_boxes)[0] == two_boxes.session.corrections[0].accepted


def test_escape_during_a_move_puts_the_box_back(qtbot: QtBot, two_boxes: App) -> None:
    canvas = two_boxes.window.canvas
    click(canvas, (50, 60))
    mouse(canvas, QEvent.Type.MouseButtonPress, (50, 60), modifiers=SHIFT)
    mouse(canvas, QEvent.Type.MouseMove, (70, 80))
    assert two_boxes.session.moving
    qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    mouse(canvas, QEvent.Type.MouseButtonRelease, (70, 80))
    settled(qtbot, two_boxes)
    assert not two_boxes.session.moving
    assert close_to(boxes(two_boxes)[0], inset(FIRST))


def test_arrows_nudge_and_a_run_of_presses_is_one_step(qtbot: QtBot, two_boxes: App) -> None:
    canvas = two_boxes.window.canvas
    click(canvas, (50, 60))
    for _ in range(3):
        qtbot.keyPress(canvas, Qt.Key.Key_Right)
    qtbot.keyRelease(canvas, Qt.Key.Key_Right)
    settled(qtbot, two_boxes)
    assert close_to(boxes(two_boxes)[0], Box(25, 32, 101, 98))
    qtbot.keyClick(canvas, Qt.Key.Key_Down, SHIFT)
    settled(qtbot, two_boxes)
    assert close_to(boxes(two_boxes)[0], Box(25, 42, 101, 108))
    two_boxes.window.action_by_id["undo"].trigger()
    settled(qtbot, two_boxes)
    assert close_to(boxes(two_boxes)[0], inset(FIRST)) and len(boxes(two_boxes)) == 2
    two_boxes.window.action_by_id["redo"].trigger()
    settled(qtbot, two_boxes)
    assert close_to(boxes(two_boxes)[0], Box(25, 42, 101, 108))


def pause(qtbot: QtBot, app: App) -> None:
    tool = app.window.canvas.tools.edit
    qtbot.waitUntil(lambda: not tool.run_pause.isActive())


def relabel(qtbot: QtBot, app: App) -> None:
    box_verbs.add_category(app.parts, "cup")
    settled(qtbot, app)


def nudge_another(qtbot: QtBot, app: App) -> None:
    first = app.session.selected_id
    app.session.select(next(entry.id for entry in app.session.corrections if entry.id != first))
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_Left)
    settled(qtbot, app)
    app.session.select(first)


@pytest.mark.parametrize(("between", "steps"), [(pause, 2), (relabel, 4), (nudge_another, 3)])
def test_a_run_of_arrows_ends_at_a_pause_another_box_and_another_action(
    qtbot: QtBot, two_boxes: App, between: Callable[[QtBot, App], None], steps: int
) -> None:
    canvas = two_boxes.window.canvas
    click(canvas, (50, 60))
    for _ in range(2):
        for _ in range(3):
            qtbot.keyClick(canvas, Qt.Key.Key_Right)
        settled(qtbot, two_boxes)
        if close_to(boxes(two_boxes)[0], Box(25, 32, 101, 98)):
            between(qtbot, two_boxes)
    assert close_to(boxes(two_boxes)[0], Box(28, 32, 104, 98))
    two_boxes.window.action_by_id["undo"].trigger()
    settled(qtbot, two_boxes)
    assert close_to(boxes(two_boxes)[0], Box(25, 32, 101, 98))
    for _ in range(steps - 1):
        two_boxes.window.action_by_id["undo"].trigger()
    settled(qtbot, two_boxes)
    assert close_to(boxes(two_boxes)[0], inset(FIRST)) and len(boxes(two_boxes)) == 2


def test_ctrl_arrows_move_the_less_sure_edge(qtbot: QtBot, two_boxes: App) -> None:
    canvas = two_boxes.window.canvas
    click(canvas, (50, 60))
    qtbot.keyClick(canvas, Qt.Key.Key_Right, CTRL)
    settled(qtbot, two_boxes)
    assert close_to(boxes(two_boxes)[0], Box(22, 32, 99, 98))


def test_a_chosen_edge_is_the_one_that_ctrl_arrows_move(qtbot: QtBot, two_boxes: App) -> None:
    canvas = two_boxes.window.canvas
    click(canvas, (50, 60))
    chosen = []
    for _ in range(5):
        qtbot.keyClick(canvas, Qt.Key.Key_E)
        chosen.append(two_boxes.session.chosen_edge)
    assert chosen == [2, 3, 1, 0, None]
    for _ in range(4):
        qtbot.keyClick(canvas, Qt.Key.Key_E)
    qtbot.keyClick(canvas, Qt.Key.Key_Left, CTRL)
    settled(qtbot, two_boxes)
    assert close_to(boxes(two_boxes)[0], Box(21, 32, 98, 98))


def test_the_drawn_box_can_be_nudged_before_it_is_accepted(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, FIRST)
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_Right, CTRL)
    accept(qtbot, app)
    (correction,) = stored(app)
    assert correction.refined is not None and close_to(correction.refined, inset(FIRST))
    assert close_to(correction.accepted, Box(22, 32, 99, 98))


def test_digits_choose_the_next_category_and_relabel_a_selected_box(qtbot: QtBot, two_boxes: App) -> None:
    window = two_boxes.window
    window.categories.new_name.setFocus()
    qtbot.keyClicks(window.categories.new_name, "cup")
    qtbot.keyClick(window.categories.new_name, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(two_boxes.session.categories) == 2)
    assert two_boxes.session.category_id == 2
    qtbot.keyClick(window.canvas, Qt.Key.Key_1)
    assert two_boxes.session.category_id == 1
    click(window.canvas, (50, 60))
    qtbot.keyClick(window.canvas, Qt.Key.Key_2)
    settled(qtbot, two_boxes)
    assert [correction.category_id for correction in stored(two_boxes)] == [2, 1]
    assert two_boxes.session.category_id == 1


def test_a_name_that_is_typed_relabels_a_selected_box_as_a_click_does(qtbot: QtBot, two_boxes: App) -> None:
    click(two_boxes.window.canvas, (50, 60))
    line = two_boxes.window.categories.new_name
    line.setFocus()
    qtbot.keyClicks(line, "cup")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(two_boxes.session.categories) == 2)
    settled(qtbot, two_boxes)
    assert [correction.category_id for correction in stored(two_boxes)] == [2, 1]
    assert two_boxes.session.category_id == 1


def test_a_category_is_renamed_in_place(qtbot: QtBot, two_boxes: App) -> None:
    view = two_boxes.window.categories.view
    view.model().setData(view.model().index(0, 0), "person")
    qtbot.waitUntil(lambda: two_boxes.session.categories[0].name == "person")
    assert two_boxes.session.categories[0].id == 1


def test_a_double_click_on_a_category_renames_nothing_and_the_right_button_does(qtbot: QtBot, two_boxes: App) -> None:
    categories = two_boxes.window.categories
    view = categories.view
    qtbot.mouseDClick(
        view.viewport(), Qt.MouseButton.LeftButton, pos=view.visualRect(view.model().index(0, 0)).center()
    )
    assert view.findChild(QLineEdit) is None
    view.setCurrentIndex(view.model().index(0, 0))
    categories.rename.trigger()
    editor = view.findChild(QLineEdit)
    assert editor is not None
    editor.setText("person")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: two_boxes.session.categories[0].name == "person")


def test_delete_removes_the_selected_box(qtbot: QtBot, two_boxes: App) -> None:
    click(two_boxes.window.canvas, (50, 60))
    qtbot.keyClick(two_boxes.window.canvas, Qt.Key.Key_Delete)
    settled(qtbot, two_boxes)
    assert len(stored(two_boxes)) == 1
    assert two_boxes.session.selected is None


def test_undo_and_redo_with_their_titles(qtbot: QtBot, two_boxes: App) -> None:
    undo, redo = two_boxes.window.action_by_id["undo"], two_boxes.window.action_by_id["redo"]
    assert undo.text().startswith("&Undo: ")
    assert not redo.isEnabled()
    qtbot.keyClick(two_boxes.window.canvas, Qt.Key.Key_Z, CTRL)
    settled(qtbot, two_boxes)
    assert len(stored(two_boxes)) == 1
    assert redo.text().startswith("&Redo: ")
    qtbot.keyClick(two_boxes.window.canvas, Qt.Key.Key_Z, CTRL | SHIFT)
    settled(qtbot, two_boxes)
    assert len(stored(two_boxes)) == 2


def test_undo_first_takes_back_the_box_that_is_being_drawn(qtbot: QtBot, two_boxes: App) -> None:
    draw(qtbot, two_boxes, Box(105, 5, 118, 30))
    qtbot.keyClick(two_boxes.window.canvas, Qt.Key.Key_Z, CTRL)
    settled(qtbot, two_boxes)
    assert two_boxes.session.draft is None
    assert len(stored(two_boxes)) == 2


def test_undo_on_another_image_shows_that_image(qtbot: QtBot, two_boxes: App) -> None:
    qtbot.keyClick(two_boxes.window.canvas, Qt.Key.Key_D)
    qtbot.waitUntil(lambda: two_boxes.session.row == 1)
    qtbot.keyClick(two_boxes.window.canvas, Qt.Key.Key_Z, CTRL)
    qtbot.waitUntil(lambda: two_boxes.session.row == 0 and len(two_boxes.session.corrections) == 1)


def test_a_move_that_cannot_be_stored_goes_back(qtbot: QtBot, two_boxes: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise StorageError("The project could not be saved because the disk is full: make room and try again.")

    click(two_boxes.window.canvas, (50, 60))
    monkeypatch.setattr(ProjectStore, "move_all", full)
    drag(two_boxes.window.canvas, [(50, 60), (55, 62), (60, 65)], SHIFT)
    settled(qtbot, two_boxes)
    assert two_boxes.session.moving == {}
    assert close_to(boxes(two_boxes)[0], inset(FIRST))
    assert "disk is full" in two_boxes.window.notices.sentence.text()


def test_choosing_a_row_of_the_box_list_selects_the_box(qtbot: QtBot, two_boxes: App) -> None:
    view = two_boxes.window.boxes
    at = view.visualRect(view.model().index(1, 0)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert two_boxes.session.selected_id == stored(two_boxes)[1].id


def test_moving_stops_at_the_border() -> None:
    box = Box(10, 10, 30, 30)
    assert move_edges(box, INSIDE, right=-50, down=100, width=100, height=80) == Box(0, 60, 20, 80)


def test_an_edge_dragged_past_its_opposite_turns_the_box_around() -> None:
    assert move_edges(Box(10, 10, 30, 30), Grip(1, 0), right=-35, down=9, width=100, height=80) == Box(0, 10, 10, 30)


def test_the_edge_to_move_is_the_chosen_or_the_less_sure_one() -> None:
    confidence = (0.9, 0.2, 0.3, 0.7)
    assert edge_to_move(confidence, None, right=1, down=0) == Grip(1, 0)
    assert edge_to_move(confidence, 0, right=1, down=0) == Grip(-1, 0)
    assert edge_to_move(confidence, 0, right=0, down=1) == Grip(0, -1)


def test_the_wheel_zooms_at_the_cursor(app: App) -> None:
    canvas = app.window.canvas
    at = QPointF(200, 100)
    before = canvas.view.to_image(at)
    canvas.zoom(1.25, at)
    after = canvas.view.to_image(at)
    assert before == pytest.approx(after)
    canvas.show_pixels()
    assert canvas.view.scale == pytest.approx(1 / canvas.devicePixelRatioF())
    canvas.fit()
    assert canvas.view.to_screen(Box(0, 0, 200, 150)).center().x() == pytest.approx(canvas.width() / 2)


@pytest.mark.parametrize("box", [FIRST, Box(1, 1, 8, 8)])
def test_z_brings_the_selected_box_near_and_the_whole_picture_back(qtbot: QtBot, app: App, box: Box) -> None:
    canvas = app.window.canvas
    whole = canvas.view
    qtbot.keyClick(canvas, Qt.Key.Key_Z)
    assert canvas.view == whole  # there is no box yet
    draw(qtbot, app, box)
    qtbot.keyClick(canvas, Qt.Key.Key_Z)
    assert app.session.draft is not None
    rect = canvas.view.to_screen(app.session.draft.box)
    assert QRectF(canvas.rect()).contains(rect)
    assert max(rect.width() / canvas.width(), rect.height() / canvas.height()) > 0.09
    qtbot.keyClick(canvas, Qt.Key.Key_Z)
    assert canvas.view == whole
