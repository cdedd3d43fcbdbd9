"""Undo and redo show what they changed, unless that was on many images: then the hand stays where it is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.state import project_view
from core.geometry import Box
from core.records import Correction
from core.store.project_store import ProjectStore
from tests.gui.driving import ready, settled

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def accept_on(qtbot: QtBot, app: App, *image_ids: int) -> None:
    """One operation that puts a box on each of these images."""
    corrections = [Correction(image_id, 1, Box(10, 10, 50, 60), Box(11, 11, 49, 59)) for image_id in image_ids]

    def job(project: ProjectStore) -> object:
        project.add_category("cup")
        return replace(project.accept_all(corrections)[1], categories=True)

    app.store.write(job, on_done=app.session.apply)  # type: ignore[arg-type]
    settled(qtbot, app)


def press(qtbot: QtBot, app: App, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    qtbot.keyClick(app.window.canvas, key, modifiers)
    settled(qtbot, app)


def shown(app: App) -> tuple[str, int]:
    """The picture in view, and how many boxes it has."""
    assert app.session.image is not None
    return app.session.image.path.name, len(app.session.corrections)


@pytest.mark.parametrize("many", [1, 64])  # in the store's view, or only counted there
@pytest.mark.parametrize("steps", [0, 1, 2])
def test_after_an_undo_on_many_images_the_shown_one_stays(
    qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch, many: int, steps: int
) -> None:
    monkeypatch.setattr(project_view, "MANY_IMAGES", many)
    accept_on(qtbot, app, 2, 3)
    for _ in range(steps):
        press(qtbot, app, Qt.Key.Key_D)
    ready(qtbot, app)
    name, touched = "abc"[steps] + ".png", int(steps > 0)
    assert shown(app) == (name, touched)
    press(qtbot, app, Qt.Key.Key_Z, CTRL)
    assert shown(app) == (name, 0)
    press(qtbot, app, Qt.Key.Key_Z, CTRL | SHIFT)
    assert shown(app) == (name, touched)


def test_after_an_undo_on_one_image_that_one_is_shown(qtbot: QtBot, app: App) -> None:
    accept_on(qtbot, app, 2)
    press(qtbot, app, Qt.Key.Key_Z, CTRL)
    assert shown(app) == ("b.png", 0)
    ready(qtbot, app)
