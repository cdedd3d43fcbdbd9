"""A scripted hand: real mouse and key events on the window, at a human pace, with a count of each kind."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import GeneratorType

from PySide6.QtCore import QCoreApplication, QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from boxrefine_gui.canvas.canvas import Canvas

LOOK_S, KEY_S, CLICK_S, WHEEL_S = 0.5, 0.25, 0.5, 0.5
REACH_S, DRAG_S = 0.4, 0.5
"""Seconds that a person takes to look, to press a key, to point and click, to zoom; to reach a corner, and to drag."""

_MOVE_S = 1 / 60
_NOTCH = 120

Condition = Callable[[], bool]
Step = float | Condition
"""A pause of the person in seconds, or what the person waits for."""


@dataclass
class Counts:
    """What the hand has done; `travel` is the way of the pointer in screen pixels, `person_s` the person's own time."""

    drags: int = 0
    clicks: int = 0
    keys: int = 0
    wheels: int = 0
    travel: float = 0.0
    person_s: float = 0.0

    @property
    def actions(self) -> int:
        return self.drags + self.clicks + self.keys + self.wheels


class Hand:
    """Each method is a generator of steps; `Watch` waits for each of them."""

    def __init__(self, canvas: Canvas, *, pace: float) -> None:
        """`pace`: how many times as fast as a person."""
        self.counts = Counts()
        self._canvas = canvas
        self._pace = pace
        self._at = QPointF(canvas.width() / 2, canvas.height() / 2)  # in the window

    def look(self) -> Iterator[Step]:
        """Look at what is shown."""
        yield self._pause(LOOK_S)

    def press(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> Iterator[Step]:
        """Press a key on the canvas."""
        yield self._pause(KEY_S)
        self.counts.keys += 1
        QTest.keyClick(self._canvas, key, modifiers)

    def click(
        self, widget: QWidget, at: QPointF, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
    ) -> Iterator[Step]:
        """Click a point of a widget."""
        self._go(widget, at)
        yield self._pause(CLICK_S)
        self.counts.clicks += 1
        for kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease):
            _mouse(widget, kind, at, modifiers)

    def zoom(self, at: QPointF, notches: int) -> Iterator[Step]:
        """Turn the wheel at a point of the canvas."""
        self._go(self._canvas, at)
        yield self._pause(WHEEL_S)
        self.counts.wheels += 1
        for _ in range(notches):
            _wheel(self._canvas, at)

    def drag(self, path: Callable[[], tuple[QPointF, QPointF]], *, draws: bool, plain: bool = False) -> Iterator[Step]:
        """Drag from a point of the canvas to another one, with 60 events a second.

        `path` gives both points; it is asked again just before the press, because a later look may have moved a box. To
        draw where the press would move a box instead, the hand holds Ctrl; `plain`: it holds Alt.
        """
        self._go(self._canvas, path()[0])
        yield self._pause(REACH_S)
        self.counts.drags += 1
        start, end = path()
        grabs = self._canvas.tools.edit.grip_at(start, self._canvas.view, by_inside=False) is not None
        modifiers = Qt.KeyboardModifier.ControlModifier if draws and grabs else Qt.KeyboardModifier.NoModifier
        modifiers = Qt.KeyboardModifier.AltModifier if plain else modifiers
        _mouse(self._canvas, QEvent.Type.MouseButtonPress, start, modifiers)
        moves = max(2, round(DRAG_S / _MOVE_S))
        for number in range(1, moves + 1):
            yield self._pause(DRAG_S / moves)
            _mouse(self._canvas, QEvent.Type.MouseMove, start + (end - start) * (number / moves), modifiers)
        self._go(self._canvas, end)
        _mouse(self._canvas, QEvent.Type.MouseButtonRelease, end, modifiers)

    def _pause(self, seconds: float) -> float:
        self.counts.person_s += seconds / self._pace
        return seconds / self._pace

    def _go(self, widget: QWidget, at: QPointF) -> None:
        there = widget.mapToGlobal(at)
        way = there - self._at
        self.counts.travel += math.hypot(way.x(), way.y())
        self._at = there


class Watch:
    """Runs steps in the background of an event loop, and counts the seconds of waiting for the machine."""

    def __init__(self, steps: Iterator[Step], *, patience_s: float) -> None:
        self.waited_s = 0.0
        self._steps = steps
        self._patience_s = patience_s
        self._until = 0.0
        self._condition: Condition | None = None
        self._since = time.perf_counter()

    def poll(self) -> bool:
        """Go on as far as possible; False at the end. Raises TimeoutError if the machine does not answer."""
        while True:
            now = time.perf_counter()
            if now < self._until:
                return True
            if self._condition is not None:
                if not self._condition():
                    if now - self._since > self._patience_s:
                        raise TimeoutError(_place_in(self._steps))
                    return True
                self.waited_s += now - self._since
                self._condition = None
            step = next(self._steps, None)
            if step is None:
                return False
            self._since = time.perf_counter()
            if callable(step):
                self._condition = step
            else:
                self._until = self._since + step


def _place_in(steps: Iterator[Step]) -> str:
    """The functions and lines in which nested generators wait, the outermost first."""
    places: list[str] = []
    inner: object = steps
    while isinstance(inner, GeneratorType):
        if inner.gi_frame is not None:
            places.append(f"{inner.gi_code.co_name}:{inner.gi_frame.f_lineno}")
        inner = inner.gi_yieldfrom
    return " ".join(places)


def _mouse(
    widget: QWidget,
    kind: QEvent.Type,
    at: QPointF,
    modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    button = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else Qt.MouseButton.LeftButton
    held = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else Qt.MouseButton.LeftButton
    event = QMouseEvent(kind, at, widget.mapToGlobal(at), button, held, modifiers)
    QCoreApplication.sendEvent(widget, event)


def _wheel(widget: QWidget, at: QPointF) -> None:
    event = QWheelEvent(
        at, widget.mapToGlobal(at), QPoint(), QPoint(0, _NOTCH), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QCoreApplication.sendEvent(widget, event)
