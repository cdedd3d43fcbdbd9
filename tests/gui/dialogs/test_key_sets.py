"""Key sets: one is chosen in the dialog, own keys stay on top, and files carry both; several keys for an action."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App, build
from boxrefine_gui.dialogs.keys_dialog import MOST_KEYS, KeysDialog
from boxrefine_gui.widgets.key_sets import KEY_SETS, of_set, with_settings
from boxrefine_gui.widgets.keys import normal
from core.key_file import KeyFile, read_keys, write_keys
from core.settings import Settings, load_settings, save_settings, settings_path
from tests.gui.conftest import end
from tests.gui.dialogs.test_keys import CTRL, PLAIN, dialog, give, keys_of, press
from tests.gui.driving import ScriptedAsk, chosen
from tests.gui.fakes import FakeModels
from tests.gui.operations.test_importing import sentence

__all__ = ["dialog"]
RESERVED = {"C", "Ctrl+K", "Ctrl+A", "Ctrl+C", "Ctrl+V", "Ctrl+X", "Ctrl+D", "F11", "H"}
"""Keys that are kept free for categories, copies and the like."""


def choose_set(dialog: KeysDialog, name: str) -> None:
    dialog.sets.setCurrentIndex(dialog.sets.findData(name))
    dialog.sets.activated.emit(dialog.sets.currentIndex())


# The sets themselves


@pytest.mark.parametrize("name", KEY_SETS)
def test_a_set_gives_no_key_twice_and_leaves_no_action_without_one(app: App, name: str) -> None:
    rows = of_set(app.window.rows, name)
    keys = [normal(key) for row in rows for key in row.keys]
    assert len(keys) == len(set(keys)) and "" not in keys
    assert [row.id for row, own in zip(rows, app.window.rows, strict=True) if own.keys and not row.keys] == []
    assert with_settings(app.window.rows, replace(Settings(), key_set=name))[1] == []


@pytest.mark.parametrize("name", KEY_SETS)
def test_a_set_names_actions_that_there_are_and_leaves_some_keys_free(app: App, name: str) -> None:
    assert set(KEY_SETS[name].keys) <= set(app.window.action_by_id)
    assert {normal(key) for keys in KEY_SETS[name].keys.values() for key in keys}.isdisjoint(RESERVED)


def test_the_left_hand_reaches_all_that_a_box_needs(app: App) -> None:
    rows = {row.id: row.keys for row in of_set(app.window.rows, "left_hand")}
    reach = set("QWERTASDFGZXCVB") | {"Esc", "Space"}
    for id in (
        "accept", "discard", "delete", "keep", "next", "previous", "refine_again", "another_answer", "next_to_check",
        "next_doubtful", "done_next", "suggest_rest", "accept_all", "draw_here", "choose_edge",
    ):  # fmt: skip
        assert any(key.removeprefix("Shift+") in reach for key in rows[id]), id


# The dialog


def test_the_set_holds_at_once_and_is_kept(qtbot: QtBot, app: App, dialog: KeysDialog) -> None:
    choose_set(dialog, "left_hand")
    assert "F" in keys_of(app, "accept") and keys_of(app, "fit") == ["Shift+Z"]
    assert app.session.keys["delete"] == "V"
    qtbot.waitUntil(lambda: app.files.is_idle)
    assert load_settings(settings_path()).key_set == "left_hand"
    choose_set(dialog, "standard")
    assert keys_of(app, "fit") == ["F"]


def test_own_keys_stay_on_top_of_another_set(qtbot: QtBot, app: App, dialog: KeysDialog) -> None:
    give(qtbot, dialog, "rescan", Qt.Key.Key_V, PLAIN)
    choose_set(dialog, "left_hand")
    assert keys_of(app, "rescan") == ["V"] and "V" not in keys_of(app, "delete")
    dialog.choose("rescan")
    qtbot.mouseClick(dialog.own_button, Qt.MouseButton.LeftButton)
    assert keys_of(app, "rescan") == ["F5"] and "V" in keys_of(app, "delete")


def test_an_action_gets_another_key_and_loses_one(qtbot: QtBot, app: App, dialog: KeysDialog) -> None:
    press(qtbot, dialog, "export", Qt.Key.Key_F9, PLAIN)
    qtbot.mouseClick(dialog.add_button, Qt.MouseButton.LeftButton)
    assert keys_of(app, "export") == ["Ctrl+E", "F9"]
    first = dialog.remove_one_button.menu().actions()[0]
    assert first.text() == "Ctrl+E"
    first.trigger()
    assert keys_of(app, "export") == ["F9"]


def test_a_key_that_it_has_is_not_added_twice(qtbot: QtBot, app: App, dialog: KeysDialog) -> None:
    press(qtbot, dialog, "redo", Qt.Key.Key_Y, CTRL)
    qtbot.mouseClick(dialog.add_button, Qt.MouseButton.LeftButton)
    assert keys_of(app, "redo") == ["Ctrl+Shift+Z", "Ctrl+Y"]


def test_an_action_has_at_most_so_many_keys(qtbot: QtBot, app: App, dialog: KeysDialog) -> None:
    for number in range(MOST_KEYS + 2):
        press(qtbot, dialog, "open_sample", Qt.Key(Qt.Key.Key_F12 + number), PLAIN)
        for button in (dialog.add_button, dialog.assign_button):
            if button.isEnabled() and (button is dialog.add_button or not keys_of(app, "open_sample")):
                qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert len(keys_of(app, "open_sample")) == MOST_KEYS and not dialog.add_button.isEnabled()


# Files


def test_they_are_exported_and_imported(qtbot: QtBot, app: App, dialog: KeysDialog, ask: ScriptedAsk) -> None:
    choose_set(dialog, "left_hand")
    give(qtbot, dialog, "export", Qt.Key.Key_F9, PLAIN)
    assert app.session.project_path is not None
    ask.answer = app.session.project_path.parent / "my keys.yaml"
    dialog.export_wanted.emit()
    qtbot.waitUntil(lambda: dialog.sentence.text() == f"The keys are in {ask.answer}.")
    assert read_keys(ask.answer, key_sets=KEY_SETS) == KeyFile("left_hand", {"export": ("F9",)})

    choose_set(dialog, "standard")
    qtbot.mouseClick(dialog.all_own_button, Qt.MouseButton.LeftButton)
    assert keys_of(app, "export") == ["Ctrl+E"]
    dialog.import_wanted.emit()
    qtbot.waitUntil(lambda: dialog.sentence.text() == "The keys of the file hold now.")
    assert keys_of(app, "export") == ["F9"] and keys_of(app, "fit") == ["Shift+Z"]
    assert dialog.sets.currentData() == "left_hand"


def test_what_a_file_has_too_much_is_told_and_the_rest_holds(
    qtbot: QtBot, app: App, dialog: KeysDialog, ask: ScriptedAsk, tmp_path: Path
) -> None:
    ask.answer = tmp_path / "keys.yaml"
    write_keys(KeyFile("standard", {"fly": ("F7",), "export": ("F9", "Frob"), "fit": ("Mouse back",)}), ask.answer)
    dialog.import_wanted.emit()
    qtbot.waitUntil(lambda: "hold now" in dialog.sentence.text())
    assert dialog.sentence.text() == (
        "The keys of the file hold now. 1 action of the file is not in this version. "
        "Frob is no key, so “Export” does not have it."
    )
    assert keys_of(app, "export") == ["F9"] and app.session.keys["fit"] == "Back button"


@pytest.mark.parametrize("text", ["version: 2\nkey_set: standard\n", "version: 1\nkey_set: dvorak\n", "no keys", "{"])
def test_a_bad_file_changes_nothing_and_is_named(
    qtbot: QtBot, app: App, dialog: KeysDialog, ask: ScriptedAsk, tmp_path: Path, text: str
) -> None:
    give(qtbot, dialog, "export", Qt.Key.Key_F9, PLAIN)
    before = chosen(app)
    ask.answer = tmp_path / "keys.yaml"
    ask.answer.write_text(text)
    dialog.import_wanted.emit()
    qtbot.waitUntil(lambda: str(ask.answer) in dialog.sentence.text())
    assert chosen(app) == before and keys_of(app, "export") == ["F9"]


def test_a_folder_that_refuses_is_told(qtbot: QtBot, dialog: KeysDialog, ask: ScriptedAsk, tmp_path: Path) -> None:
    ask.answer = tmp_path
    dialog.export_wanted.emit()
    qtbot.waitUntil(lambda: "could not be written" in dialog.sentence.text())


def test_nothing_happens_without_a_file(app: App, dialog: KeysDialog) -> None:
    before = chosen(app)
    dialog.export_wanted.emit()
    dialog.import_wanted.emit()
    assert chosen(app) == before


# Settings of a newer version


@pytest.fixture
def newer(qtbot: QtBot, models: FakeModels) -> Iterator[App]:
    """A window whose settings have a key set of a newer version, and an own key."""
    save_settings(replace(Settings(), key_set="one_thumb", keys={"export": ("F9",), "fly": ("F7",)}), settings_path())
    app = build(load_models=models)
    app.window.show()
    yield app
    end(app)


def test_a_set_that_this_version_lacks_is_told_and_the_choices_stay(qtbot: QtBot, newer: App) -> None:
    assert sentence(newer).startswith("This version has no key set “one_thumb”, which the settings name")
    assert keys_of(newer, "export") == ["F9"] and "Space" in keys_of(newer, "accept")
    newer.window.action_by_id["snapping"].trigger()
    newer.window.action_by_id["space_pans"].trigger()
    qtbot.waitUntil(lambda: newer.files.is_idle)
    assert load_settings(settings_path()).key_set == "one_thumb"  # which the newer version finds again
