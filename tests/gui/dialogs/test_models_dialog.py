"""The dialog of the encoders: what differs, a download that is cancelled and resumed, a file one has, changing over."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import huggingface_hub
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.dialogs.models_dialog import ModelsDialog
from boxrefine_gui.operations.box_verbs import choose_settings
from boxrefine_gui.operations.opening import choose_models
from core.encoders.traits import ENCODERS, SHIPPED
from core.encoders.weights.published import OFFICIAL, find_weights
from core.errors import BadWeightsError
from core.settings import load_settings, settings_path
from tests.core.hq_weights import save_vit_tiny
from tests.core.hub_server import HubServer, serving
from tests.gui.driving import ScriptedAsk
from tests.gui.fakes import FakeModels


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random vit_tiny weights in the official key layout."""
    return save_vit_tiny(tmp_path_factory.mktemp("weights") / "mine.pth")


@pytest.fixture
def hub(weights: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A Hub that serves them as the published ones."""
    content = weights.read_bytes()
    entry = replace(OFFICIAL["vit_tiny"], size=len(content), sha256=hashlib.sha256(content).hexdigest())
    monkeypatch.setitem(OFFICIAL, "vit_tiny", entry)
    huggingface_hub.close_session()
    with serving(HubServer(content)) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server
    huggingface_hub.close_session()


@pytest.fixture
def dialog(qtbot: QtBot, app: App) -> ModelsDialog:
    """The dialog as the menu opens it."""
    app.window.action_by_id["models"].trigger()
    dialog = app.window.findChild(ModelsDialog)
    assert dialog is not None
    qtbot.waitExposed(dialog)
    return dialog


def click(qtbot: QtBot, button: QPushButton) -> None:
    qtbot.waitUntil(button.isEnabled)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_the_dialog_shows_what_differs(dialog: ModelsDialog) -> None:
    rows = [dialog.rows.topLevelItem(number) for number in range(len(ENCODERS))]
    texts = [[row.text(column) for column in range(6)] for row in rows if row is not None]
    sizes = ["none"] * len(SHIPPED) + ["43 MB", "379 MB", "1255 MB", "2571 MB"]
    assert sorted(text[1] for text in texts) == sorted(sizes)
    assert "any computer" in texts[0] and "a GPU with 8 GB is needed" in texts[-1]
    assert not dialog.download_button.isEnabled()
    dialog.choose("vit_b")
    assert dialog.download_button.text() == "Download 379 MB"
    assert not dialog.use_button.isEnabled()


def test_a_download_is_cancelled_resumed_and_used(qtbot: QtBot, app: App, dialog: ModelsDialog, hub: HubServer) -> None:
    dialog.choose("vit_tiny")
    hub.gate.clear()
    click(qtbot, dialog.download_button)
    qtbot.waitUntil(lambda: dialog.progress.isVisible() and dialog.progress.value() > 10, timeout=20_000)
    click(qtbot, dialog.cancel_button)
    hub.gate.set()
    qtbot.waitUntil(lambda: "goes on from there" in dialog.sentence.text(), timeout=20_000)
    assert not dialog.progress.isVisible()
    click(qtbot, dialog.download_button)
    qtbot.waitUntil(lambda: "weights of HQ-SAM tiny are here" in dialog.sentence.text(), timeout=60_000)
    assert len(hub.ranges) == 1
    click(qtbot, dialog.use_button)
    qtbot.waitUntil(lambda: app.session.settings.encoder == "vit_tiny")
    assert find_weights("vit_tiny") is not None


def test_a_download_that_fails_is_told_in_the_dialog(
    qtbot: QtBot, app: App, dialog: ModelsDialog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    dialog.choose("vit_tiny")
    click(qtbot, dialog.download_button)
    qtbot.waitUntil(lambda: "cannot be reached" in dialog.sentence.text(), timeout=20_000)
    assert "cannot be reached" in app.window.notices.sentence.text()
    assert dialog.download_button.isEnabled()


def test_a_file_that_one_has_is_added_and_removed(
    qtbot: QtBot, dialog: ModelsDialog, weights: Path, ask: ScriptedAsk
) -> None:
    ask.answer = weights
    dialog.choose("vit_tiny")
    click(qtbot, dialog.add_button)
    qtbot.waitUntil(lambda: "taken for your own" in dialog.sentence.text(), timeout=60_000)
    assert find_weights("vit_tiny") is not None
    click(qtbot, dialog.remove_button)
    qtbot.waitUntil(lambda: "are removed" in dialog.sentence.text())
    qtbot.waitUntil(dialog.download_button.isEnabled)
    assert weights.exists()


def test_asking_for_it_twice_shows_one(qtbot: QtBot, app: App, dialog: ModelsDialog) -> None:
    app.window.action_by_id["models"].trigger()
    assert app.window.findChildren(ModelsDialog) == [dialog]


def test_it_is_no_wider_than_the_window(qtbot: QtBot, app: App) -> None:
    app.window.resize(900, 600)
    app.window.action_by_id["models"].trigger()
    dialog = app.window.findChild(ModelsDialog)
    assert dialog is not None
    assert dialog.width() <= app.window.width()


def test_an_encoder_of_the_menu_whose_weights_are_missing_opens_it(qtbot: QtBot, app: App, models: FakeModels) -> None:
    models.fault = BadWeightsError("The weights of vit_h are not here: fetch them.")
    app.window.action_by_id["encoder_vit_h"].trigger()
    qtbot.waitUntil(lambda: app.window.findChild(ModelsDialog) is not None)
    dialog = app.window.findChild(ModelsDialog)
    assert dialog is not None
    assert dialog.chosen == "vit_h"
    qtbot.waitUntil(lambda: "vit_h are not here" in dialog.sentence.text())
    assert app.window.notices.sentence.isVisible()
    models.fault = None
    app.window.action_by_id["encoder_light"].trigger()
    qtbot.waitUntil(lambda: not app.window.notices.sentence.isVisible())


def test_what_was_chosen_while_an_encoder_was_loaded_stays_chosen(qtbot: QtBot, app: App, models: FakeModels) -> None:
    models.gate.clear()
    choose_models(app.parts, partial(replace, encoder="vit_tiny"))
    choose_settings(app.parts, replace(app.session.settings, theme="dark"))
    models.gate.set()
    qtbot.waitUntil(lambda: app.session.settings.encoder == "vit_tiny")
    assert app.session.settings.theme == "dark"
    qtbot.waitUntil(lambda: load_settings(settings_path()).encoder == "vit_tiny")
    assert load_settings(settings_path()).theme == "dark"


def test_an_encoder_that_is_chosen_before_the_first_one_is_loaded_stays(
    qtbot: QtBot, closed_app: App, models: FakeModels, pictures: Path
) -> None:
    closed: list[bool] = []
    models.on_close = lambda: closed.append(True)
    models.gate.clear()
    choose_models(closed_app.parts, partial(replace, encoder="vit_tiny"))
    closed_app.open(pictures)  # which asks for the encoder of the settings as they still are
    qtbot.waitUntil(lambda: not closed_app._wants_models)
    models.gate.set()
    qtbot.waitUntil(lambda: closed == [True])
    assert closed_app.session.settings.encoder == "vit_tiny"
    assert closed_app.session.models is not None


def test_a_careful_refiner_is_a_choice_that_is_kept(qtbot: QtBot, app: App) -> None:
    care = app.window.action_by_id["careful"]
    assert not care.isChecked()
    care.trigger()
    qtbot.waitUntil(lambda: app.session.settings.careful and app.session.models is not None)
    assert care.isChecked()
    assert app.window.status.model.text().endswith(", careful")
    qtbot.waitUntil(lambda: load_settings(settings_path()).careful)
    care.trigger()
    qtbot.waitUntil(lambda: not app.session.settings.careful)
