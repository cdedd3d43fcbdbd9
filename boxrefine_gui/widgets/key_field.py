"""KeyField: a field for one key, which is pressed into it; a mouse button counts as a key, too."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtGui import QKeySequence, QMouseEvent
from PySide6.QtWidgets import QKeySequenceEdit, QLineEdit

from boxrefine_gui.widgets.keys import normal
from boxrefine_gui.widgets.mouse_keys import mouse_key, mouse_words


class KeyField(QKeySequenceEdit):
    """`key` is the key in its normal form, empty without one."""

    key_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._mouse = ""
        self.setMaximumSequenceLength(1)
        self.keySequenceChanged.connect(self._key_typed)
        line = self.findChild(QLineEdit)
        assert line is not None  # Qt's field is a line that shows the key
        self._line = line
        line.installEventFilter(self)

    @property
    def key(self) -> str:
        return self._mouse or normal(self.keySequence().toString(QKeySequence.SequenceFormat.PortableText))

    def empty(self) -> None:
        """Take the key out."""
        self._mouse = ""
        self.clear()
        self.key_changed.emit()

    def set_mouse(self, name: str) -> None:
        """Take a mouse button as the key."""
        self.clear()
        self._mouse = name
        self._line.setText(mouse_words(name))
        self.key_changed.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take a mouse button that is pressed over the field, and open no menu for the right one."""
        if event.type() == QEvent.Type.ContextMenu:
            return True
        if event.type() == QEvent.Type.MouseButtonPress and isinstance(event, QMouseEvent) and self.isEnabled():
            name = mouse_key(event.button())
            if name:
                self.set_mouse(name)
                return True
        return super().eventFilter(watched, event)

    def _key_typed(self, sequence: QKeySequence) -> None:
        if not sequence.isEmpty():
            self._mouse = ""
        self.key_changed.emit()
