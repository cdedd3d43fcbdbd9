"""Pictures that come into the open folder join the list by themselves, and those that go keep their boxes."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.operations import folder_watch, opening
from boxrefine_gui.operations.folder_watch import changes_in
from boxrefine_gui.panels.image_row import ROW
from core.cli import main
from core.errors import BadFileError
from core.geometry import Box
from core.progress import run
from core.records import ImageRecord
from tests.core.projects import title
from tests.gui.annotation_files import save_coco
from tests.gui.driving import accept, draw, ready, settled, stored
from tests.gui.operations.test_importing import sentence
from tests.gui.test_window import names

LONG_AGO = 1_000_000_000


def make_old(*paths: Path) -> None:
    """As if they had been written long ago."""
    for path in paths:
        os.utime(path, (LONG_AGO, LONG_AGO))


def bring(folder: Path, name: str, *, source: str = "a.png") -> Path:
    """A picture that was copied with its date."""
    path = folder / name
    shutil.copy(folder / source, path)
    make_old(path)
    return path


@pytest.fixture
def watched(qtbot: QtBot, app: App) -> App:
    """A window whose folder has been looked at once."""
    look(qtbot, app)
    return app


def look(qtbot: QtBot, app: App) -> None:
    """What the timer does, and wait for what comes of it."""
    qtbot.waitUntil(lambda: not app.session.scan)
    app.folder_watch.look()
    over(qtbot, app)


def over(qtbot: QtBot, app: App) -> None:
    qtbot.waitUntil(lambda: app.files.is_idle and app.store.is_idle and not app.session.scan)


def rescan(qtbot: QtBot, app: App) -> str:
    app.window.notices.sentence.clear()
    qtbot.keyClick(app.window, Qt.Key.Key_F5)
    over(qtbot, app)
    return sentence(app)


def test_a_new_picture_joins_the_list_by_itself(qtbot: QtBot, watched: App, pictures: Path) -> None:
    bring(pictures, "d.png")
    watched.folder_watch._timer.setInterval(1)
    qtbot.waitUntil(lambda: names(watched) == ["a.png", "b.png", "c.png", "d.png"])
    assert sentence(watched) == ""  # the list shows it, and a camera may write one a second
    assert watched.session.row == 0  # what was open stays open


def test_the_key_finds_it_at_once_and_says_so(qtbot: QtBot, watched: App, pictures: Path) -> None:
    for name in ("d10.png", "d9.png"):
        shutil.copy(pictures / "a.png", pictures / name)
    assert rescan(qtbot, watched) == "2 pictures are new in the folder, the first is d9.png."
    assert names(watched) == ["a.png", "b.png", "c.png", "d9.png", "d10.png"]
    assert rescan(qtbot, watched) == folder_watch.NOTHING_NEW


def test_a_picture_that_goes_keeps_its_boxes_and_comes_back_with_them(
    qtbot: QtBot, watched: App, pictures: Path, tmp_path: Path
) -> None:
    draw(qtbot, watched, Box(20, 30, 100, 100))
    accept(qtbot, watched)
    shutil.move(pictures / "a.png", tmp_path / "a.png")
    assert rescan(qtbot, watched) == "a.png is gone from the folder; its box is kept."
    index = watched.window.images.model().index(0, 0)
    assert index.data(ROW).is_missing
    assert "Its box is kept" in index.data(ROW).problem
    assert names(watched) == ["a.png", "b.png", "c.png"]
    assert len(stored(watched)) == 1
    assert rescan(qtbot, watched) == folder_watch.NOTHING_NEW  # it is not told twice
    shutil.move(tmp_path / "a.png", pictures / "a.png")
    rescan(qtbot, watched)
    assert index.data(ROW).problem is None
    assert len(watched.session.corrections) == 1


def test_a_picture_that_was_gone_when_it_was_opened_is_shown_when_it_is_back(
    qtbot: QtBot, watched: App, pictures: Path, tmp_path: Path
) -> None:
    shutil.move(pictures / "c.png", tmp_path / "c.png")
    rescan(qtbot, watched)
    watched.window.images.setCurrentIndex(watched.window.images.model().index(2, 0))
    qtbot.waitUntil(lambda: 3 in watched.session.problems)
    assert "is gone from the folder: put it back" in watched.session.problems[3]
    shutil.move(tmp_path / "c.png", pictures / "c.png")
    rescan(qtbot, watched)
    ready(qtbot, watched)
    assert watched.session.row == 2


def test_several_that_are_gone_are_told_in_one_sentence(qtbot: QtBot, watched: App, pictures: Path) -> None:
    draw(qtbot, watched, Box(20, 30, 100, 100))
    accept(qtbot, watched)
    (pictures / "a.png").unlink()
    (pictures / "b.png").unlink()
    bring(pictures, "d.png", source="c.png")
    assert rescan(qtbot, watched) == (
        "d.png is new in the folder; 2 pictures are gone from the folder, the first is a.png; its box is kept."
    )


def test_what_was_gone_before_the_folder_was_opened_is_marked_and_not_told(
    qtbot: QtBot, watched: App, pictures: Path
) -> None:
    (pictures / "b.png").unlink()
    watched.window.notices.sentence.clear()
    opening.open_path(watched.parts, pictures)
    qtbot.waitUntil(lambda: not watched.session.scan and watched.session.image is not None)
    look(qtbot, watched)
    assert 2 in watched.session.missing
    assert sentence(watched) == ""


def test_a_file_that_is_still_being_written_waits_its_turn(qtbot: QtBot, watched: App, pictures: Path) -> None:
    whole = (pictures / "a.png").read_bytes()
    (pictures / "d.png").write_bytes(whole[:50])
    look(qtbot, watched)
    assert len(names(watched)) == 3
    (pictures / "d.png").write_bytes(whole)
    make_old(pictures / "d.png")
    look(qtbot, watched)
    assert names(watched)[3] == "d.png"
    assert watched.session.problems == {}


def test_a_picture_that_cannot_be_read_is_tried_again_by_the_key(qtbot: QtBot, watched: App, pictures: Path) -> None:
    whole = (pictures / "a.png").read_bytes()
    (pictures / "d.png").write_bytes(b"no picture")
    for _ in range(2):
        rescan(qtbot, watched)
        assert names(watched) == ["a.png", "b.png", "c.png", "d.png"]
        assert "d.png" in watched.window.images.model().index(3, 0).data(ROW).problem
    assert watched.window.notices.sentence.text() == folder_watch.NOTHING_NEW
    (pictures / "d.png").write_bytes(whole)
    rescan(qtbot, watched)
    assert names(watched) == ["a.png", "b.png", "c.png", "d.png"]
    assert watched.window.images.model().index(3, 0).data(ROW).problem is None
    (pictures / "e.png").write_bytes(b"no picture")
    rescan(qtbot, watched)
    (pictures / "e.png").unlink()
    rescan(qtbot, watched)
    assert names(watched) == ["a.png", "b.png", "c.png", "d.png"]


def test_a_folder_that_is_gone_is_told_to_who_asks(qtbot: QtBot, watched: App, pictures: Path, tmp_path: Path) -> None:
    settled(qtbot, watched)
    pictures.rename(tmp_path / "elsewhere")
    look(qtbot, watched)
    assert sentence(watched) == ""
    assert "does not exist" in rescan(qtbot, watched)
    (tmp_path / "elsewhere").rename(pictures)
    assert rescan(qtbot, watched) == folder_watch.NOTHING_NEW


def test_in_a_project_without_a_folder_the_key_says_so(qtbot: QtBot, closed_app: App) -> None:
    closed_app.open(None)
    ready(qtbot, closed_app)
    qtbot.keyClick(closed_app.window, Qt.Key.Key_F5)
    assert sentence(closed_app) == folder_watch.NO_FOLDER
    assert not closed_app.folder_watch._timer.isActive()


def test_an_unchanged_folder_is_not_even_listed(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    make_old(tmp_path / "a.png", tmp_path)
    first = run(changes_in(tmp_path, [], known=None, is_patient=True))
    assert first is not None and first.is_settled
    assert run(changes_in(tmp_path, [], known=first.stamps, is_patient=True)) is None


def test_a_folder_that_changed_a_moment_ago_is_looked_at_again(tmp_path: Path) -> None:
    """Its date is too coarse to tell one change from the next."""
    now = time.time()
    os.utime(tmp_path, (now, now))
    found = run(changes_in(tmp_path, [], known=None, is_patient=True))
    assert found is not None and not found.is_settled


def test_pictures_of_the_project_that_lie_elsewhere_are_not_gone(tmp_path: Path) -> None:
    elsewhere = [ImageRecord(1, tmp_path.parent / "a.png", 1, 1), ImageRecord(2, tmp_path.parent / "b" / "b.png", 1, 1)]
    found = run(changes_in(tmp_path, elsewhere, known=None, is_patient=False))
    assert found is not None and found.gone == frozenset()


def test_folders_below_are_looked_at_and_a_picture_that_is_only_left_out_is_not_gone(tmp_path: Path) -> None:
    for name in ("train/a.png", ".hidden/b.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    names = ("train/gone.png", ".hidden/b.png", ".hidden/gone.png")
    records = [ImageRecord(id, tmp_path / name, 1, 1) for id, name in enumerate(names, start=1)]
    found = run(changes_in(tmp_path, records, known=None, is_patient=False))
    assert found is not None
    assert found.gone == {1, 3}
    assert found.new == (tmp_path / "train" / "a.png",)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadFileError, match="nowhere does not exist"):
        run(changes_in(tmp_path / "nowhere", [], known=None, is_patient=True))


def test_a_folder_with_a_roundabout_name_is_not_read_twice(qtbot: QtBot, closed_app: App, pictures: Path) -> None:
    closed_app.open(pictures / ".." / pictures.name)
    ready(qtbot, closed_app)
    assert rescan(qtbot, closed_app) == folder_watch.NOTHING_NEW
    assert closed_app.session.folder == pictures


def test_what_a_verb_has_imported_meanwhile_is_seen(qtbot: QtBot, watched: App, pictures: Path, tmp_path: Path) -> None:
    coarse = save_coco(tmp_path / "coarse.json", {"a.png": [Box(1, 2, 30, 40)], "b.png": [Box(1, 2, 30, 40)]})
    assert main(["import", str(pictures), "--boxes", str(coarse)]) == 0
    qtbot.waitUntil(lambda: len(watched.session.corrections) == 1, timeout=1500)
    assert list(watched.session.to_check.values()) == [1, 1]
    assert [category.name for category in watched.session.categories] == ["cup"]
    assert title(watched.session.undo_steps[0]) is None  # it is not this window's step
    watched.open(pictures)
    qtbot.waitUntil(lambda: title(watched.session.undo_steps[0]) == "Import 2 boxes from coarse.json")
