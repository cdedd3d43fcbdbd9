"""Sides: the panels left and right of the canvas, which can be hidden; and the full screen."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QWidget

from boxrefine_gui.widgets.window_geometry import restore_sizes

LEFT, RIGHT = "left", "right"
_PLACES = {LEFT: 0, RIGHT: 2}


class Sides:
    """Hides and shows the first and the last panel of a splitter; hidden ones keep their widths."""

    def __init__(self, splitter: QSplitter, *, on_change: Callable[[], None]) -> None:
        self.splitter = splitter
        self._on_change = on_change
        self._widths: dict[str, int] = {}  # of hidden panels

    @property
    def hidden(self) -> tuple[str, ...]:
        """The hidden panels."""
        return tuple(side for side in _PLACES if not self.shows(side))

    @property
    def widths(self) -> tuple[int, ...]:
        """The widths of all panels, of hidden ones as they were."""
        sizes = self.splitter.sizes()
        for side, width in self._widths.items():
            sizes[_PLACES[side]] = width
        return tuple(sizes)

    def restore(self, widths: tuple[int, ...], hidden: tuple[str, ...]) -> None:
        """Restore the panels of the last session; names of panels that there are not are ignored."""
        restore_sizes(self.splitter, widths)
        for side in _PLACES:
            if side in hidden:
                self._set(side, False)
                self._widths[side] = dict(enumerate(widths)).get(_PLACES[side], 0)

    def shows(self, side: str) -> bool:
        """Whether a panel is shown."""
        panel = self._panel(side)
        return panel is None or not panel.isHidden()

    def toggle(self, side: str) -> None:
        """Hide or show a panel."""
        self._set(side, not self.shows(side))
        self._on_change()

    def toggle_both(self) -> None:
        """Hide both panels, or show both if they are hidden."""
        is_any = any(self.shows(side) for side in _PLACES)
        for side in _PLACES:
            self._set(side, not is_any)
        self._on_change()

    def show(self, side: str) -> None:
        """Show a panel, because the user asks for a part of it."""
        if not self.shows(side):
            self.toggle(side)

    def _set(self, side: str, is_shown: bool) -> None:
        panel, place, sizes = self._panel(side), _PLACES[side], self.splitter.sizes()
        if panel is None or is_shown == self.shows(side):
            return
        panel.setVisible(is_shown)
        if not is_shown:
            self._widths[side] = sizes[place]
            return
        width = self._widths.pop(side, 0) or panel.minimumWidth()
        sizes[1] -= width
        sizes[place] = width
        self.splitter.setSizes(sizes)

    def _panel(self, side: str) -> QWidget | None:
        return self.splitter.widget(_PLACES[side])


def toggle_full_screen(window: QWidget) -> None:
    """Fill the screen, or be as before, also maximized."""
    window.setWindowState(window.windowState() ^ Qt.WindowState.WindowFullScreen)
