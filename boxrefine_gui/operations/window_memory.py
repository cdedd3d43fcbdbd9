"""Keeps what the window is like: in the settings a moment after it changed, so that a crash leaves it as it was."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QWidget

from boxrefine_gui.operations.box_verbs import Parts
from core.settings import Settings, save_window

PAUSE_MS = 500
"""A window that is dragged, or a hand that leafs through pictures, is left to come to rest."""

_CHANGES = (QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.WindowStateChange)


class WindowMemory(QObject):
    """Follows a window; `look` gives settings with what the window is like now."""

    def __init__(self, parts: Parts, window: QWidget, look: Callable[[Settings], Settings]) -> None:
        super().__init__(window)
        self._parts = parts
        self._window = window
        self._look = look
        self._is_told = False
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
        """Something is not as it was; it is kept when nothing more comes."""
        self._timer.start()

    def keep(self) -> None:
        """Write it now, on the files lane, if it is not written already."""
        self._timer.stop()
        session = self._parts.session
        settings = self._look(session.settings)
        if settings != session.settings:
            session.remember(settings)
            places = {str(project): str(image) for project, image in session.left_at.items()}
            save = partial(save_window, settings, self._parts.settings_file, places=places)
            self._parts.files.run(save, on_done=self._kept, on_error=self._not_kept)

    def end(self) -> None:
        """Write it for the last time: what closing does to the window is none of its ways."""
        self._window.removeEventFilter(self)
        self.keep()

    def _kept(self, _: None) -> None:
        self._is_told = False

    def _not_kept(self, error: Exception) -> None:
        """Told once: who labels on a disk that is full should not read it at each picture."""
        if not self._is_told:
            self._is_told = True
            self._parts.session.report(error)
