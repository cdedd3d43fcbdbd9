"""A folder is opened with all below it, the user can give that up, and a second project is not made by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.dialogs.question import Question
from boxrefine_gui.operations import folder_scan, opening
from core.store.project_store import PROJECT_FILE_NAME
from tests.gui.driving import ready
from tests.gui.fakes import sample_like_pictures
from tests.gui.operations.test_importing import sentence
from tests.gui.panels.test_folder_watch import over


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Two splits of two pictures each, of the same names."""
    for split in ("train", "valid"):
        sample_like_pictures(tmp_path / "set" / split / "images", ("1.png", "2.png"))
    return tmp_path / "set"


def listed(app: App) -> list[str]:
    folder = app.session.folder
    assert folder is not None
    return [record.path.relative_to(folder).as_posix() for record in app.session.images]


def question(qtbot: QtBot, app: App) -> Question:
    qtbot.waitUntil(lambda: app.window.findChild(Question) is not None)
    box = app.window.findChild(Question)
    assert box is not None
    return box


def test_a_folder_comes_with_all_below_it(qtbot: QtBot, closed_app: App, dataset: Path) -> None:
    closed_app.open(dataset)
    ready(qtbot, closed_app)
    over(qtbot, closed_app)
    assert listed(closed_app) == [
        "train/images/1.png",
        "train/images/2.png",
        "valid/images/1.png",
        "valid/images/2.png",
    ]
    assert closed_app.session.project_path == dataset / PROJECT_FILE_NAME
    assert not list((dataset / "train").rglob("*.sqlite"))


def test_opening_can_be_cancelled_while_the_folder_is_listed(
    qtbot: QtBot, app: App, dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.window.jobs._scan_timer, "start", app.window.jobs._show_scan)
    opening.open_path(app.parts, dataset)
    (row,) = app.window.jobs.rows
    qtbot.mouseClick(row.cancel_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: app.session.scan is None)
    assert sentence(app) == "The folder set was not opened."
    assert app.session.folder is not None and app.session.folder.name == "pictures"
    assert app.window.jobs.rows == []


def test_a_later_request_ends_an_earlier_one(qtbot: QtBot, app: App, dataset: Path) -> None:
    opening.open_path(app.parts, dataset / "train")
    opening.open_path(app.parts, dataset / "valid")
    qtbot.waitUntil(lambda: app.session.folder == dataset / "valid")
    over(qtbot, app)
    assert not (dataset / "train" / PROJECT_FILE_NAME).exists()


def test_reading_that_was_stopped_goes_on_by_key_only(
    qtbot: QtBot, closed_app: App, dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_scan, "_FIRST_CHUNK", 1)
    session, jobs = closed_app.session, closed_app.window.jobs
    stop = session.changed.connect(lambda _: jobs.cancel() if len(session.images) == 1 else None)
    closed_app.open(dataset)
    qtbot.waitUntil(lambda: "not added. F5" in sentence(closed_app))
    over(qtbot, closed_app)
    session.changed.disconnect(stop)
    closed_app.folder_watch.look()
    over(qtbot, closed_app)
    assert len(session.images) == 1 and "3 pictures were" in sentence(closed_app)
    closed_app.folder_watch.rescan()
    qtbot.waitUntil(lambda: len(session.images) == 4)
    over(qtbot, closed_app)


def test_the_project_of_a_folder_above_is_offered(qtbot: QtBot, closed_app: App, dataset: Path) -> None:
    closed_app.open(dataset)
    ready(qtbot, closed_app)
    opening.open_path(closed_app.parts, dataset / "valid")
    box = question(qtbot, closed_app)
    assert str(dataset / "valid") in box.text() and str(dataset) in box.text()
    qtbot.mouseClick(box.no_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: closed_app.window.findChild(Question) is None)
    assert closed_app.session.folder == dataset and closed_app.session.scan is None
    assert not (dataset / "valid" / PROJECT_FILE_NAME).exists()
    opening.open_path(closed_app.parts, dataset / "valid" / "images" / "2.png")
    qtbot.mouseClick(question(qtbot, closed_app).yes_button, Qt.MouseButton.LeftButton)
    wanted = dataset / "valid" / "images" / "2.png"
    qtbot.waitUntil(lambda: closed_app.session.image is not None and closed_app.session.image.path == wanted)
    assert closed_app.session.folder == dataset


def test_the_project_of_a_folder_below_is_offered_and_a_new_one_made_on_request(
    qtbot: QtBot, closed_app: App, dataset: Path
) -> None:
    closed_app.open(dataset / "train")
    ready(qtbot, closed_app)
    opening.open_path(closed_app.parts, dataset)
    box = question(qtbot, closed_app)
    assert "train in it has one" in box.text()
    qtbot.mouseClick(box.other_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: closed_app.session.folder == dataset)
    over(qtbot, closed_app)
    assert len(listed(closed_app)) == 4
    opening.open_path(closed_app.parts, dataset)  # it has its own now
    qtbot.waitUntil(lambda: closed_app.session.scan is None)
    over(qtbot, closed_app)
    assert closed_app.window.findChild(Question) is None
