"""HeldKeys: whether a key press is a new one, or a repeat of a key that is held down."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

PAIR_MS = 5
"""X11 repeats a held key as pairs of a release and a press with one time. Qt misses most of them if they arrive one by
one, and then reports new presses. No hand is that quick."""


class HeldKeys(QObject):
    """Follows the keys that `widget` gets."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.is_repeat = False
        self._released = (0, 0)  # the last key that went up, and when in milliseconds; 0 is unknown
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Note each key before the widget and the shortcuts get it."""
        if isinstance(event, QKeyEvent):
            if event.type() == QEvent.Type.KeyRelease:
                self.is_repeat, self._released = False, (event.key(), event.timestamp())
            elif event.type() == QEvent.Type.ShortcutOverride:
                key, at = self._released
                is_pair = at > 0 and key == event.key() and 0 <= event.timestamp() - at <= PAIR_MS
                self.is_repeat = event.isAutoRepeat() or is_pair
        return False


def held_keys(widget: QWidget) -> HeldKeys:
    """Return what follows the keys of a widget; each has one."""
    return widget.findChild(HeldKeys) or HeldKeys(widget)
