"""How quickly the canvas of the real window paints a large picture with many boxes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from PySide6.QtCore import QEvent, QEventLoop, QObject, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from boxrefine_gui.app import App
from boxrefine_gui.benchmarks.offscreen import hear_trouble, offscreen_window
from boxrefine_gui.operations import opening
from core.errors import BadInputError
from core.settings import Settings

_POLL_MS = 5
_PATIENCE_S = 120.0
_CLOSER = 8.0
_SLOWEST = 0.95
_NONE, _LEFT, _MIDDLE = Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton


def measure(*, make: Callable[[Path], None], times: int) -> Mapping[str, Mapping[str, float]]:
    """Milliseconds a frame and frames a second, by movement of the mouse; `make` writes the project."""
    with offscreen_window(Settings(encode_folder=False)) as (app, folder):
        path = folder / "large.sqlite"
        make(path)
        round_ = Round(app, times)
        round_.run(path)
        return round_.figures


class Round(QObject):
    """Makes one movement after the other once the picture is shown and nothing else runs."""

    def __init__(self, app: App, times: int) -> None:
        super().__init__()
        self.figures: dict[str, dict[str, float]] = {}
        self._app, self._times, self._canvas = app, times, app.window.canvas
        self._painted = 0
        self._canvas.installEventFilter(self)
        self._loop = QEventLoop()
        self._error: Exception | None = None
        self._since = time.perf_counter()
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self._poll)

    def run(self, path: Path) -> None:
        """Run until all is measured. Raises the error that the window reports."""
        hear_trouble(self._app.session, self._fail)
        opening.open_project(self._app.parts, path)
        self._timer.start()
        try:
            self._loop.exec()
        finally:
            self._timer.stop()
        if self._error is not None:
            raise self._error

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Count how often the canvas is painted."""
        self._painted += event.type() == QEvent.Type.Paint
        return False

    def _poll(self) -> None:
        session = self._app.session
        if session.picture is not None and session.corrections and self._app.pictures.is_idle:
            self._timer.stop()
            self._measure_all()
            self._loop.quit()
        elif time.perf_counter() - self._since > _PATIENCE_S:
            self._fail(BadInputError("The picture was not shown within two minutes: try a smaller one."))

    def _measure_all(self) -> None:
        canvas = self._canvas
        for words, scale in (("the whole picture", 1.0), ("a part of it", _CLOSER)):
            canvas.fit()
            canvas.zoom(scale)
            self._measure(f"point at {words}", self._moves(_NONE))
            self._measure(f"pan {words}", self._moves(_MIDDLE))
            self._measure(f"draw on {words}", self._moves(_LEFT))
            canvas.cancel_drag()
        canvas.fit()
        self._measure("zoom", self._zooms())

    def _measure(self, name: str, frames: Iterator[None]) -> None:
        next(frames)
        self._canvas.repaint()
        self._painted, taken = 0, []
        while True:
            start = time.perf_counter()
            if next(frames, self) is self:
                break
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)  # it paints what is due
            taken.append(1000 * (time.perf_counter() - start))
        median = statistics.median(taken)
        slow = sorted(taken)[min(int(_SLOWEST * len(taken)), len(taken) - 1)]
        self.figures[name] = {
            "median ms": median,
            "ms of the slowest in 20": slow,
            "frames a second": 1000 / median,
            "paintings a frame": self._painted / len(taken),
        }

    def _moves(self, held: Qt.MouseButton) -> Iterator[None]:
        """Move the mouse along a diagonal; the first step presses a button, if one is held."""
        start = QPointF(self._canvas.width() / 4, self._canvas.height() / 4)
        if held is not _NONE:
            self._send(QEvent.Type.MouseButtonPress, start, held, held)
        yield
        for step in range(1, self._times + 1):
            way = step % 40 + 10
            self._send(QEvent.Type.MouseMove, start + QPointF(8 * way, 5 * way), _NONE, held)
            yield
        if held is not _NONE:
            self._canvas.cancel_drag()
            self._send(QEvent.Type.MouseButtonRelease, start, held, _NONE)

    def _zooms(self) -> Iterator[None]:
        at = QPointF(self._canvas.width() / 3, self._canvas.height() / 3)
        yield
        for step in range(self._times):
            self._canvas.zoom(1.1 if step % 40 < 20 else 1 / 1.1, at)
            yield

    def _send(self, kind: QEvent.Type, at: QPointF, button: Qt.MouseButton, held: Qt.MouseButton) -> None:
        modifiers = Qt.KeyboardModifier.NoModifier
        event = QMouseEvent(kind, at, self._canvas.mapToGlobal(at), button, held, modifiers)
        QApplication.sendEvent(self._canvas, event)

    def _fail(self, error: Exception) -> None:
        self._error = self._error or error
        self._loop.quit()
