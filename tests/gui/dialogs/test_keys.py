"""Keys can be chosen: in a dialog that names who has one already, or in the settings; all that names a key follows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTreeWidgetItemIterator
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App, build
from boxrefine_gui.canvas.hints import first_steps, why_no_picture
from boxrefine_gui.dialogs.help import ShortcutHelp
from boxrefine_gui.dialogs.keys_dialog import KeysDialog
from boxrefine_gui.widgets.keys import normal, with_chosen
from core.errors import BadFileError
from core.geometry import Box
from core.settings import Settings, load_settings, save_settings, settings_path
from tests.gui.conftest import end
from tests.gui.driving import draw, settled, stored
from tests.gui.fakes import FakeModels
from tests.gui.operations.test_importing import sentence


@pytest.fixture
def dialog(app: App) -> KeysDialog:
    app.window.action_by_id["keys"].trigger()
    found = app.window.findChild(KeysDialog)
    assert found is not None
    return found


def press(qtbot: QtBot, dialog: KeysDialog, id: str, key: Qt.Key, modifiers: Qt.KeyboardModifier) -> None:
    """Choose an action and press the key that it is to have."""
    dialog.choose(id)
    qtbot.keyClick(dialog.edit, key, modifiers)
    qtbot.waitUntil(lambda: dialog._key != "")


def give(qtbot: QtBot, dialog: KeysDialog, id: str, key: Qt.Key, modifiers: Qt.KeyboardModifier) -> None:
    press(qtbot, dialog, id, key, modifiers)
    qtbot.mouseClick(dialog.assign_button, Qt.MouseButton.LeftButton)


PLAIN, CTRL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier


def keys_of(app: App, id: str) -> list[str]:
    return [sequence.toString() for sequence in app.window.action_by_id[id].shortcuts()]


def test_a_chosen_key_works_at_once_and_is_kept(qtbot: QtBot, app: App, dialog: KeysDialog) -> None:
    give(qtbot, dialog, "accept", Qt.Key.Key_Y, PLAIN)
    dialog.close()
    app.window.activateWindow()
    qtbot.waitUntil(app.window.isActiveWindow)
    draw(qtbot, app, Box(20, 30, 100, 100))
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_Return)
    settled(qtbot, app)
    assert stored(app) == []
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_Y)
    settled(qtbot, app)
    assert len(stored(app)) == 1
    qtbot.waitUntil(lambda: app.files.is_idle)
    assert load_settings(settings_path()).keys == {"accept": ("Y",)}


def test_one_that_another_action_has_is_named_and_can_be_taken(qtbot: QtBot, app: App, dialog: KeysDialog) -> None:
    press(qtbot, dialog, "rescan", Qt.Key.Key_N, PLAIN)
    assert dialog.sentence.text() == "N is the key of “Next box to check”, which would lose it."
    qtbot.mouseClick(dialog.assign_button, Qt.MouseButton.LeftButton)
    assert (keys_of(app, "rescan"), keys_of(app, "next_to_check")) == (["N"], [])
    assert app.session.keys.get("next_to_check") is None


def test_of_two_keys_the_other_one_stays(qtbot: QtBot, app: App, dialog: KeysDialog) -> None:
    give(qtbot, dialog, "rescan", Qt.Key.Key_Y, CTRL)
    assert keys_of(app, "redo") == ["Ctrl+Shift+Z"]


@pytest.mark.parametrize(("key", "words"), [(Qt.Key.Key_Left, "Left"), (Qt.Key.Key_Up, "Up")])
def test_a_key_of_the_canvas_cannot_be_given(qtbot: QtBot, dialog: KeysDialog, key: Qt.Key, words: str) -> None:
    press(qtbot, dialog, "rescan", key, PLAIN)
    assert (
        dialog.sentence.text()
        == f"{words} belongs to the canvas, for moving and going through boxes: choose another one."
    )
    assert not dialog.assign_button.isEnabled()


def test_the_way_back_to_its_own_keys(qtbot: QtBot, app: App, dialog: KeysDialog) -> None:
    give(qtbot, dialog, "rescan", Qt.Key.Key_N, PLAIN)
    give(qtbot, dialog, "export", Qt.Key.Key_F9, PLAIN)
    dialog.choose("export")
    qtbot.mouseClick(dialog.own_button, Qt.MouseButton.LeftButton)
    assert keys_of(app, "export") == ["Ctrl+E"]
    dialog.choose("rescan")
    qtbot.mouseClick(dialog.remove_button, Qt.MouseButton.LeftButton)
    assert keys_of(app, "rescan") == []
    qtbot.mouseClick(dialog.all_own_button, Qt.MouseButton.LeftButton)
    assert (keys_of(app, "rescan"), keys_of(app, "next_to_check")) == (["F5"], ["N"])
    assert app.session.settings.keys == {}


def test_an_action_is_found_by_its_words_or_its_key(dialog: KeysDialog) -> None:
    def shown() -> list[str]:
        flag = QTreeWidgetItemIterator.IteratorFlag.NotHidden
        items = QTreeWidgetItemIterator(dialog.list, flag)
        found = []
        while items.value() is not None:
            found.append(items.value().text(0))
            items += 1
        return found

    dialog.search.setText("ctrl+e")
    assert shown() == ["Export"]
    dialog.search.setText("new pictures")
    assert shown() == ["Look for new pictures"]


def test_hints_tooltips_and_the_help_name_the_chosen_keys(qtbot: QtBot, app: App, dialog: KeysDialog) -> None:
    for id, key in (("accept", Qt.Key.Key_G), ("export", Qt.Key.Key_F9)):
        give(qtbot, dialog, id, key, PLAIN)
    dialog.close()
    assert first_steps(app.session).startswith("Drag a box over an object; G accepts it, Escape discards it.")
    assert app.window.action_by_id["export"].toolTip() == "Export (F9)"
    app.window.action_by_id["shortcuts"].trigger()
    help = app.window.findChild(ShortcutHelp)
    assert help is not None
    assert "F9" in help.text.toPlainText() and "Ctrl+E" not in help.text.toPlainText()


def test_hints_leave_out_what_has_no_key(qtbot: QtBot, app: App, dialog: KeysDialog) -> None:
    for id in ("accept", "open_folder"):
        dialog.choose(id)
        qtbot.mouseClick(dialog.remove_button, Qt.MouseButton.LeftButton)
    dialog.close()
    assert first_steps(app.session) == "Drag a box over an object.   F1: all keys"
    app.session.project_path = None
    app.session.set_image(None)
    assert why_no_picture(app.session) == "Open a folder of pictures: drop it here."


@pytest.fixture
def by_hand(qtbot: QtBot, models: FakeModels) -> Iterator[App]:
    """A window whose settings were written by hand, with faults."""
    keys = {"export": ("F9",), "import": ("F9",), "fit": ("Frob",), "pixels": ("Left", "F8"), "gone": ("F7",)}
    save_settings(replace(Settings(), keys=keys), settings_path())
    app = build(load_models=models)
    app.window.show()
    yield app
    end(app)


def test_what_cannot_be_is_told_and_the_rest_holds(by_hand: App) -> None:
    # Import stands before Export in the menu.
    assert (keys_of(by_hand, "import"), keys_of(by_hand, "export")) == (["F9"], [])
    assert (keys_of(by_hand, "fit"), keys_of(by_hand, "pixels")) == ([], ["F8"])
    assert sentence(by_hand) == (
        "F9 is given to “Import annotations” too, so “Export” does not have it. (2 more) The menu Help has all keys."
    )


def test_keys_that_are_no_lists_are_named_with_the_file() -> None:
    settings_path().parent.mkdir(parents=True)
    settings_path().write_text('[keys]\nexport = "Ctrl+E"\n')
    with pytest.raises(BadFileError, match=r'keys must hold lists like export = \["Ctrl\+E"\]'):
        load_settings(settings_path())


def test_no_two_actions_have_the_same_key_of_their_own(app: App) -> None:
    rows, faults = with_chosen(app.window.rows, {row.id: row.keys for row in app.window.rows})
    assert faults == []
    assert [row.keys for row in rows] == [tuple(map(normal, row.keys)) for row in app.window.rows]
