"""The real window drawn offscreen for a benchmark, with settings, cache and projects that are not the user's."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from boxrefine_gui.app import App, build
from boxrefine_gui.lanes.process_tuning import Moment, tune
from boxrefine_gui.state.level import Level
from boxrefine_gui.state.session import Session
from core.errors import StorageError
from core.settings import Settings, save_settings, settings_path


@contextmanager
def offscreen_window(settings: Settings) -> Iterator[tuple[App, Path]]:
    """A shown window with nothing open, and an empty folder for pictures; all of it is gone at the end."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    before = sys.getswitchinterval()
    tune(Moment.WINDOW)
    qInstallMessageHandler(_without_the_platforms_own)
    qt = QApplication.instance() or QApplication(["boxrefine"])
    try:
        with own_folder(settings) as folder:
            app = build()
            try:
                app.window.resize(1280, 800)
                app.window.show()
                yield app, folder
            finally:
                app.window.close()
                app.close()
    finally:
        sys.setswitchinterval(before)
        qInstallMessageHandler(None)
        del qt


def hear_trouble(session: Session, fail: Callable[[Exception], None]) -> None:
    """Call `fail` for all that the window shows until it is closed: figures of a window in trouble mean nothing."""

    def told(sentence: str, level: Level) -> None:
        if level.stays:
            fail(StorageError(sentence))

    session.problem.connect(fail)
    session.told.connect(told)


@contextmanager
def own_folder(settings: Settings) -> Iterator[Path]:
    """An empty folder for pictures, beside settings, cache and data that are not the user's."""
    names = ("BOXREFINE_CONFIG", "BOXREFINE_CACHE")
    before = {name: os.environ.get(name) for name in names}
    with tempfile.TemporaryDirectory(prefix="boxrefine-") as name:
        folder = Path(name)
        os.environ |= {variable: str(folder / variable) for variable in names}
        save_settings(settings, settings_path())
        (folder / "pictures").mkdir()
        try:
            yield folder / "pictures"
        finally:
            for variable, value in before.items():
                if value is None:
                    del os.environ[variable]
                else:
                    os.environ[variable] = value


def _without_the_platforms_own(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    """Qt's messages go on to stderr, save one that the offscreen platform says about each window."""
    if "propagateSizeHints" not in message:
        sys.stderr.write(f"{message}\n")
