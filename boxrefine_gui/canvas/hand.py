"""Hand: pans by the middle button, or while Space is held; a click or a tap without a drag is a key instead."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QPointF, Qt

from boxrefine_gui.widgets.mouse_keys import MIDDLE

_CLICK_REACH = 3.0


class Hand:
    """Knows what pans now; the canvas passes events and moves its view."""

    def __init__(self) -> None:
        self._button: Qt.MouseButton | None = None
        self._start = self._last = QPointF()
        self._has_moved = False
        self.is_space_down = False
        self._is_tap = False  # whether Space, once it goes up, was only tapped
        self._was_tap = False  # the same of its last press

    @property
    def is_panning(self) -> bool:
        return self._button is not None

    def press(self, button: Qt.MouseButton, point: QPointF) -> bool:
        """A button goes down; return whether it pans."""
        pans = button is Qt.MouseButton.MiddleButton or (button is Qt.MouseButton.LeftButton and self.is_space_down)
        if pans and self._button is None:
            self._button, self._start, self._last, self._has_moved = button, point, point, False
            self._is_tap = False
        return pans

    def move(self, point: QPointF) -> QPointF:
        """The way to pan, in screen pixels; none until the pointer has moved farther than in a click."""
        self._has_moved = self._has_moved or QLineF(self._start, point).length() >= _CLICK_REACH
        if not self._has_moved:
            return QPointF()
        way, self._last = point - self._last, point
        return way

    def release(self, button: Qt.MouseButton) -> str | None:
        """The button goes up: the key that it was, empty if it was none; None if it does not pan."""
        if self._button is None or button is not self._button:
            return None
        self._button = None
        return MIDDLE if button is Qt.MouseButton.MiddleButton and not self._has_moved else ""

    def space_down(self, *, is_repeat: bool) -> None:
        """Space goes down; a repeat of a held key continues its press."""
        if not self.is_space_down:
            self.is_space_down, self._is_tap = True, self._was_tap if is_repeat else True

    def space_up(self) -> bool:
        """Space goes up; return whether it was tapped without a pan."""
        self._was_tap = self.is_space_down and self._is_tap
        self.is_space_down = self._is_tap = False
        return self._was_tap

    def let_space_go(self) -> None:
        """Forget that Space is held: another widget gets the keys now."""
        self.is_space_down = self._is_tap = self._was_tap = False
