"""A whole window on small pictures with the fake model, closed in order after each test."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App, build
from boxrefine_gui.lanes.lane import GuiThread
from tests.gui.driving import ScriptedAsk, ready
from tests.gui.fakes import FakeModels, sample_like_pictures


@pytest.fixture(autouse=True)
def collected_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Python's collector see only what the test makes, and all of that.

    It would visit half a million objects of torch and Qt after each window otherwise. The window's own `gc.freeze`,
    once its models are there, would hide half of the window itself.
    """
    gc.collect()
    gc.freeze()
    monkeypatch.setattr(gc, "freeze", lambda: None)


@pytest.fixture
def models() -> FakeModels:
    return FakeModels()


@pytest.fixture
def ask() -> ScriptedAsk:
    return ScriptedAsk()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of three pictures of 200 x 150 pixels."""
    return sample_like_pictures(tmp_path / "pictures")


@pytest.fixture
def closed_app(qtbot: QtBot, models: FakeModels, ask: ScriptedAsk) -> Iterator[App]:
    """A window with nothing open."""
    app = build(load_models=models, ask=ask)
    app.window.show()
    qtbot.waitExposed(app.window)
    yield app
    models.open_all()
    end(app)


@pytest.fixture
def app(qtbot: QtBot, closed_app: App, pictures: Path) -> App:
    """A window on `pictures`, its first image shown and its features there."""
    closed_app.open(pictures)
    ready(qtbot, closed_app)
    return closed_app


@pytest.fixture
def gui(qapp: QApplication) -> Iterator[GuiThread]:
    """The door back to the GUI thread, for tests of lanes alone."""
    gui = GuiThread()
    yield gui
    gui.close()


def end(app: App) -> None:
    """Close a window as the user does, and leave nothing behind: no lane, no timer, no top-level window."""
    app.window.close()
    assert app.close()
    for window in QApplication.topLevelWidgets():
        window.close()
    app.window.deleteLater()
    QApplication.sendPostedEvents()
    QApplication.sendPostedEvents(None, 52)  # DeferredDelete, which only an event loop would run
    _delete_what_is_left()
    gc.collect()


def _delete_what_is_left() -> None:
    """Delete the timers and models of closed windows: Qt holds the functions that are connected to them.

    Python's collector does not see these, so each timer would keep its whole window, of 13 MB, to the end of the run.
    """
    for each in gc.get_objects():
        kind = type(each)  # not isinstance, which asks proxies of modules for their class
        ours = issubclass(kind, QTimer) or (issubclass(kind, QObject) and kind.__module__.startswith("boxrefine_gui."))
        if ours and shiboken6.isValid(each) and each.parent() is None:
            shiboken6.delete(each)
