"""A taught refiner has one name: the list of refiners and the status bar call it alike, and it follows what is used."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.panels.teach_panel import when
from core.records import RefinerRecord, VerdictKind
from core.store.project_store import ProjectStore
from tests.gui.fakes import FakeEncoder, FakeRefiner


def teach_two(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    """Two refiners of the project as the trainer would leave them; the second one is in use."""
    models = app.session.models
    assert models is not None

    def load(folder: Path | None) -> FakeRefiner:
        refiner = FakeRefiner()
        refiner.name = folder.name if folder is not None else "shipped"
        return refiner

    app.session.set_models(replace(models, load_refiner=load))

    def job(project: ProjectStore) -> None:
        for name, month in (("2026-03-02-223000", "03"), ("2026-04-05-101500", "04")):
            created = f"2026-{month}-02T12:30:00.000+00:00"
            figures = {"iou_before": 0.8, "iou_after": 0.85}
            kind, data = VerdictKind.BETTER, {"boxes": 50.0}
            record = RefinerRecord(
                tmp_path / name, name, FakeEncoder.identity, "", True, kind, data, {}, figures, created
            )
            project.add_refiner(record)

    app.store.run(job, on_done=lambda _: app.teaching.refresh())
    qtbot.waitUntil(lambda: app.session.models is not None and app.session.models.refiner_folder is not None)
    app.window.action_by_id["teach_panel"].trigger()


def in_use(app: App) -> str:
    """The line of the refiner in use; the list follows the store, a moment after the models."""
    shown = app.window.teach_panel.refiners
    lines = [shown.item(row).text() for row in range(shown.count())]
    return "".join(line for line in lines if line.endswith(", in use"))


def test_the_list_and_the_status_bar_call_it_alike(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    teach_two(qtbot, app, tmp_path)
    for record in reversed(app.session.refiners):
        app.teaching.use(record.id)
        qtbot.waitUntil(lambda record=record: app.session.models.refiner_folder == record.folder)  # type: ignore[misc]
        name = when(record.created)
        qtbot.waitUntil(lambda name=name: in_use(app).startswith(f"{name}, 50 boxes"))  # type: ignore[misc]
        assert app.window.status.model.text() == f"fake encoder, refiner of {name}"
        assert record.folder.name not in app.window.status.model.text()
    app.teaching.use(None)
    qtbot.waitUntil(lambda: app.session.models is not None and app.session.models.refiner_folder is None)
    qtbot.waitUntil(lambda: in_use(app).startswith("The shipped refiner"))
    assert app.window.status.model.text() == "fake encoder, shipped refiner"
