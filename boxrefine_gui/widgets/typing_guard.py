"""Typing guard: a letter typed into a list or a field is text for it, and does not trigger an action."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QWidget

_COMMANDS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
"""With one of these, a letter triggers an action whatever has the focus."""


class TypingGuard(QObject):
    """Filters the events of the focused widget in `window`: all but the canvas get letters before the actions do.

    Rejected: a filter in each list and field, because a new one without it would trigger actions again.
    """

    def __init__(self, window: QWidget, canvas: QWidget) -> None:
        super().__init__(window)
        self._window, self._canvas = window, canvas
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self._moved)

    def _moved(self, _: QWidget | None, now: QWidget | None) -> None:
        if now is not None and now is not self._canvas and now.window() is self._window:
            now.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Accept the ShortcutOverride of a letter, which the focused widget gets first: Qt then triggers no action."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and is_text(event):
            event.accept()
            return True
        return False


def is_text(event: QKeyEvent) -> bool:
    """Whether a key event types a printable character."""
    return bool(event.text()) and event.text().isprintable() and not event.modifiers() & _COMMANDS
