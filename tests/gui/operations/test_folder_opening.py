"""A folder is opened with all below it, the user can give that up, and a second project is not made by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.dialogs.question import Question
from boxrefine_gui.operations import folder_scan, opening
from boxrefine_gui.panels.image_row import BAND_HEIGHT, ROW, ROW_HEIGHT
from core.listing import Order, Query, Tab
from core.picture_folders import FoundPictures
from core.progress import Job
from core.store.project_store import PROJECT_FILE_NAME
from tests.gui.driving import ready
from tests.gui.fakes import sample_like_pictures
from tests.gui.operations.test_finding import write
from tests.gui.operations.test_importing import sentence
from tests.gui.panels.test_folder_watch import over
from tests.gui.panels.test_image_panel import entries, entry, opened


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


def bands(app: App) -> list[str]:
    """The headers of folders in the list, with the height that their rows have more than others."""
    model, header = app.window.images.model(), app.window.images.verticalHeader()
    rows = [(place, model.index(place, 0).data(ROW)) for place in range(model.rowCount())]
    heights = [header.sectionSize(at) for at, _ in rows]
    assert heights == [ROW_HEIGHT + BAND_HEIGHT * (row.band is not None) for _, row in rows]
    return [f"{place}: {row.band.words}" for place, row in rows if row.band is not None]


def test_the_list_shows_the_folders_as_groups(qtbot: QtBot, closed_app: App, dataset: Path) -> None:
    closed_app.open(dataset)
    ready(qtbot, closed_app)
    over(qtbot, closed_app)
    qtbot.waitUntil(lambda: bool(bands(closed_app)))
    assert bands(closed_app) == ["0: train · train/images · 2", "2: val · valid/images · 2"]
    assert closed_app.window.windowTitle().startswith("train/images/1.png")
    assert closed_app.window.images.model().index(3, 0).data(ROW).description.endswith("folder valid/images")
    for query, words in [
        (Query(order=Order.NAME), ["0: train · train/images · 2", "2: val · valid/images · 2"]),
        (Query(order=Order.BOXES), []),
        (Query(text="2"), ["0: train · train/images · 1", "1: val · valid/images · 1"]),
        (Query(split="val"), ["0: val · valid/images · 2"]),
        (Query(), ["0: train · train/images · 2", "2: val · valid/images · 2"]),
    ]:
        closed_app.finder.show(query)
        qtbot.waitUntil(lambda: closed_app.finder.is_idle)
        assert bands(closed_app) == words


def test_new_pictures_get_into_their_groups(qtbot: QtBot, closed_app: App, dataset: Path) -> None:
    closed_app.open(dataset)
    ready(qtbot, closed_app)
    sample_like_pictures(dataset / "test", ("9.png",))
    closed_app.folder_watch.rescan()
    qtbot.waitUntil(lambda: bands(closed_app)[2:] == ["4: test · 1"])


def test_images_that_are_worked_on_leave_and_join_a_list_of_one_folder(
    qtbot: QtBot, closed_app: App, dataset: Path
) -> None:
    closed_app.open(dataset)
    ready(qtbot, closed_app)
    over(qtbot, closed_app)
    closed_app.finder.show(Query(tab=Tab.DONE, folder="valid"))
    for image_id in (1, 3, 4):
        write(qtbot, closed_app, lambda project, image_id=image_id: project.mark([image_id], done=True))
    qtbot.waitUntil(lambda: closed_app.finder.is_idle and len(closed_app.session.listed) == 2)
    assert bands(closed_app) == ["0: val · valid/images · 2"]
    write(qtbot, closed_app, lambda project: project.mark([3], done=False))
    qtbot.waitUntil(lambda: bands(closed_app) == ["0: val · valid/images · 1"])


def test_the_menu_of_filters_offers_splits_and_folders(qtbot: QtBot, closed_app: App, dataset: Path) -> None:
    closed_app.open(dataset)
    ready(qtbot, closed_app)
    over(qtbot, closed_app)
    panel = closed_app.window.image_panel
    opened(qtbot, closed_app, panel.filter.choices)
    assert entries(panel.folders) == {
        "Any folder": "", "All of train": "2", "All of val": "2", "train": "2", "train/images": "2", "valid": "2",
        "valid/images": "2",
    }  # fmt: skip
    entry(panel.folders, "valid").trigger()
    qtbot.waitUntil(lambda: closed_app.finder.is_idle and len(closed_app.session.listed) == 2)
    assert panel.filter.text() == "valid"
    opened(qtbot, closed_app, panel.filter.choices)
    assert entry(panel.folders, "valid").isChecked()
    entry(panel.folders, "Any folder").trigger()
    qtbot.waitUntil(lambda: closed_app.session.listed.is_whole)


def test_a_project_that_knows_its_pictures_does_not_wait_for_the_listing_of_its_folder(
    qtbot: QtBot, closed_app: App, dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed_app.open(dataset)
    ready(qtbot, closed_app)
    over(qtbot, closed_app)
    closed_app.open(dataset / "train" / "images")
    qtbot.mouseClick(question(qtbot, closed_app).other_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: closed_app.session.folder == dataset / "train" / "images")
    over(qtbot, closed_app)
    asked: list[Path] = []

    def unlisted(folder: Path) -> Job[FoundPictures]:
        asked.append(folder)
        raise AssertionError("a folder is listed")
        yield

    monkeypatch.setattr("core.picture_folders.find_pictures", unlisted)
    closed_app.folder_watch.stop()
    monkeypatch.setattr(closed_app.folder_watch._timer, "start", lambda: None)
    closed_app.open(dataset)
    qtbot.waitUntil(lambda: closed_app.session.folder == dataset and closed_app.session.picture is not None)
    assert len(listed(closed_app)) == 4 and closed_app.session.scan is None
    assert asked == []


def test_what_is_new_in_the_folder_of_a_project_is_found_after_it_is_shown(
    qtbot: QtBot, closed_app: App, dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("boxrefine_gui.operations.folder_watch.SETTLED_S", 0.0)
    closed_app.open(dataset / "train")
    ready(qtbot, closed_app)
    over(qtbot, closed_app)
    closed_app.open(dataset / "valid")
    qtbot.waitUntil(lambda: closed_app.session.folder == dataset / "valid")
    over(qtbot, closed_app)
    sample_like_pictures(dataset / "train" / "more", ("3.png",))
    (dataset / "train" / "4.psd").write_bytes(b"8BPS")
    told: list[str] = []
    closed_app.session.told.connect(lambda text, level: told.append(text))
    closed_app.open(dataset / "train")
    qtbot.waitUntil(lambda: closed_app.session.folder == dataset / "train")
    assert len(closed_app.session.images) == 2
    qtbot.waitUntil(lambda: len(closed_app.session.images) == 3)
    assert [text for text in told if "PSD" in text.upper()] == told and len(told) == 1


def test_a_new_picture_of_a_project_is_shown_at_once(qtbot: QtBot, closed_app: App, dataset: Path) -> None:
    closed_app.open(dataset)
    ready(qtbot, closed_app)
    over(qtbot, closed_app)
    sample_like_pictures(dataset / "new", ("5.png",))
    opening.open_path(closed_app.parts, dataset / "new" / "5.png")
    qtbot.mouseClick(question(qtbot, closed_app).yes_button, Qt.MouseButton.LeftButton)
    wanted = dataset / "new" / "5.png"
    qtbot.waitUntil(lambda: closed_app.session.image is not None and closed_app.session.image.path == wanted)
    assert closed_app.session.folder == dataset
