"""The size of an image that the project has wrong is corrected when the picture is opened, and said."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.state.level import Level
from core.geometry import Box
from core.records import NewImage
from core.store.project_store import ProjectStore, project_path_for
from tests.core.projects import CORRECTION
from tests.gui.driving import accept, draw, ready, stored

BOX = Box(10, 20, 140, 190)
"""In a picture of 150 x 200 pixels, as an earlier version took it for one."""


@pytest.fixture
def wrong(pictures: Path) -> Path:
    """The project of an earlier version that took a picture of 200 x 150 for 150 x 200, with a box."""
    path = project_path_for(pictures)
    project = ProjectStore.create(path)
    project.add_images([NewImage(pictures / "a.png", 150, 200), NewImage(pictures / "b.png", 200, 150)])
    project.add_category("ship")
    project.accept(replace(CORRECTION, drawn=BOX, accepted=BOX, refined=BOX))
    project.close()
    return path


@pytest.fixture
def said(closed_app: App) -> Iterator[list[tuple[str, Level]]]:
    found: list[tuple[str, Level]] = []

    def note(sentence: str, level: Level) -> None:
        found.append((sentence, level))

    closed_app.session.told.connect(note)
    yield found
    closed_app.session.told.disconnect(note)


def sizes(path: Path) -> list[tuple[int, int]]:
    project = ProjectStore.open(path)
    try:
        return [(image.width, image.height) for image in project.images()]
    finally:
        project.close()


def test_it_is_corrected_and_boxes_keep_their_pixels(
    qtbot: QtBot, closed_app: App, wrong: Path, said: list[tuple[str, Level]]
) -> None:
    app = closed_app
    app.open(wrong)
    ready(qtbot, app)
    assert [entry for entry in said if "pixels" in entry[0]] == [
        (
            "a.png has 200 x 150 pixels, and the project had 150 x 200: it has the right size now. The boxes on it "
            "keep their pixels: look at them.",
            Level.WARNING,
        )
    ]
    assert app.session.image is not None and (app.session.image.width, app.session.image.height) == (200, 150)
    assert app.session.image is app.session.images[0]
    assert sizes(wrong) == [(200, 150), (200, 150)]
    assert [correction.accepted for correction in app.session.corrections] == [BOX]
    draw(qtbot, app, Box(160, 20, 195, 100))  # beyond the width that it had
    accept(qtbot, app)
    assert stored(app)[1].accepted.x2 > 150


def test_a_right_size_is_no_news(qtbot: QtBot, app: App, said: list[tuple[str, Level]]) -> None:
    assert app.session.image is not None and not [entry for entry in said if "pixels" in entry[0]]


def test_a_project_that_is_read_only_stays_and_the_window_has_the_size(
    qtbot: QtBot, closed_app: App, wrong: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.store.project_file.os.access", lambda path, mode: mode != os.W_OK)
    problems: list[Exception] = []
    closed_app.session.problem.connect(problems.append)
    closed_app.open(wrong)
    ready(qtbot, closed_app)
    assert closed_app.session.image is not None and closed_app.session.image.width == 200
    assert not problems
    monkeypatch.undo()
    assert sizes(wrong) == [(150, 200), (200, 150)]


def test_pictures_that_are_left_out_are_said(
    qtbot: QtBot, closed_app: App, pictures: Path, said: list[tuple[str, Level]]
) -> None:
    for name in ("d.heic", "e.heic", "f.jxl"):
        (pictures / name).write_bytes(b"")
    closed_app.open(pictures)
    ready(qtbot, closed_app)
    sentence = "3 pictures of kinds that BoxRefine does not read (HEIC, JXL) are left out: convert them to JPEG or PNG."
    assert (sentence, Level.WARNING) in said


def test_a_folder_of_nothing_else_says_so(qtbot: QtBot, closed_app: App, tmp_path: Path) -> None:
    (tmp_path / "a.heic").write_bytes(b"")
    problems: list[Exception] = []
    closed_app.session.problem.connect(problems.append)
    closed_app.open(tmp_path)
    qtbot.waitUntil(lambda: bool(problems))
    assert "holds no pictures" in str(problems[0]) and "(HEIC) is left out" in str(problems[0])


def test_without_boxes_there_is_nothing_to_look_at(
    qtbot: QtBot, closed_app: App, wrong: Path, said: list[tuple[str, Level]]
) -> None:
    project = ProjectStore.open(wrong)
    project.correct_size(2, 150, 200)
    project.close()
    closed_app.open(wrong)
    ready(qtbot, closed_app)
    said.clear()
    qtbot.keyClick(closed_app.window.canvas, Qt.Key.Key_D)
    ready(qtbot, closed_app)
    expected = "b.png has 200 x 150 pixels, and the project had 150 x 200: it has the right size now."
    assert said == [(expected, Level.INFO)]
    assert sizes(wrong) == [(200, 150), (200, 150)]
