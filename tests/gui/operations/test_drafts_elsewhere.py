"""Drawn boxes where another project is opened, or another window works on the same one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from core.geometry import Box
from core.store.project_store import ProjectStore
from tests.gui.driving import accept, close_to, drag, draw, ready, settled, stored
from tests.gui.fakes import FakeModels, sample_like_pictures
from tests.gui.operations.test_drafts import FIRST, kept


def test_a_box_stays_in_its_project_when_another_one_is_opened(
    qtbot: QtBot, app: App, pictures: Path, tmp_path: Path
) -> None:
    draw(qtbot, app, FIRST)
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_Right)
    first = app.session.project_path
    assert first is not None
    app.open(sample_like_pictures(tmp_path / "other"))
    qtbot.waitUntil(lambda: app.session.project_path != first)
    ready(qtbot, app)
    assert app.session.drawn_count == 0 and kept(qtbot, app) == []
    app.open(pictures)
    qtbot.waitUntil(lambda: app.session.draft is not None)
    ready(qtbot, app)
    (box,) = kept(qtbot, app)
    assert close_to(box.correction.accepted, Box(23, 32, 99, 108))


def test_a_box_that_waits_for_its_refinement_is_stored_in_its_own_project(
    qtbot: QtBot, closed_app: App, models: FakeModels, pictures: Path, tmp_path: Path
) -> None:
    models.encoder.gate.clear()
    session = closed_app.session
    closed_app.open(pictures)
    qtbot.waitUntil(lambda: session.picture is not None and session.models is not None)
    drag(closed_app.window.canvas, [(20, 30), (70, 70), (100, 110)])
    qtbot.keyClick(closed_app.window.canvas, Qt.Key.Key_Return)
    assert len(session.waiting) == 1
    closed_app.open(sample_like_pictures(tmp_path / "other"))
    qtbot.waitUntil(lambda: session.folder is not None and session.folder.name == "other")
    models.encoder.gate.set()
    ready(qtbot, closed_app)
    assert stored(closed_app) == [] and session.waiting == () and session.drawn_count == 0
    closed_app.open(pictures)
    qtbot.waitUntil(lambda: session.folder == pictures)
    ready(qtbot, closed_app)
    assert [close_to(entry.accepted, FIRST) for entry in stored(closed_app)] == [True]


def test_a_box_that_another_window_has_accepted_is_not_accepted_again(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, FIRST)
    (box,) = kept(qtbot, app)
    assert app.session.project_path is not None
    elsewhere = ProjectStore.open(app.session.project_path)
    elsewhere.add_category("cup")
    elsewhere.accept(replace(box.correction, category_id=1, confirmed=True), box.key)
    accept(qtbot, app)
    elsewhere.close()
    assert len(stored(app)) == 1 and app.session.draft is None and app.session.drawn_count == 0
    assert "in another window" in app.window.notices.sentence.text()


def test_a_box_that_another_window_has_discarded_goes_when_the_picture_is_read_again(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, FIRST)
    (box,) = kept(qtbot, app)
    assert app.session.project_path is not None
    elsewhere = ProjectStore.open(app.session.project_path)
    elsewhere.discard_drawn(box.key)
    elsewhere.close()
    app.store.look_at(1, on_done=app.session.apply)
    settled(qtbot, app)
    assert app.session.draft is None and app.session.drawn_count == 0
