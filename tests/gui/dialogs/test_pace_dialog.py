"""The pace dialog: figures of the project and of today, files, and the switch."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.dialogs.pace_dialog import NO_FIGURE, PaceDialog
from core.geometry import Box
from core.settings import load_settings, settings_path
from tests.gui.driving import ScriptedAsk, accept, draw, settled, stored


@pytest.fixture
def dialog(qtbot: QtBot, app: App) -> PaceDialog:
    """The dialog on a project of two accepted boxes."""
    for box in (Box(20, 30, 100, 100), Box(110, 20, 180, 90)):
        draw(qtbot, app, box)
        accept(qtbot, app)
    return opened(qtbot, app)


def opened(qtbot: QtBot, app: App) -> PaceDialog:
    app.window.action_by_id["pace"].trigger()
    (found,) = app.window.findChildren(PaceDialog)
    assert isinstance(found, PaceDialog)
    settled(qtbot, app)
    qtbot.waitUntil(lambda: found._work is not None)
    return found


def figure(dialog: PaceDialog, name: str) -> str:
    return dialog.figures[name][0].text()


def test_it_shows_the_project_and_today(dialog: PaceDialog) -> None:
    assert (figure(dialog, "boxes"), figure(dialog, "untouched"), figure(dialog, "edges")) == ("2", "100%", "0.00")
    assert float(figure(dialog, "seconds")) >= 0
    assert dialog.rows.topLevelItemCount() == 1
    assert len(dialog.plot.bars) == 1
    dialog.today.setChecked(True)
    assert figure(dialog, "boxes") == "2"
    assert dialog.plot.title == "Boxes, by hour of the day"


def test_an_empty_project_has_no_figures(qtbot: QtBot, app: App) -> None:
    dialog = opened(qtbot, app)
    assert figure(dialog, "seconds") == NO_FIGURE
    assert dialog.sentence.text() == "No box is accepted yet."
    assert not dialog.csv_button.isEnabled()


def test_it_is_saved_as_csv_and_png(
    qtbot: QtBot, app: App, ask: ScriptedAsk, dialog: PaceDialog, tmp_path: Path
) -> None:
    ask.answer = tmp_path / "pace.csv"
    dialog.csv_button.click()
    qtbot.waitUntil(lambda: "pace.csv is saved." in dialog.sentence.text())
    assert ask.answer.read_text("utf-8").startswith("what,name,boxes,")
    ask.answer = tmp_path / "pace.png"
    dialog.png_button.click()
    qtbot.waitUntil(lambda: "pace.png is saved." in dialog.sentence.text())
    assert ask.answer.read_bytes().startswith(b"\x89PNG")
    ask.answer = tmp_path / "pace.csv" / "pace.csv"  # a file is no folder
    dialog.csv_button.click()
    qtbot.waitUntil(lambda: "choose another place" in dialog.sentence.text())


def test_the_switch_ends_the_measuring(qtbot: QtBot, app: App, dialog: PaceDialog) -> None:
    dialog.keep_times.click()
    dialog.close()
    app.window.activateWindow()
    app.window.canvas.setFocus()
    draw(qtbot, app, Box(20, 105, 80, 140))
    accept(qtbot, app)
    *before, last = stored(app)
    assert last.seconds == 0
    assert all(entry.seconds > 0 for entry in before)
    qtbot.waitUntil(lambda: not load_settings(settings_path()).keep_times)


def test_it_may_be_closed_while_it_reads(qtbot: QtBot, app: App) -> None:
    app.window.action_by_id["pace"].trigger()
    (found,) = app.window.findChildren(PaceDialog)
    found.close()
    settled(qtbot, app)
