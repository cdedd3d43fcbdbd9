"""A project whose refiner was taught on an encoder that shipped before: the window says which one to choose."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from core.encoders.shipped import shipped_identities
from core.encoders.traits import title_of
from core.records import RefinerRecord, VerdictKind
from core.store.project_store import ProjectStore
from tests.gui.driving import ready, settled
from tests.gui.fakes import FakeModels


@pytest.fixture
def models() -> FakeModels:
    models = FakeModels()
    models.encoder.name = "light"
    return models


def add_refiner(app: App, folder: Path, encoder: str) -> None:
    def job(project: ProjectStore) -> None:
        record = RefinerRecord(folder, "one", encoder, "", True, VerdictKind.BETTER, {}, {}, {"iou_after": 0.9})
        project.add_refiner(record)

    app.store.run(job)


def test_it_names_the_encoder_that_the_project_was_taught_on(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    ready(qtbot, app)
    add_refiner(app, tmp_path / "one", shipped_identities()["light_1"])
    app.teaching.refresh()
    qtbot.waitUntil(lambda: title_of("light_1") in app.window.notices.sentence.text())
    assert app.session.refiner_id is None


def test_a_refiner_of_another_kind_of_encoder_is_no_news(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    ready(qtbot, app)
    add_refiner(app, tmp_path / "one", "vit_b-000000000000")
    app.teaching.refresh()
    settled(qtbot, app)
    assert "Model" not in app.window.notices.sentence.text()
