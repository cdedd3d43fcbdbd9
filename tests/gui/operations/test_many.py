"""Many boxes at once: select them, and what keys and the mouse then do to all of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.operations import clipboard
from core.geometry import Box
from core.records import Correction
from core.store.project_store import ProjectStore
from tests.gui.annotation_files import save_coco
from tests.gui.driving import NO_MODIFIER, ScriptedAsk, accept, click, close_to, drag, draw, ready, settled, stored
from tests.gui.driving import move as mouse_move
from tests.gui.driving import press as button_down
from tests.gui.driving import release as button_up
from tests.gui.fakes import inset
from tests.gui.operations.test_importing import bring, sentence

A, B, C = Box(10, 10, 50, 50), Box(60, 10, 100, 50), Box(10, 70, 50, 110)
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def three(qtbot: QtBot, app: App) -> App:
    """A window with three accepted boxes, of which none is selected."""
    for box in (A, B, C):
        draw(qtbot, app, box)
        accept(qtbot, app)
    return app


@pytest.fixture
def to_check(qtbot: QtBot, app: App, ask: ScriptedAsk, tmp_path: Path) -> App:
    """A window with three imported boxes on a.png and one on b.png."""
    bring(qtbot, app, ask, save_coco(tmp_path / "coarse.json", {"a.png": [A, B, C], "b.png": [B]}))
    app.window.notices.sentence.clear()
    return app


def pick(app: App, at: tuple[float, float], modifiers: Qt.KeyboardModifier) -> None:
    drag(app.window.canvas, [at, at], modifiers)


def press(qtbot: QtBot, app: App, key: Qt.Key, modifiers: Qt.KeyboardModifier = NO_MODIFIER) -> None:
    qtbot.keyClick(app.window.canvas, key, modifiers)
    settled(qtbot, app)


def chosen(app: App) -> list[int]:
    return [entry.id for entry in app.session.selection]


def accepted(app: App) -> list[Box]:
    return [entry.accepted for entry in stored(app)]


def on(app: App, name: str) -> list[Correction]:
    (image_id,) = (image.id for image in app.session.images if image.path.name == name)
    return [correction for correction in stored(app) if correction.image_id == image_id]


@pytest.mark.parametrize("modifiers", [CTRL, SHIFT])
def test_a_click_with_ctrl_or_shift_takes_boxes_in_and_out(three: App, modifiers: Qt.KeyboardModifier) -> None:
    first, second, third = (entry.id for entry in three.session.corrections)
    click(three.window.canvas, (30, 30))
    assert chosen(three) == [first]
    pick(three, (80, 30), modifiers)
    pick(three, (30, 90), modifiers)
    assert (chosen(three), three.session.selected_id) == ([first, second, third], third)
    pick(three, (80, 30), modifiers)
    assert chosen(three) == [first, third]
    click(three.window.canvas, (80, 30))
    assert chosen(three) == [second]


def test_a_rubber_band_takes_the_boxes_whose_middle_it_covers(three: App) -> None:
    first, second, third = (entry.id for entry in three.session.corrections)
    drag(three.window.canvas, [(5, 5), (60, 40), (85, 40)], SHIFT)
    assert chosen(three) == [first, second]
    drag(three.window.canvas, [(5, 60), (20, 80), (60, 120)], SHIFT)
    assert chosen(three) == [third]
    drag(three.window.canvas, [(20, 100), (15, 90), (5, 5)], SHIFT | CTRL)  # begins inside the selected box
    assert chosen(three) == [third]
    drag(three.window.canvas, [(20, 100), (45, 60), (55, 5)], SHIFT | CTRL)
    assert chosen(three) == [first, third]
    assert three.session.draft is None


def test_escape_ends_a_rubber_band_and_then_the_selection(qtbot: QtBot, three: App) -> None:
    press(qtbot, three, Qt.Key.Key_A, CTRL)
    assert len(chosen(three)) == 3
    button_down(three.window.canvas, (120, 60), SHIFT)
    mouse_move(three.window.canvas, (140, 100), SHIFT)
    press(qtbot, three, Qt.Key.Key_Escape)
    button_up(three.window.canvas, (140, 100), SHIFT)
    assert len(chosen(three)) == 3
    press(qtbot, three, Qt.Key.Key_Escape)
    assert chosen(three) == []


def test_delete_and_relabel_are_one_step_each(qtbot: QtBot, three: App) -> None:
    three.window.categories.new_name.setFocus()
    three.window.categories.new_name.setText("spoon")
    qtbot.keyClick(three.window.categories.new_name, Qt.Key.Key_Return)
    settled(qtbot, three)
    three.window.canvas.setFocus()
    press(qtbot, three, Qt.Key.Key_A, CTRL)
    three.window.action_by_id["category_2"].trigger()
    settled(qtbot, three)
    assert {entry.category_id for entry in stored(three)} == {2}
    assert "Relabelled 3 boxes" in sentence(three)
    press(qtbot, three, Qt.Key.Key_Delete)
    assert stored(three) == []
    assert three.session.selected_id is None
    press(qtbot, three, Qt.Key.Key_Z, CTRL)
    assert len(stored(three)) == 3
    press(qtbot, three, Qt.Key.Key_Z, CTRL)
    assert {entry.category_id for entry in stored(three)} == {1}


def test_arrow_keys_and_the_mouse_move_all_and_none_leaves_the_image(qtbot: QtBot, three: App) -> None:
    before = accepted(three)
    press(qtbot, three, Qt.Key.Key_A, CTRL)
    press(qtbot, three, Qt.Key.Key_Right, SHIFT)
    press(qtbot, three, Qt.Key.Key_Right, SHIFT)
    assert [box.x1 for box in accepted(three)] == pytest.approx([box.x1 + 20 for box in before])
    drag(three.window.canvas, [(50, 30), (0, 0), (-200, -200)], SHIFT)  # far beyond the corner
    settled(qtbot, three)
    after = accepted(three)
    assert min(box.x1 for box in after) == pytest.approx(0) and min(box.y1 for box in after) == pytest.approx(0)
    assert all(abs(new.width - old.width) < 0.01 for new, old in zip(after, before, strict=True))
    for _ in range(2):
        press(qtbot, three, Qt.Key.Key_Z, CTRL)
    assert all(close_to(new, old) for new, old in zip(accepted(three), before, strict=True))


def test_ctrl_and_an_arrow_move_an_edge_of_each(qtbot: QtBot, three: App) -> None:
    before = accepted(three)
    press(qtbot, three, Qt.Key.Key_A, CTRL)
    three.session.choose_edge(2)
    press(qtbot, three, Qt.Key.Key_Right, CTRL)
    assert [box.x2 for box in accepted(three)] == pytest.approx([box.x2 + 1 for box in before])
    assert [box.x1 for box in accepted(three)] == pytest.approx([box.x1 for box in before])


def test_return_accepts_the_selected_ones_and_k_keeps_them(qtbot: QtBot, to_check: App) -> None:
    first, second, third = (entry.id for entry in to_check.session.corrections)
    click(to_check.window.canvas, (30, 30))
    pick(to_check, (80, 30), SHIFT)
    press(qtbot, to_check, Qt.Key.Key_Return)
    assert [entry.id for entry in on(to_check, "a.png") if entry.confirmed] == [first, second]
    press(qtbot, to_check, Qt.Key.Key_Return)
    assert sentence(to_check) == "The selected boxes are accepted already."
    pick(to_check, (30, 90), SHIFT)
    press(qtbot, to_check, Qt.Key.Key_K)
    assert all(entry.confirmed for entry in on(to_check, "a.png"))
    press(qtbot, to_check, Qt.Key.Key_Z, CTRL)
    assert [entry.confirmed for entry in on(to_check, "a.png")] == [True, True, False]
    assert third in chosen(to_check)


def test_r_refines_the_selected_ones_in_one_step(qtbot: QtBot, three: App) -> None:
    before = accepted(three)
    click(three.window.canvas, (30, 30))
    pick(three, (80, 30), SHIFT)
    three.window.notices.sentence.clear()
    press(qtbot, three, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: bool(sentence(three)))
    assert sentence(three) == "2 boxes are refined; Ctrl+Z takes it back."
    after = stored(three)
    assert [close_to(new.accepted, inset(old)) for new, old in zip(after, before, strict=True)] == [True, True, False]
    assert close_to(after[0].drawn, before[0])
    press(qtbot, three, Qt.Key.Key_Z, CTRL)
    assert accepted(three) == before


def test_boxes_to_check_get_proposals_instead(qtbot: QtBot, to_check: App) -> None:
    press(qtbot, to_check, Qt.Key.Key_A, CTRL)
    press(qtbot, to_check, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: bool(sentence(to_check)))
    assert sentence(to_check) == "3 refinements are proposed; Ctrl+Z takes it back."
    held = on(to_check, "a.png")
    assert [entry.accepted for entry in held] == [A, B, C]
    assert [entry.proposal for entry in held] == [inset(A), inset(B), inset(C)]


def test_a_box_that_was_moved_meanwhile_is_not_refined(qtbot: QtBot, three: App) -> None:
    seen = stored(three)
    with_path = three.session.project_path
    assert with_path is not None
    store = ProjectStore.open(with_path)
    store.move(seen[0].id, Box(1, 1, 20, 20))
    answers = [(entry, entry) for entry in seen]
    store.refine_all(answers)
    store.close()
    assert accepted(three)[0] == Box(1, 1, 20, 20)


def test_copied_boxes_come_beside_here_and_at_the_same_place_elsewhere(qtbot: QtBot, three: App) -> None:
    click(three.window.canvas, (30, 30))
    pick(three, (80, 30), CTRL)
    press(qtbot, three, Qt.Key.Key_C, CTRL)
    assert sentence(three) == "2 boxes are copied."
    press(qtbot, three, Qt.Key.Key_V, CTRL)
    qtbot.waitUntil(lambda: len(stored(three)) == 5)
    settled(qtbot, three)
    there, new = accepted(three)[:2], accepted(three)[3:]
    assert [box.x1 for box in new] == pytest.approx([box.x1 + 4 for box in there])
    assert chosen(three) == [entry.id for entry in stored(three)[3:]]
    press(qtbot, three, Qt.Key.Key_D)
    ready(qtbot, three)
    press(qtbot, three, Qt.Key.Key_V, CTRL)
    qtbot.waitUntil(lambda: len(stored(three)) == 7)
    assert [entry.accepted for entry in on(three, "b.png")] == there
    assert all(entry.confirmed and entry.origin is None for entry in on(three, "b.png"))


def test_cut_takes_them_away_and_undo_brings_them_back(qtbot: QtBot, three: App) -> None:
    press(qtbot, three, Qt.Key.Key_A, CTRL)
    press(qtbot, three, Qt.Key.Key_X, CTRL)
    assert stored(three) == []
    press(qtbot, three, Qt.Key.Key_Z, CTRL)
    assert len(stored(three)) == 3


def test_duplicate_leaves_the_clipboard_alone(qtbot: QtBot, three: App) -> None:
    QGuiApplication.clipboard().setText("a note")
    click(three.window.canvas, (30, 30))
    press(qtbot, three, Qt.Key.Key_D, CTRL)
    qtbot.waitUntil(lambda: len(stored(three)) == 4)
    assert QGuiApplication.clipboard().text() == "a note"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a note", clipboard.NOTHING_COPIED),
        ("", clipboard.NOTHING_COPIED),
        ('{"boxrefine_boxes": 1, "boxes": [1]}', "The copied text is damaged"),
        (
            '{"boxrefine_boxes": 1, "boxes": [{"category": "cup", "box": [9000, 9000, 9010, 9010]}]}',
            "The copied boxes lie outside this image",
        ),
    ],
)
def test_what_cannot_be_pasted_is_said_and_changes_nothing(qtbot: QtBot, app: App, text: str, expected: str) -> None:
    QGuiApplication.clipboard().setText(text)
    app.window.notices.sentence.clear()
    press(qtbot, app, Qt.Key.Key_V, CTRL)
    qtbot.waitUntil(lambda: bool(sentence(app)))
    assert sentence(app).startswith(expected)
    assert stored(app) == []


def test_without_a_selection_copy_says_how_to_select(qtbot: QtBot, three: App) -> None:
    press(qtbot, three, Qt.Key.Key_C, CTRL)
    assert sentence(three) == clipboard.NOTHING_SELECTED


def test_the_previous_images_boxes_come_to_check_and_only_once(qtbot: QtBot, three: App) -> None:
    press(qtbot, three, Qt.Key.Key_V, CTRL | SHIFT)
    assert sentence(three) == clipboard.NO_PREVIOUS
    press(qtbot, three, Qt.Key.Key_D)
    ready(qtbot, three)
    press(qtbot, three, Qt.Key.Key_V, CTRL | SHIFT)
    held = on(three, "b.png")
    assert [entry.accepted for entry in held] == [entry.accepted for entry in on(three, "a.png")]
    assert not any(entry.confirmed or entry.was_accepted for entry in held)
    assert {entry.origin.file for entry in held if entry.origin is not None} == {"a.png"}
    assert sentence(three).startswith("3 boxes to check from a.png; N goes to the next one")
    press(qtbot, three, Qt.Key.Key_V, CTRL | SHIFT)
    assert sentence(three) == "The boxes of a.png are on this image already."
    press(qtbot, three, Qt.Key.Key_Return, SHIFT)
    assert all(entry.confirmed for entry in on(three, "b.png"))


def test_p_takes_them_and_proposes_where_they_are_now(qtbot: QtBot, three: App) -> None:
    press(qtbot, three, Qt.Key.Key_D)
    ready(qtbot, three)
    draw(qtbot, three, Box(120, 60, 180, 120))
    accept(qtbot, three)
    three.window.notices.sentence.clear()
    press(qtbot, three, Qt.Key.Key_P)
    qtbot.waitUntil(lambda: bool(sentence(three)))
    settled(qtbot, three)
    own, *new = on(three, "b.png")
    assert own.confirmed
    assert [close_to(entry.proposal or own.drawn, inset(entry.drawn)) for entry in new] == [True] * 3


def test_the_list_and_the_picture_show_one_selection(qtbot: QtBot, three: App) -> None:
    view = three.window.boxes
    press(qtbot, three, Qt.Key.Key_A, CTRL)
    assert len(view.selectionModel().selectedIndexes()) == 3
    rows = view.selectionModel()
    flags = QItemSelectionModel.SelectionFlag
    rows.setCurrentIndex(view.model().index(0, 0), flags.ClearAndSelect)
    rows.setCurrentIndex(view.model().index(2, 0), flags.Select)
    first, _, third = (entry.id for entry in three.session.corrections)
    assert (chosen(three), three.session.selected_id) == ([first, third], third)
    qtbot.keyClick(view, Qt.Key.Key_Delete)
    settled(qtbot, three)
    assert len(stored(three)) == 1


def test_keys_of_fields_stay_with_the_fields(qtbot: QtBot, three: App) -> None:
    QGuiApplication.clipboard().setText("a note")
    press(qtbot, three, Qt.Key.Key_A, CTRL)
    field = three.window.categories.new_name
    field.setFocus()
    field.setText("word")
    qtbot.keyClick(field, Qt.Key.Key_A, CTRL)
    qtbot.keyClick(field, Qt.Key.Key_X, CTRL)
    assert QGuiApplication.clipboard().text() == "word"
    assert len(stored(three)) == 3
