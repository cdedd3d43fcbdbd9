"""WindowMemory: saves size, place and layout of the window shortly after a change, so that they survive a crash."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QWidget

from boxrefine_gui.operations.box_verbs import Parts
from core.settings import Settings, save_window

PAUSE_MS = 500
"""Delay that merges the changes of a dragged window, or of quick steps through the pictures, into one write."""

_CHANGES = (QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.WindowStateChange)


class WindowMemory(QObject):
    """Follows a window; `update` returns settings with the window's present geometry and layout."""

    def __init__(self, parts: Parts, window: QWidget, update: Callable[[Settings], Settings]) -> None:
        super().__init__(window)
        self._parts = parts
        self._window = window
        self._update = update
        self._is_reported = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self.keep)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _CHANGES:
            self.changed()
        return False

    def changed(self) -> None:
        """Save soon, once no more changes follow."""
        self._timer.start()

    def keep(self) -> None:
        """Save changes now, on the files lane."""
        self._timer.stop()
        session = self._parts.session
        settings = self._update(session.settings)
        if settings != session.settings:
            session.remember(settings)
            places = {str(project): str(image) for project, image in session.left_at.items()}
            lists = {str(project): text for project, text in session.lists_at.items()}
            save = partial(save_window, settings, self._parts.settings_file, places=places, lists=lists)
            self._parts.files.run(save, on_done=self._note_success, on_error=self._report)

    def end(self) -> None:
        """Save for the last time, and ignore geometry changes caused by closing."""
        self._window.removeEventFilter(self)
        self.keep()

    def _note_success(self, _: None) -> None:
        self._is_reported = False

    def _report(self, error: Exception) -> None:
        """Report an error once, since with a full disk it would return at each picture."""
        if not self._is_reported:
            self._is_reported = True
            self._parts.session.report(error)
