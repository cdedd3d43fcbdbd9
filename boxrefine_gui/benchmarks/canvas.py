"""How quickly the canvas of the real window paints a large picture with many boxes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from PySide6.QtCore import QEvent, QEventLoop, QObject, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from boxrefine_gui.app import App
from boxrefine_gui.benchmarks.offscreen import hear_trouble, offscreen_window
from boxrefine_gui.lanes.timers import timer
from boxrefine_gui.operations import opening
from core.errors import BadInputError
from core.settings import Settings

_POLL_MS = 5
_PATIENCE_MS = 120_000
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
        self._canvas.installEventFilter(self)
        self._loop = QEventLoop()
        self._error: Exception | None = None
        self._movements: Iterator[tuple[str, Iterator[None]]] = iter(())
        self._name, self._frames = "", self._zooms()
        self._taken: list[float] = []
        self._start: float | None = None  # of the frame that is not painted yet
        self._poll_timer = timer(_POLL_MS, self._poll, once=False)
        self._after = timer(0, self._go_on)
        self._patience = timer(_PATIENCE_MS, self._give_up)

    def run(self, path: Path) -> None:
        """Run until all is measured. Raises the error that the window reports."""
        hear_trouble(self._app.session, self._fail)
        opening.open_project(self._app.parts, path)
        self._poll_timer.start()
        self._patience.start()
        try:
            self._loop.exec()
        finally:
            for running in (self._poll_timer, self._after, self._patience):
                running.stop()
            self._canvas.removeEventFilter(self)
        if self._error is not None:
            raise self._error

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Go on as soon as the canvas has painted a frame."""
        if event.type() == QEvent.Type.Paint and self._start is not None:
            self._after.start()
        return False

    def _poll(self) -> None:
        session = self._app.session
        if session.picture is not None and session.corrections and self._app.pictures.is_idle:
            self._poll_timer.stop()
            self._movements = self._all()
            self._patience.start()
            self._begin()

    def _all(self) -> Iterator[tuple[str, Iterator[None]]]:
        """All movements, by name, each as its frames; the first frame of each only gets ready."""
        canvas = self._canvas
        for words, scale in (("the whole picture", 1.0), ("a part of it", _CLOSER)):
            canvas.fit()
            canvas.zoom(scale)
            yield f"point at {words}", self._moves(_NONE)
            yield f"pan {words}", self._moves(_MIDDLE)
            yield f"draw on {words}", self._moves(_LEFT)
        canvas.fit()
        yield "zoom", self._zooms()

    def _begin(self) -> None:
        """Begin the next movement, or end."""
        found = next(self._movements, None)
        if found is None:
            self._loop.quit()
            return
        self._name, self._frames = found
        self._taken = []
        next(self._frames)
        self._canvas.repaint()
        self._go_on()

    def _go_on(self) -> None:
        """Note the time of the last frame and make the next one, whose painting calls this again."""
        if self._start is not None:
            self._taken.append(1000 * (time.perf_counter() - self._start))
        self._start = time.perf_counter()
        if next(self._frames, self) is self:
            self._start = None
            self._note()
            self._begin()

    def _note(self) -> None:
        median = statistics.median(self._taken)
        slow = sorted(self._taken)[min(int(_SLOWEST * len(self._taken)), len(self._taken) - 1)]
        self.figures[self._name] = {
            "median ms": median,
            "ms of the slowest in 20": slow,
            "frames a second": 1000 / median,
            "frames": float(len(self._taken)),
        }

    def _give_up(self) -> None:
        self._fail(BadInputError("The canvas did not paint within two minutes: try a smaller picture."))

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
