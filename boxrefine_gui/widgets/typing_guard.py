"""Typing guard: a letter that is typed into a list or a field is text for it, and never the key of a command."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QWidget

_COMMANDS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
"""What makes a command of a letter anywhere."""


class TypingGuard(QObject):
    """Watches what has the keyboard in `window`; all but the canvas gets its letters before the actions do.

    Rejected: letting each list and field claim them; the next one that somebody adds would run commands again.
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
        """Qt asks the one that has the keyboard first: where it accepts, no action is looked for."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and is_text(event):
            event.accept()
            return True
        return False


def is_text(event: QKeyEvent) -> bool:
    """Whether a key types a letter, a digit or a sign."""
    return bool(event.text()) and event.text().isprintable() and not event.modifiers() & _COMMANDS
