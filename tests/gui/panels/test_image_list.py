"""The image list of a large folder follows the open image, wherever that is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.operations import box_verbs
from core.geometry import Box
from tests.gui.driving import accept, draw, ready
from tests.gui.fakes import sample_like_pictures

COUNT = 1507


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of many pictures."""
    folder = sample_like_pictures(tmp_path_factory.mktemp("many"), ("0000.png",))
    for number in range(1, COUNT):
        shutil.copy(folder / "0000.png", folder / f"{number:04}.png")
    return folder


@pytest.fixture
def large(qtbot: QtBot, closed_app: App, many: Path) -> App:
    """A window on that folder, read to its end."""
    closed_app.open(many)
    qtbot.waitUntil(lambda: len(closed_app.session.images) == COUNT and not closed_app.session.scan)
    ready(qtbot, closed_app)
    return closed_app


def is_in_view(app: App, row: int) -> bool:
    view = app.window.images
    return bool(view.viewport().rect().contains(view.visualRect(view.model().index(row, 0)).center()))


def test_a_jump_to_the_end_is_followed(qtbot: QtBot, large: App) -> None:
    box_verbs.show_image(large.parts, large.session.images[-1].id)
    qtbot.waitUntil(lambda: is_in_view(large, COUNT - 1))


def test_so_is_the_end_key(qtbot: QtBot, large: App) -> None:
    large.window.images.setFocus()
    qtbot.keyClick(large.window.images, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: large.session.row == COUNT - 1 and is_in_view(large, COUNT - 1))


def test_it_stays_in_view_when_boxes_and_thumbnails_come(qtbot: QtBot, large: App) -> None:
    box_verbs.show_image(large.parts, large.session.images[COUNT - 30].id)
    ready(qtbot, large)
    draw(qtbot, large, Box(20, 30, 100, 100))
    accept(qtbot, large)
    qtbot.waitUntil(lambda: large.thumbnails.is_idle)
    qtbot.waitUntil(lambda: is_in_view(large, COUNT - 30))


def test_a_picture_that_cannot_be_read_is_shown_as_such_when_it_is_opened(
    qtbot: QtBot, closed_app: App, pictures: Path
) -> None:
    damaged = pictures / "damaged.png"
    damaged.write_bytes(b"no picture")
    closed_app.open(damaged)
    qtbot.waitUntil(lambda: closed_app.session.image is not None)
    assert closed_app.session.image is not None
    assert closed_app.session.image.path == damaged
    assert "damaged.png" in closed_app.session.problems[closed_app.session.image.id]


def test_a_picture_that_was_gone_is_shown_when_it_is_back(qtbot: QtBot, app: App) -> None:
    first, _, last = app.session.images
    away = last.path.rename(last.path.with_suffix(".away"))
    box_verbs.show_image(app.parts, last.id)
    qtbot.waitUntil(lambda: "does not exist" in app.session.problems.get(last.id, ""))
    box_verbs.show_image(app.parts, first.id)
    away.rename(last.path)
    box_verbs.show_image(app.parts, last.id)
    ready(qtbot, app)
    assert last.id not in app.session.problems
