"""The real window, drawn offscreen for a benchmark, with temporary settings, cache and projects."""

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

_PATIENCE_S = 120.0


@contextmanager
def offscreen_window(settings: Settings) -> Iterator[tuple[App, Path]]:
    """Show a window with nothing open, and make an empty folder for pictures; remove both at the end."""
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
                if not app.close():
                    # A lane may still learn. The end of the interpreter would take from it what it computes with.
                    app.wait(_PATIENCE_S)
    finally:
        sys.setswitchinterval(before)
        qInstallMessageHandler(None)
        del qt


def hear_trouble(session: Session, fail: Callable[[Exception], None]) -> None:
    """Call `fail` with each error that the window shows, because its figures are then invalid."""

    def fail_for(sentence: str, level: Level) -> None:
        if level.stays:
            fail(StorageError(sentence))

    session.problem.connect(fail)
    session.told.connect(fail_for)


@contextmanager
def own_folder(settings: Settings) -> Iterator[Path]:
    """Make an empty folder for pictures, and redirect settings and cache to temporary folders until the end."""
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
    """Write Qt's messages to stderr, except for one that the offscreen platform logs for each window."""
    if "propagateSizeHints" not in message:
        sys.stderr.write(f"{message}\n")
