"""Hiding: whether the boxes are hidden, for as long as a key or a mouse button is held."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from boxrefine_gui.lanes.timers import timer

_PAIR_MS = 30
"""A key has gone up if it does not go down again within this time; see `HeldKeys`."""


class Hiding:
    """Starts by an action, whose key sends no press to the canvas, and ends when anything goes up there."""

    def __init__(self, canvas: QWidget) -> None:
        self.is_on = False
        self._repaint: Callable[[], None] = canvas.update
        self._end_soon = timer(_PAIR_MS, self.end)
        self._end_soon.setParent(canvas)  # it ends with it

    def start(self) -> None:
        """Hide the boxes; a key that is held calls this again and again."""
        self._end_soon.stop()
        if not self.is_on:
            self.is_on = True
            self._repaint()

    def went_up(self) -> None:
        """A key or a button has gone up."""
        if self.is_on:
            self._end_soon.start()

    def end(self) -> None:
        """Show the boxes again."""
        self._end_soon.stop()
        if self.is_on:
            self.is_on = False
            self._repaint()
