"""The state of images in the window: done, flagged, and stepping by state; all of it can be undone."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.dialogs.flag_dialog import FlagDialog
from boxrefine_gui.operations import box_verbs, marking
from boxrefine_gui.panels.image_row import ROW, Row
from core.geometry import Box
from core.listing import Tab
from core.marks import Mark
from core.store.project_store import ProjectStore
from tests.gui.driving import accept, draw, ready, settled

SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


def row(app: App, number: int) -> Row:
    found = app.window.images.model().index(number, 0).data(ROW)
    assert isinstance(found, Row)
    return found


def press(qtbot: QtBot, app: App, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """Press a key on the canvas, and wait until it is stored."""
    qtbot.keyClick(app.window.canvas, key, modifiers)
    settled(qtbot, app)


def marks(app: App) -> dict[int, Mark]:
    """The marks in the file, read by a connection of its own."""
    assert app.session.project_path is not None
    project = ProjectStore.open(app.session.project_path)
    try:
        return project.marks()
    finally:
        project.close()


def test_one_key_marks_an_image_as_done_and_goes_on(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, Box(20, 30, 100, 100))
    press(qtbot, app, Qt.Key.Key_W)
    assert app.session.row == 1
    assert marks(app) == {1: Mark(done=True)} and app.session.counts[1] == 1  # the drawn box is accepted, too
    assert (row(app, 0).badge_text, row(app, 1).badge_text) == ("✓ 1", "")
    press(qtbot, app, Qt.Key.Key_W)
    press(qtbot, app, Qt.Key.Key_W)
    assert app.session.row == 2 and marking.ALL_DONE in app.window.notices.sentence.text()
    assert [app.session.images_in(tab) for tab in (Tab.DONE, Tab.EMPTY, Tab.UNTOUCHED)] == [3, 2, 0]
    assert app.window.status.progress.text() == "3 of 3 done, 1 box"


def test_undo_shows_the_image_that_it_changes(qtbot: QtBot, app: App) -> None:
    press(qtbot, app, Qt.Key.Key_W)
    press(qtbot, app, Qt.Key.Key_W)
    assert app.session.row == 2
    assert app.window.action_by_id["undo"].text() == "&Undo: Mark image as done"
    press(qtbot, app, Qt.Key.Key_Z, CTRL)
    assert app.session.row == 1 and marks(app) == {1: Mark(done=True)}
    press(qtbot, app, Qt.Key.Key_Z, CTRL | SHIFT)
    assert set(marks(app)) == {1, 2}


def test_done_goes_on_at_the_next_image_that_is_not_done(qtbot: QtBot, app: App) -> None:
    app.parts.store.write(lambda project: project.mark([2], done=True), on_done=app.session.apply)
    settled(qtbot, app)
    press(qtbot, app, Qt.Key.Key_W)
    assert app.session.row == 2
    press(qtbot, app, Qt.Key.Key_W, SHIFT)  # done, and stay
    assert app.session.row == 2 and set(marks(app)) == {1, 2, 3}
    press(qtbot, app, Qt.Key.Key_W, SHIFT)  # not done
    assert set(marks(app)) == {1, 2}
    box_verbs.show_image(app.parts, 1)
    press(qtbot, app, Qt.Key.Key_U, CTRL)
    assert app.session.row == 2


def test_untouched_images_are_stepped_to_in_both_directions_and_around(qtbot: QtBot, app: App) -> None:
    box_verbs.show_image(app.parts, 2)
    ready(qtbot, app)
    draw(qtbot, app, Box(20, 30, 100, 100))
    accept(qtbot, app)
    press(qtbot, app, Qt.Key.Key_U)
    assert app.session.row == 2
    press(qtbot, app, Qt.Key.Key_U)
    assert app.session.row == 0
    press(qtbot, app, Qt.Key.Key_U, SHIFT)
    assert app.session.row == 2
    press(qtbot, app, Qt.Key.Key_U, SHIFT)
    assert app.session.row == 0
    app.parts.store.write(lambda project: project.mark([1, 3], done=True), on_done=app.session.apply)
    settled(qtbot, app)
    press(qtbot, app, Qt.Key.Key_U)
    assert app.session.row == 0 and marking.NONE_UNTOUCHED in app.window.notices.sentence.text()


def flag_dialog(qtbot: QtBot, app: App) -> FlagDialog:
    app.window.activateWindow()
    qtbot.waitUntil(app.window.isActiveWindow)
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_Q)
    qtbot.waitUntil(lambda: app.window.findChild(FlagDialog) is not None)
    dialog = app.window.findChild(FlagDialog)
    assert dialog is not None
    qtbot.waitUntil(dialog.isActiveWindow)
    return dialog


def test_a_flag_has_a_note_that_the_list_shows_and_can_be_removed(qtbot: QtBot, app: App) -> None:
    dialog = flag_dialog(qtbot, app)
    qtbot.keyClicks(dialog.note, "blurred, wade a dog")  # letters of commands among them
    qtbot.keyClick(dialog.note, Qt.Key.Key_Return)
    settled(qtbot, app)
    assert marks(app) == {1: Mark(flag="blurred, wade a dog")} and app.session.row == 0
    assert row(app, 0).flag == "blurred, wade a dog"
    assert "flagged: blurred, wade a dog" in row(app, 0).description
    assert app.window.action_by_id["undo"].text() == "&Undo: Flag image: blurred, wade a dog"
    qtbot.waitUntil(lambda: app.window.findChild(FlagDialog) is None)
    dialog = flag_dialog(qtbot, app)
    assert dialog.note.text() == "blurred, wade a dog"
    qtbot.mouseClick(dialog.remove, Qt.MouseButton.LeftButton)
    settled(qtbot, app)
    assert marks(app) == {}
    app.window.action_by_id["undo"].trigger()
    settled(qtbot, app)
    assert row(app, 0).flag == "blurred, wade a dog"


def test_the_flag_is_on_the_image_for_which_the_dialog_was_opened(qtbot: QtBot, app: App) -> None:
    dialog = flag_dialog(qtbot, app)
    box_verbs.show_image(app.parts, 2)  # as the list does
    qtbot.keyClick(dialog.note, Qt.Key.Key_Return)
    settled(qtbot, app)
    assert marks(app) == {1: Mark(flag="")}


def test_an_unreadable_picture_cannot_be_marked_and_done_goes_past_it(
    qtbot: QtBot, closed_app: App, pictures: Path
) -> None:
    damaged = pictures / "damaged.png"
    damaged.write_bytes(b"no picture")
    closed_app.open(damaged)
    qtbot.waitUntil(lambda: closed_app.session.image is not None and not closed_app.session.scan)
    image = closed_app.session.image
    assert image is not None and image.id < 0
    closed_app.window.action_by_id["done"].trigger()
    closed_app.window.action_by_id["flag"].trigger()
    assert marking.NO_PICTURE in closed_app.window.notices.sentence.text()
    assert closed_app.window.findChild(FlagDialog) is None
    closed_app.window.action_by_id["done_next"].trigger()
    settled(qtbot, closed_app)
    assert closed_app.session.row == 0 and marks(closed_app) == {}


def test_marks_of_another_window_appear(qtbot: QtBot, app: App) -> None:
    assert app.session.project_path is not None
    other = ProjectStore.open(app.session.project_path)
    other.mark([3], done=True)
    other.close()
    app.project_watch.look()
    qtbot.waitUntil(lambda: row(app, 2).done and app.session.images_in(Tab.DONE) == 1)
