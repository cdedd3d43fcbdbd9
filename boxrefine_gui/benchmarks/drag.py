"""Latency of a drag: from a mouse event to the repaint, in the real window drawn offscreen."""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Iterator, Mapping

from PySide6.QtCore import (
    QCoreApplication,
    QEvent,
    QEventLoop,
    QObject,
    QPointF,
    Qt,
    QTimer,
)
from PySide6.QtGui import QMouseEvent

from boxrefine_gui.app import App
from boxrefine_gui.benchmarks.offscreen import hear_trouble, offscreen_window
from core.errors import BadInputError
from core.sample_project import sample_pictures
from core.settings import Settings

PICTURE = "motorcycle_left"
START, END = QPointF(0.3, 0.25), QPointF(0.7, 0.8)  # parts of the canvas
WARM_UP, MOVES = 5, 60
FIRST_MOVE = 0.1  # share of the path; the window ignores shorter drags as slips
STROKES, STROKE_MOVES, MOVE_EVERY_MS = 8, 30, 16
PATIENCE_MS = 120_000


def measure(device: str) -> Mapping[str, float]:
    """Median milliseconds from an event to the repaint with the drawn box, and to the one with its refinement.

    Uses its own project, settings and cache. Raises KnownError if the model cannot be loaded.
    """
    with offscreen_window(Settings(device=device)) as (app, folder):
        shutil.copy(next(path for path in sample_pictures() if path.stem == PICTURE), folder)
        app.open(folder)
        stopwatch = Stopwatch(app)
        stopwatch.run()
    return stopwatch.medians()


class Stopwatch(QObject):
    """Simulates drags on the canvas once the picture's features are ready, and times the repaints."""

    def __init__(self, app: App) -> None:
        super().__init__()
        self._session = app.session
        self._canvas = app.window.canvas
        self._loop = QEventLoop()
        self._error: Exception | None = None
        self._script: Iterator[None] = self._play()
        self._sent_at = 0.0
        self._seen_drawn = False
        self._waits = False
        self._drawn_s: list[float] = []
        self._refined_s: list[float] = []
        self._stroke_s: list[float] = []
        self._canvas.installEventFilter(self)
        hear_trouble(self._session, self._fail)
        self._session.features_changed.connect(self._start)

    def run(self) -> None:
        """Run until everything is timed. Raises the error that the window reports."""
        QTimer.singleShot(PATIENCE_MS, self._give_up)
        self._loop.exec()
        self._canvas.removeEventFilter(self)
        if self._error is not None:
            raise self._error

    def medians(self) -> dict[str, float]:
        """Median milliseconds by name."""
        times = {
            "event to drawn box": self._drawn_s[WARM_UP:],
            "event to refined box": self._refined_s[WARM_UP:],
            "60 events a second, last event to its refined box": self._stroke_s[1:],
        }
        return {name: 1000 * statistics.median(seconds) for name, seconds in times.items()}

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Record the time after each paint of the canvas."""
        if event.type() == QEvent.Type.Paint and self._waits:
            draft = self._session.draft
            refined = draft is not None and draft.is_current and draft.refinement is not None
            QTimer.singleShot(0, self._saw_refined if refined else self._saw_drawn)
        return False

    def _start(self) -> None:
        if self._session.features is not None and self._session.picture is not None:
            self._session.features_changed.disconnect(self._start)
            self._next()

    def _next(self) -> None:
        if next(self._script, self) is self:
            self._loop.quit()

    def _play(self) -> Iterator[None]:
        """One long drag whose every event waits for its refinement, then quick strokes."""
        self._mouse(QEvent.Type.MouseButtonPress, 0.0)
        for number in range(WARM_UP + MOVES):
            self._timed_move(FIRST_MOVE + (1 - FIRST_MOVE) * (number + 1) / (WARM_UP + MOVES))
            yield
        self._mouse(QEvent.Type.MouseButtonRelease, 1.0)
        for _ in range(STROKES + 1):
            self._mouse(QEvent.Type.MouseButtonPress, 0.0)
            for number in range(STROKE_MOVES):
                self._mouse(QEvent.Type.MouseMove, (number + 1) / (STROKE_MOVES + 1))
                QTimer.singleShot(MOVE_EVERY_MS, self._next)
                yield
            self._timed_move(1.0)
            yield
            self._stroke_s.append(self._refined_s.pop())
            self._drawn_s.pop()
            self._mouse(QEvent.Type.MouseButtonRelease, 1.0)

    def _timed_move(self, part: float) -> None:
        self._seen_drawn, self._waits, self._sent_at = False, True, time.perf_counter()
        self._mouse(QEvent.Type.MouseMove, part)

    def _saw_drawn(self) -> None:
        if self._waits and not self._seen_drawn:
            self._seen_drawn = True
            self._drawn_s.append(time.perf_counter() - self._sent_at)

    def _saw_refined(self) -> None:
        if self._waits:
            self._saw_drawn()
            self._waits = False
            self._refined_s.append(time.perf_counter() - self._sent_at)
            self._next()

    def _mouse(self, kind: QEvent.Type, part: float) -> None:
        size = self._canvas.size()
        at = START + (END - START) * part
        point = QPointF(at.x() * size.width(), at.y() * size.height())
        button = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else Qt.MouseButton.LeftButton
        held = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else Qt.MouseButton.LeftButton
        # Ctrl draws also where an earlier stroke's box is.
        modifiers = Qt.KeyboardModifier.ControlModifier
        event = QMouseEvent(kind, point, self._canvas.mapToGlobal(point), button, held, modifiers)
        QCoreApplication.sendEvent(self._canvas, event)

    def _fail(self, error: Exception) -> None:
        self._error = error
        self._loop.quit()

    def _give_up(self) -> None:
        self._fail(
            BadInputError("The window did not answer a drag within two minutes: try again on a quieter machine.")
        )
