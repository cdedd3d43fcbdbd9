"""The review: which boxes it shows, verdicts by keys, undo, comments, the box before, and changes meanwhile."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QKeyEvent
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.dialogs.history_dialog import HistoryDialog
from boxrefine_gui.dialogs.review_dialog import ReviewDialog
from boxrefine_gui.dialogs.review_grid import ONE
from boxrefine_gui.dialogs.review_model import CELL, Cell
from boxrefine_gui.operations import reviewing
from core.geometry import Box
from core.records import Changes, Correction
from core.reviews import By, ReviewItem, Verdict, Which
from core.settings import load_settings, settings_path
from core.store.project_store import ProjectStore
from tests.gui.driving import settled, stored
from tests.gui.fakes import sample_like_pictures

REFINED = Box(22, 32, 98, 98)
MOVED = Correction(
    1, 0, Box(20, 30, 100, 100), Box(40, 32, 98, 98), REFINED, (0.9, 0.9, 0.9, 0.9), 0.9, "light-1", "shipped-1"
)
DOUBTFUL = replace(MOVED, image_id=2, accepted=REFINED, edge_confidence=(0.2, 0.9, 0.9, 0.9), doubtful=(0,))
TO_CHECK = replace(DOUBTFUL, image_id=3, accepted=MOVED.drawn, doubtful=(), confirmed=False)


def write(qtbot: QtBot, app: App, corrections: list[Correction]) -> None:
    """Store boxes by the store lane, as the window does."""

    def job(project: ProjectStore) -> Changes:
        category = project.add_category("cat")
        changes = project.accept_all([replace(entry, category_id=category.id) for entry in corrections])[1]
        return replace(changes, categories=True)

    app.store.write(job, on_done=app.session.apply)
    settled(qtbot, app)


def opened(qtbot: QtBot, app: App) -> ReviewDialog:
    app.window.action_by_id["review"].trigger()
    (dialog,) = app.window.findChildren(ReviewDialog)
    assert isinstance(dialog, ReviewDialog)
    at_rest(qtbot, app, dialog)
    return dialog


def at_rest(qtbot: QtBot, app: App, dialog: ReviewDialog) -> None:
    settled(qtbot, app)
    qtbot.waitUntil(lambda: dialog.is_ready and app.files.is_idle and app.store.is_idle)


@pytest.fixture
def review(qtbot: QtBot, app: App) -> ReviewDialog:
    """The review of three boxes: moved by hand, in doubt, and to check."""
    write(qtbot, app, [MOVED, DOUBTFUL, TO_CHECK])
    dialog = opened(qtbot, app)
    dialog.activateWindow()
    dialog.grid.setFocus()
    return dialog


def press(qtbot: QtBot, app: App, dialog: ReviewDialog, *keys: Qt.Key) -> None:
    for key in keys:
        qtbot.keyClick(dialog.grid, key)
    at_rest(qtbot, app, dialog)


def shown(dialog: ReviewDialog) -> list[int]:
    items = [dialog.model.item(row) for row in range(dialog.model.boxes)]
    return [0 if item is None else item.id for item in items]


def item(dialog: ReviewDialog, row: int) -> ReviewItem:
    found = dialog.model.item(row)
    assert found is not None
    return found


def choose(qtbot: QtBot, app: App, dialog: ReviewDialog, which: Which, by: By = By.IMAGE) -> list[int]:
    dialog.which.setCurrentIndex(dialog.which.findData(which))
    dialog.by.setCurrentIndex(dialog.by.findData(by))
    at_rest(qtbot, app, dialog)
    return shown(dialog)


def test_it_shows_the_boxes_of_a_state_in_an_order(qtbot: QtBot, app: App, review: ReviewDialog) -> None:
    assert shown(review) == [1, 2, 3]
    assert review.state.text() == "3 boxes, 0 found good, 0 to fix"
    assert review.line.text().startswith("cat, a.png, changed by hand (24 %)")
    assert choose(qtbot, app, review, Which.BY_HAND) == [1]
    assert choose(qtbot, app, review, Which.IN_DOUBT) == [2]
    assert choose(qtbot, app, review, Which.TO_CHECK) == [3]
    assert choose(qtbot, app, review, Which.ACCEPTED, By.DOUBT) == [2, 1]
    assert choose(qtbot, app, review, Which.TO_FIX) == []
    assert review.line.text() == "No box is listed here. Choose another filter above."
    assert not review.good.isEnabled()
    assert choose(qtbot, app, review, Which.ALL, By.CHANGE) == [1, 3, 2]


def test_a_category_alone(qtbot: QtBot, app: App, review: ReviewDialog) -> None:
    app.store.write(lambda project: replace(project.relabel([2], project.add_category("dog").id), categories=True),
                    on_done=app.session.apply)  # fmt: skip
    at_rest(qtbot, app, review)
    review.category.setCurrentIndex(review.category.findText("dog"))
    at_rest(qtbot, app, review)
    assert shown(review) == [2]


def test_keys_find_boxes_good_to_fix_and_wrong_and_undo_takes_each_back(
    qtbot: QtBot, app: App, review: ReviewDialog
) -> None:
    press(qtbot, app, review, Qt.Key.Key_2, Qt.Key.Key_1, Qt.Key.Key_3)
    assert [entry.id for entry in stored(app)] == [1, 2]
    assert shown(review) == [1, 2, 0]  # the rows stay, so that nothing moves under the hand
    assert (item(review, 0).verdict, item(review, 1).verdict) == (Verdict.FIX, Verdict.GOOD)
    assert stored(app)[1].doubtful == ()
    assert (app.session.to_fix, app.session.doubtful) == ({1: 1}, {})
    assert review.state.text() == "3 boxes, 1 found good, 1 to fix"
    assert review.line.text() == "deleted"
    for ids in ([1, 2, 3], [1, 2, 3], [1, 2, 3]):
        qtbot.keyClick(review.grid, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        at_rest(qtbot, app, review)
        assert [entry.id for entry in stored(app)] == ids
    assert [item(review, row).verdict for row in range(3)] == [Verdict.NONE] * 3
    assert stored(app)[1].doubtful == (0,)
    qtbot.keyClick(review.grid, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    at_rest(qtbot, app, review)
    assert item(review, 0).verdict is Verdict.FIX


def test_good_accepts_what_is_proposed_and_shown(qtbot: QtBot, app: App, review: ReviewDialog) -> None:
    assert item(review, 2).box == REFINED
    press(qtbot, app, review, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_1)
    last = stored(app)[-1]
    assert (last.accepted, last.confirmed, app.session.to_check) == (REFINED, True, {})


def test_a_verdict_on_several_boxes_is_one_step(qtbot: QtBot, app: App, review: ReviewDialog) -> None:
    review.grid.selectAll()
    press(qtbot, app, review, Qt.Key.Key_2)
    assert app.session.to_fix == {1: 1, 2: 1, 3: 1}
    qtbot.keyClick(review.grid, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    at_rest(qtbot, app, review)
    assert app.session.to_fix == {}


def test_a_held_key_judges_once(qtbot: QtBot, app: App, review: ReviewDialog) -> None:
    for is_repeat in (False, True, True):
        event = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_3, Qt.KeyboardModifier.NoModifier, "3", is_repeat)
        QCoreApplication.sendEvent(review.grid, event)
    at_rest(qtbot, app, review)
    assert [entry.id for entry in stored(app)] == [2, 3]


def test_crops_are_cut_for_visible_boxes_and_space_shows_the_box_before(
    qtbot: QtBot, app: App, review: ReviewDialog
) -> None:
    def cell() -> Cell:
        found = review.model.at(0).data(CELL)
        assert isinstance(found, Cell)
        return found

    qtbot.waitUntil(lambda: cell().crop is not None)
    crop = cell().crop
    assert crop is not None and crop.pixmap is not None
    assert crop.region.x1 <= 20 and crop.region.x2 >= 100  # shows what the box was made from, too
    qtbot.waitUntil(lambda: app.thumbnails.is_idle)
    review.repaint()
    as_it_is = review.grid.viewport().grab().toImage()
    qtbot.keyPress(review.grid, Qt.Key.Key_Space)
    assert review.grid.painter.shows_before
    assert review.grid.viewport().grab().toImage() != as_it_is
    qtbot.keyRelease(review.grid, Qt.Key.Key_Space)
    assert not review.grid.painter.shows_before
    assert review.grid.viewport().grab().toImage() == as_it_is


def test_one_by_one_fills_the_window(qtbot: QtBot, app: App, review: ReviewDialog) -> None:
    review.cell_size.setCurrentIndex(review.cell_size.findData(ONE))
    qtbot.waitUntil(lambda: review.grid.rowHeight(0) > review.grid.viewport().height() - 3)
    qtbot.waitUntil(lambda: review.grid.indexAt(review.grid.viewport().rect().center()).row() == 0)
    press(qtbot, app, review, Qt.Key.Key_1)
    qtbot.waitUntil(lambda: review.grid.indexAt(review.grid.viewport().rect().center()).row() == 1)
    assert review.model.side > 400


def test_a_comment_is_stored_shown_in_the_list_and_undone(qtbot: QtBot, app: App, review: ReviewDialog) -> None:
    press(qtbot, app, review, Qt.Key.Key_C)
    assert review.comment.hasFocus()
    qtbot.keyClicks(review.comment, "the tail 123")
    qtbot.keyClick(review.comment, Qt.Key.Key_Return)
    at_rest(qtbot, app, review)
    assert review.grid.hasFocus()
    assert (item(review, 0).comment, app.session.reviews[1].comment) == ("the tail 123", "the tail 123")
    tip = app.window.boxes.model().index(0, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert "the tail 123" in tip
    assert choose(qtbot, app, review, Which.COMMENTED) == [1]
    qtbot.keyClick(review.grid, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    at_rest(qtbot, app, review)
    assert item(review, 0).comment == ""


def test_escape_takes_a_comment_back_and_closes_nothing(qtbot: QtBot, app: App, review: ReviewDialog) -> None:
    press(qtbot, app, review, Qt.Key.Key_C)
    qtbot.keyClicks(review.comment, "odd")
    qtbot.keyClick(review.comment, Qt.Key.Key_Escape)
    assert review.isVisible() and review.grid.hasFocus()
    assert review.comment.text() == ""


def test_return_opens_the_image_with_the_box_selected(qtbot: QtBot, app: App, review: ReviewDialog) -> None:
    press(qtbot, app, review, Qt.Key.Key_Right, Qt.Key.Key_Return)
    assert app.session.image is not None and app.session.image.path.name == "b.png"
    assert app.session.selected_id == 2


def test_boxes_that_change_in_the_window_change_here(qtbot: QtBot, app: App, review: ReviewDialog) -> None:
    app.store.write(lambda project: project.move(1, Box(50, 50, 90, 90)), on_done=app.session.apply)
    at_rest(qtbot, app, review)
    assert item(review, 0).box == Box(50, 50, 90, 90)
    write(qtbot, app, [MOVED])
    at_rest(qtbot, app, review)
    assert shown(review) == [1, 2, 3]
    qtbot.keyClick(review, Qt.Key.Key_F5)
    at_rest(qtbot, app, review)
    assert len(shown(review)) == 4


def test_the_name_of_the_annotator_is_kept_and_filters(qtbot: QtBot, app: App, review: ReviewDialog) -> None:
    review.name.setText("  Anna ")
    review.name.editingFinished.emit()
    at_rest(qtbot, app, review)
    qtbot.waitUntil(lambda: load_settings(settings_path()).annotator == "Anna")
    assert review.annotator.findData("Anna") > 0
    review.annotator.setCurrentIndex(review.annotator.findData("Anna"))
    at_rest(qtbot, app, review)
    assert shown(review) == [1, 2, 3]
    assert review.line.text().endswith("by Anna")


def test_a_name_of_the_settings_is_stored_with_the_next_project(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    app.session.set_settings(replace(app.session.settings, annotator="Ben"))
    app.open(sample_like_pictures(tmp_path / "more"))
    qtbot.waitUntil(lambda: app.session.folder == tmp_path / "more" and app.session.image is not None)
    write(qtbot, app, [MOVED])
    found: list[dict[int, str]] = []
    app.store.read(lambda project: project.annotators(), on_done=found.append)
    settled(qtbot, app)
    assert [*found[0].values()] == ["Ben"]


def test_a_picture_that_is_gone_leaves_a_sentence(qtbot: QtBot, app: App, pictures: Path) -> None:
    write(qtbot, app, [DOUBTFUL])
    (pictures / "b.png").unlink()
    dialog = opened(qtbot, app)
    cells: list[Cell] = []

    def is_cut() -> bool:
        cells.append(dialog.model.at(0).data(CELL))
        return cells[-1].crop is not None

    qtbot.waitUntil(is_cut)
    crop = cells[-1].crop
    assert crop is not None and crop.pixmap is None


def test_it_may_be_closed_while_it_reads(qtbot: QtBot, app: App) -> None:
    write(qtbot, app, [MOVED, DOUBTFUL])
    app.window.action_by_id["review"].trigger()
    (dialog,) = app.window.findChildren(ReviewDialog)
    dialog.close()
    settled(qtbot, app)
    qtbot.waitUntil(lambda: app.thumbnails.is_idle)


def test_what_another_window_changes_is_read_again_without_a_gap(qtbot: QtBot, app: App, review: ReviewDialog) -> None:
    path = app.session.project_path
    assert path is not None
    gaps: list[int] = []
    review.model.touched.connect(lambda: gaps.append(shown(review).count(0)))
    with closing(ProjectStore.open(path)) as other:
        other.find_to_fix([3])
        other.comment(1, "from the other")
    qtbot.waitUntil(lambda: item(review, 2).verdict is Verdict.FIX)
    at_rest(qtbot, app, review)
    assert item(review, 0).comment == "from the other"
    assert review.state.text() == "3 boxes, 0 found good, 1 to fix"
    assert gaps and not any(gaps)


def test_a_project_that_is_saved_elsewhere_keeps_the_name(
    qtbot: QtBot, app: App, review: ReviewDialog, tmp_path: Path
) -> None:
    review.name.setText("Anna")
    review.name.editingFinished.emit()
    at_rest(qtbot, app, review)
    app.store.save_elsewhere(tmp_path / "elsewhere.sqlite", on_error=lambda error: None)
    found: list[str] = []
    app.store.read(lambda project: project.annotator, on_done=found.append)
    settled(qtbot, app)
    assert found == ["Anna"]


# What the main window shows


def test_the_next_box_to_fix_is_found_and_keeping_it_ends_the_mark(qtbot: QtBot, app: App) -> None:
    write(qtbot, app, [MOVED, replace(MOVED, image_id=2)])
    app.store.write(lambda project: project.find_to_fix([2]), on_done=app.session.apply)
    settled(qtbot, app)
    app.window.action_by_id["next_to_fix"].trigger()
    qtbot.waitUntil(lambda: app.session.selected_id == 2)
    settled(qtbot, app)
    model = app.window.boxes.model()
    assert model.index(0, 0).data().endswith("to fix")
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_K)
    settled(qtbot, app)
    assert app.session.to_fix == {}
    with qtbot.waitSignal(app.session.told) as told:
        app.window.action_by_id["next_to_fix"].trigger()
    assert told.args[0] == "No box of this project is marked to fix."


def test_the_history_leads_back_to_each_version(qtbot: QtBot, app: App) -> None:
    write(qtbot, app, [MOVED])
    app.store.write(lambda project: project.move(1, Box(50, 50, 90, 90)), on_done=app.session.apply)
    settled(qtbot, app)
    app.session.select(1)
    app.window.action_by_id["history"].trigger()
    (dialog,) = app.window.findChildren(HistoryDialog)
    assert isinstance(dialog, HistoryDialog)
    settled(qtbot, app)
    assert [version.kind for version in dialog.versions] == ["drawn", "refined", "accept", "now"]
    assert not dialog.back.isEnabled()  # it is as it is now
    for row, box in ((0, MOVED.drawn), (1, REFINED), (2, MOVED.accepted)):
        item = dialog.rows.topLevelItem(row)
        assert item is not None
        dialog.rows.setCurrentItem(item)
        dialog.back.click()
        settled(qtbot, app)
        assert stored(app)[0].accepted == box
    texts = [dialog.rows.topLevelItem(1).text(column) for column in range(6)]  # type: ignore[union-attr]
    assert texts[:3] == ["Refined", "22, 32   76 × 66", "cat"]
    assert texts[5] == "light-1, shipped-1 (score 0.90)"
    app.store.write(lambda project: project.delete([1]), on_done=app.session.apply)
    settled(qtbot, app)
    assert dialog.sentence.text() == "This box is deleted. Undo brings it back."


def test_the_first_boxes_are_there_before_all_are_read(qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    write(qtbot, app, [replace(MOVED, image_id=3), DOUBTFUL, replace(TO_CHECK, image_id=1)])
    monkeypatch.setattr(reviewing, "_AT_ONCE", 2)
    arrange = ReviewDialog.arrange
    monkeypatch.setattr(ReviewDialog, "arrange", lambda dialog: None)  # the last step is still to come
    app.window.action_by_id["review"].trigger()
    (dialog,) = app.window.findChildren(ReviewDialog)
    qtbot.waitUntil(lambda: dialog.model.boxes == 2)
    settled(qtbot, app)
    assert not dialog.is_ready and len(dialog.model.items) == 3
    dialog.grid.go(1)
    at = dialog.current
    assert at is not None and at.image_id == 3
    arrange(dialog)
    at_rest(qtbot, app, dialog)
    assert dialog.model.boxes == 3 and dialog.grid.place == 2  # the box that the user was at
    assert dialog.current is not None and dialog.current.id == at.id
    arrange(dialog)
    at_rest(qtbot, app, dialog)
    assert dialog.grid.place == 0  # another order begins at its first box
