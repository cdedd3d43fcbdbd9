"""No picture keeps its folder closed: those that can be read are shown, the others are named in the list."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import cv2
import pytest
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.inference.image_loader import decode
from boxrefine_gui.operations import folder_scan
from core.errors import BadFileError, BadInputError
from core.records import Changes, NewImage
from core.store.project_store import ProjectStore
from tests.core.hostile_pictures import write_all
from tests.gui.driving import ready
from tests.gui.panels.test_folder_watch import over


def stored_names(app: App) -> set[str]:
    return {record.path.name for record in app.session.images if record.id > 0}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_hostile_pictures_are_named_and_the_others_shown(qtbot: QtBot, closed_app: App, pictures: Path) -> None:
    hostile = {path.name for path in write_all(pictures)}
    os.mkfifo(pictures / "pipe.jpg")
    closed_app.open(pictures)
    ready(qtbot, closed_app)
    over(qtbot, closed_app)
    assert stored_names(closed_app) >= {"a.png", "b.png", "c.png"}
    assert {record.path.name for record in closed_app.session.images} == hostile | {"a.png", "b.png", "c.png"}
    for record in closed_app.session.images:
        if record.path.name not in ("a.png", "b.png", "c.png"):
            closed_app.session.set_image(record)
            qtbot.waitUntil(lambda name=record.id: name in closed_app.session.problems)


def test_the_folder_is_read_on_after_a_chunk_that_fails(
    qtbot: QtBot, closed_app: App, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure = folder_scan._measure

    def fails_once(paths: list[Path]) -> object:
        if paths[0].name == "a.png":
            raise RuntimeError("a fault")
        return measure(paths)

    monkeypatch.setattr(folder_scan, "_FIRST_CHUNK", 1)
    monkeypatch.setattr(folder_scan, "_measure", fails_once)
    told: list[Exception] = []
    closed_app.session.problem.connect(told.append)
    closed_app.open(pictures)
    ready(qtbot, closed_app)
    over(qtbot, closed_app)
    assert stored_names(closed_app) == {"b.png", "c.png"}
    assert [str(error) for error in told] == ["a fault"]
    assert any("a.png" in sentence for sentence in closed_app.session.problems.values())


def test_one_picture_that_the_project_refuses_keeps_no_other_out(
    qtbot: QtBot, closed_app: App, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = ProjectStore.add_images

    def refuses_one(self: ProjectStore, images: list[NewImage]) -> Changes:
        if any(image.path.name == "b.png" for image in images):
            raise BadInputError("No b.")
        return add(self, images)

    monkeypatch.setattr(ProjectStore, "add_images", refuses_one)
    closed_app.open(pictures)
    ready(qtbot, closed_app)
    over(qtbot, closed_app)
    assert stored_names(closed_app) == {"a.png", "c.png"}
    assert [record.path.name for record in closed_app.session.images if record.id < 0] == ["b.png"]


@pytest.mark.parametrize("error", [MemoryError(), OverflowError("x"), cv2.error("x")])
def test_a_picture_that_qt_has_no_room_for_is_told(
    pictures: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails(_: object) -> None:
        raise error

    monkeypatch.setattr("boxrefine_gui.inference.image_loader.as_qimage", fails)
    with pytest.raises(BadFileError, match=r"a\.png cannot be shown"):
        decode(1, pictures / "a.png")
