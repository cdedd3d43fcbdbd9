"""Windows for stories: those of this process with the fake model, and a desktop with pictures for real ones."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App, build
from core.sample_project import pictures_folder
from tests.gui.conftest import end
from tests.gui.driving import ScriptedAsk, ready
from tests.gui.fakes import FakeModels
from tests.journeys.desktop import Desktop, desktop


class Windows:
    """Opens windows and quits them; those still open at the end of a test are quit then."""

    def __init__(self, qtbot: QtBot) -> None:
        self._qtbot = qtbot
        self.ask = ScriptedAsk()  # of all windows
        self._open: list[App] = []

    def open(self, folder: Path) -> App:
        """A window on a folder, ready to refine."""
        app = build(load_models=FakeModels(), ask=self.ask)
        self._open.append(app)
        app.window.show()
        app.open(folder)
        ready(self._qtbot, app)
        return app

    def quit(self, app: App) -> None:
        """Quit as the user does."""
        self._open.remove(app)
        end(app)

    def quit_all(self) -> None:
        """Leave nothing behind."""
        while self._open:
            self.quit(self._open[-1])


@pytest.fixture
def windows(qtbot: QtBot) -> Iterator[Windows]:
    windows = Windows(qtbot)
    yield windows
    windows.quit_all()


@pytest.fixture
def screen() -> Iterator[Desktop]:
    with desktop() as screen:
        yield screen


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two real pictures in a folder with a space and an umlaut in its name."""
    folder = tmp_path / "meine Bilder ü"
    folder.mkdir()
    for name in ("astronaut.png", "coffee.png"):
        shutil.copy(pictures_folder() / name, folder / name)
    return folder
