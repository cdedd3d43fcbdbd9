"""What a start does first: a large project opens and shows its first picture before the models are loaded."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from boxrefine_gui import app as app_module
from boxrefine_gui.app import App, build
from boxrefine_gui.state.doing import Scan, ScanKind
from core.settings import Settings
from tests.gui.driving import ready
from tests.gui.fakes import FakeModels


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The requests for models; the patience with a picture is short."""
    monkeypatch.setattr(app_module, "_PICTURE_PATIENCE_MS", 10)
    return []


def starting(qtbot: QtBot, models: FakeModels, loads: list[Settings]) -> App:
    def load(settings: Settings) -> object:
        loads.append(settings)
        return models(settings)

    return build(load_models=load)  # type: ignore[arg-type]


def test_the_models_wait_for_a_project_that_is_being_opened(
    qtbot: QtBot, models: FakeModels, loads: list[Settings], pictures: Path
) -> None:
    app = starting(qtbot, models, loads)
    try:
        app.session.set_scan(Scan(ScanKind.OPENING, "large"))
        app._wants_models = True
        app._patience.start()
        qtbot.waitUntil(lambda: app._times_waited >= 3)
        assert app._wants_models and loads == []
        app.open(pictures)
        ready(qtbot, app)
        qtbot.waitUntil(lambda: len(loads) == 1)
    finally:
        app.close()


def test_a_project_that_never_opens_does_not_keep_the_models_away(
    qtbot: QtBot, models: FakeModels, loads: list[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_module, "_OPENING_PATIENCE_MS", 40)
    app = starting(qtbot, models, loads)
    try:
        app.session.set_scan(Scan(ScanKind.OPENING, "large"))
        app._wants_models = True
        app._patience.start()
        qtbot.waitUntil(lambda: len(loads) == 1)
    finally:
        app.close()
