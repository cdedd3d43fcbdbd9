"""The preferences: every setting has a row, OK applies and saves, Cancel changes nothing, faults stand beside."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QComboBox, QDoubleSpinBox, QLineEdit, QSpinBox
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.dialogs.preference_fields import NumberField, SwitchField, TextField
from boxrefine_gui.dialogs.preference_rows import preference_pages
from boxrefine_gui.dialogs.preferences_dialog import PreferencesDialog
from boxrefine_gui.operations.box_verbs import choose_settings
from core.errors import BadInputError
from core.settings import OF_THE_WINDOW, Settings, load_settings, settings_path
from core.settings_check import CHOICES
from tests.gui.driving import ScriptedAsk, chosen, settled
from tests.gui.fakes import FakeModels

ELSEWHERE = {
    *("keys", "key_set", "recent", "encoder"),
    *("export_format", "export_splits", "export_pictures", "export_done"),
}
"""Chosen in the dialogs of keys, export and encoders, or by opening a project."""

ROWS = {row.name: row for rows in preference_pages().values() for row in rows}


@pytest.fixture
def dialog(qtbot: QtBot, app: App) -> PreferencesDialog:
    return opened(qtbot, app)


def opened(qtbot: QtBot, app: App) -> PreferencesDialog:
    app.window.activateWindow()
    qtbot.waitUntil(app.window.isActiveWindow)
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    found = app.window.findChildren(PreferencesDialog)[-1]
    qtbot.waitUntil(found.isVisible)
    return found


def change(dialog: PreferencesDialog, name: str, value: object) -> None:
    """Change a control as the user does."""
    focus = dialog.views[name].field.focus
    if isinstance(focus, QComboBox):
        focus.setCurrentIndex(focus.findData(value))
    elif isinstance(focus, QSpinBox | QDoubleSpinBox | QLineEdit):
        setter = focus.setText if isinstance(focus, QLineEdit) else focus.setValue
        setter(value)  # type: ignore[operator]
    else:
        focus.click()  # type: ignore[attr-defined]


def test_every_setting_that_the_user_chooses_has_a_row() -> None:
    chosen = {entry.name for entry in fields(Settings)} - {*OF_THE_WINDOW} - ELSEWHERE
    assert chosen == ROWS.keys(), "add a PreferenceRow to boxrefine_gui/dialogs/preference_rows.py"


@pytest.mark.parametrize("name", ROWS)
def test_every_row_has_words_and_a_title_for_each_value(name: str) -> None:
    row = ROWS[name]
    assert row.label and row.what.endswith(".")
    assert set(row.titles) == set(CHOICES.get(name, ()))


def test_every_control_shows_its_setting_and_has_a_name(dialog: PreferencesDialog, app: App) -> None:
    for name, view in dialog.views.items():
        default = getattr(Settings(), name)
        assert view.value == getattr(app.session.settings, name) and type(view.value) is type(default)
        assert view.field.focus.accessibleName() == view.row.label
        assert view.field.focus.focusPolicy() & Qt.FocusPolicy.TabFocus
        assert f"Default: {view.field.words(default)}." in view.words.text()
        assert view.reset.isHidden()
    assert dialog.chosen == {}


def change_to_another(dialog: PreferencesDialog, name: str, text: str) -> None:
    """Change a control to another value than its default; `text` is for a field."""
    focus = dialog.views[name].field.focus
    if isinstance(focus, QSpinBox | QDoubleSpinBox):
        focus.stepUp()
    elif isinstance(focus, QComboBox):
        focus.setCurrentIndex((focus.currentIndex() + 1) % focus.count())
    else:
        change(dialog, name, text)


def test_ok_applies_and_saves_every_setting(
    qtbot: QtBot, app: App, dialog: PreferencesDialog, models: FakeModels, tmp_path: Path
) -> None:
    config = tmp_path / "teach.yaml"
    config.write_text("epochs: 3\n", "utf-8")
    texts = {"cache_folder": str(tmp_path / "new" / "cache"), "teach_config": str(config)}
    for name in dialog.views:
        change_to_another(dialog, name, texts.get(name, "another text"))
        assert not dialog.views[name].reset.isHidden()
    assert dialog.chosen.keys() == dialog.views.keys()
    dialog.ok.click()
    qtbot.waitUntil(lambda: app.session.settings.device == "cpu")
    settled(qtbot, app)
    now = app.session.settings
    assert all(getattr(now, name) != getattr(Settings(), name) for name in ROWS)
    assert (now.cache_disk_budget, now.cache_ram_budget) == (21 * 1024**3 // 2, 1024**3)
    assert (now.least_drag, now.suggest_threshold, now.theme) == (7, 0.05, "light")
    assert (tmp_path / "new" / "cache").is_dir()
    qtbot.waitUntil(lambda: load_settings(settings_path()) == now)


def test_only_the_settings_of_the_models_load_them_again(qtbot: QtBot, app: App, dialog: PreferencesDialog) -> None:
    before = app.session.models
    change(dialog, "least_drag", 12)
    dialog.ok.click()
    qtbot.waitUntil(lambda: app.session.settings.least_drag == 12)
    settled(qtbot, app)
    assert app.session.models is before
    dialog = opened(qtbot, app)
    change(dialog, "cache_codec", "8bit")
    dialog.ok.click()
    qtbot.waitUntil(lambda: app.session.models is not before)
    assert app.session.settings.cache_codec == "8bit" and app.session.settings.least_drag == 12


def test_models_that_cannot_be_loaded_leave_the_present_ones_and_their_settings(
    qtbot: QtBot, app: App, dialog: PreferencesDialog, models: FakeModels
) -> None:
    before, models.fault = app.session.models, BadInputError("No CUDA GPU can be used here.")
    change(dialog, "device", "cuda")
    change(dialog, "auto_accept", True)
    dialog.ok.click()
    qtbot.waitUntil(lambda: "No CUDA GPU" in app.window.notices.sentence.text())
    assert app.session.models is before
    assert app.session.settings.device == "auto" and app.session.settings.auto_accept
    assert load_settings(settings_path()).device == "auto"


def test_cancel_and_escape_change_nothing(qtbot: QtBot, app: App, dialog: PreferencesDialog) -> None:
    before = chosen(app)
    change(dialog, "theme", "dark")
    dialog.cancel.click()
    dialog = opened(qtbot, app)
    change(dialog, "auto_accept", True)
    qtbot.keyClick(dialog.search, Qt.Key.Key_Escape)
    settled(qtbot, app)
    assert chosen(app) == before


def test_reset_leads_back_to_the_default(qtbot: QtBot, app: App) -> None:
    choose_settings(app.parts, replace(app.session.settings, least_drag=30, cache_disk_budget=123456789))
    dialog = opened(qtbot, app)
    assert dialog.views["cache_disk_budget"].value == 123456789  # the control shows 0.11 GiB
    dialog.show_setting("least_drag")
    dialog.views["least_drag"].reset.click()
    assert dialog.views["least_drag"].value == 6 and dialog.views["least_drag"].reset.isHidden()
    assert dialog.chosen == {"least_drag": 6}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("cache_folder", "relative/folder", "give the whole path"),
        ("cache_folder", "/a\0b", "control characters"),
        ("teach_config", "teach.yaml", "give the whole path"),
    ],
)
def test_a_fault_is_one_sentence_beside_the_field(dialog: PreferencesDialog, name: str, text: str, words: str) -> None:
    line = dialog.views[name].field.focus
    assert isinstance(line, QLineEdit)
    line.setText(text)
    assert words in dialog.views[name].problem.text() and not dialog.ok.isEnabled()
    line.clear()
    assert not dialog.views[name].has_problem and dialog.ok.isEnabled()


def test_files_are_checked_before_anything_is_applied(
    qtbot: QtBot, app: App, dialog: PreferencesDialog, tmp_path: Path
) -> None:
    before = chosen(app)
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "bad.yaml").write_text("epoch: 3\n")
    change(dialog, "auto_accept", True)
    change(dialog, "cache_folder", str(tmp_path / "file" / "cache"))
    change(dialog, "teach_config", str(tmp_path / "bad.yaml"))
    dialog.ok.click()
    qtbot.waitUntil(lambda: dialog.views["cache_folder"].has_problem)
    assert "choose another one" in dialog.views["cache_folder"].problem.text()
    assert "epochs" in dialog.views["teach_config"].problem.text()
    assert dialog.isVisible() and not dialog.ok.isEnabled() and chosen(app) == before
    assert dialog.views["cache_folder"].isVisible()
    for name in ("cache_folder", "teach_config"):
        change(dialog, name, "")
    dialog.ok.click()
    qtbot.waitUntil(lambda: app.session.settings.auto_accept)


def test_browse_gives_a_path(app: App, ask: ScriptedAsk, dialog: PreferencesDialog, tmp_path: Path) -> None:
    ask.answer = tmp_path
    for name in ("cache_folder", "teach_config"):
        field = dialog.views[name].field
        assert isinstance(field, TextField)
        field.browse_button.click()  # type: ignore[union-attr]
        assert dialog.views[name].value == str(tmp_path)
    ask.answer = None
    field.browse_button.click()  # type: ignore[union-attr]
    assert dialog.views["teach_config"].value == str(tmp_path)


def test_the_search_finds_by_every_word_on_all_pages(qtbot: QtBot, dialog: PreferencesDialog) -> None:
    def found() -> list[str]:
        return [name for name, view in dialog.views.items() if view.isVisible()]

    assert found() == ["draw_by", "auto_accept", "accept_when_going_on", "ask_category", "least_drag", "space_pans"]
    for text, names in (
        ("GPU", ["device"]), ("cache_codec", ["cache_codec"]), ("DRAG shortest", ["least_drag"]), ("xyzzy", []),
    ):  # fmt: skip
        dialog.search.clear()
        qtbot.keyClicks(dialog.search, text)
        assert found() == names and dialog.nothing.isVisible() == (not names)
    dialog.pages.setCurrentRow(1)
    assert dialog.search.text() == "" and found()[0] == "theme"


def test_what_takes_effect_later_says_so(dialog: PreferencesDialog) -> None:
    later = [name for name, view in dialog.views.items() if "next start" in view.words.text()]
    assert later == ["language"]


def test_tab_reaches_every_control_of_a_page(qtbot: QtBot, dialog: PreferencesDialog) -> None:
    qtbot.waitUntil(dialog.isActiveWindow)
    dialog.search.setFocus()
    reached = set()
    for _ in range(20):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        reached.add(QApplication.focusWidget().accessibleName())
    drawing = {row.label for row in preference_pages()["Drawing"]}
    assert drawing | {"Pages"} <= reached


def test_the_wheel_scrolls_and_changes_no_setting(dialog: PreferencesDialog) -> None:
    for name in ("draw_by", "least_drag"):
        focus = dialog.views[name].field.focus
        at = QPointF(5, 5)
        event = QWheelEvent(
            at, focus.mapToGlobal(at), QPoint(0, -120), QPoint(0, -120), Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(focus, event)
    assert dialog.chosen == {}


def test_it_fits_into_a_small_window(qtbot: QtBot, app: App) -> None:
    app.window.resize(800, 500)
    dialog = opened(qtbot, app)
    assert dialog.width() <= 800 and dialog.height() <= 500
    assert dialog.area.widget().minimumSizeHint().width() <= dialog.area.viewport().width()


def test_a_number_that_is_only_shown_keeps_its_digits() -> None:
    field = NumberField(ROWS["cache_ram_budget"], 1)
    field.show_value(1234)
    assert field.value == 1234
    switch = SwitchField(ROWS["suggest"])
    switch.show_value(True)
    assert switch.value is True


def test_the_list_of_pages_shows_its_longest_name_whole(qtbot: QtBot, dialog: PreferencesDialog) -> None:
    assert dialog.pages.viewport().width() >= dialog.pages.sizeHintForColumn(0)
    assert not dialog.pages.horizontalScrollBar().isVisible()


def test_numbers_have_controls_as_high_as_choices(dialog: PreferencesDialog) -> None:
    spins = dialog.findChildren(QSpinBox)
    (choice,) = dialog.findChildren(QComboBox)[:1]
    assert spins and min(spin.height() for spin in spins) >= choice.height() - 2
