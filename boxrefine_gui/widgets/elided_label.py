"""ElidedLabel: a line of text that is elided if there is no room, with the whole text in its tooltip."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy

from boxrefine_gui.widgets import scale
from boxrefine_gui.widgets.plain_text import PlainLabel, set_tooltip, shown

_SIDE = scale.SMALL


class ElidedLabel(PlainLabel):
    """A label that never widens the window, as a plain label with one long file name does.

    `name` is its accessible name; its minimum width has room for `least` letters.
    """

    def __init__(self, name: str, *, least: int = 6) -> None:
        super().__init__()
        self._least = least
        self._note = ""
        self.setAccessibleName(name)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setContentsMargins(_SIDE, 0, _SIDE, 0)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)

    def show_text(self, text: str, note: str = "") -> None:
        """Set the text; `note` is added to the tooltip."""
        if (shown(text), note) != (self.text(), self._note):
            self._note = note
            self.setText(text)
            self._show_tooltip()

    @property
    def shown(self) -> str:
        """The visible, possibly elided text."""
        room = self.contentsRect().width()
        return self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room)

    def minimumSizeHint(self) -> QSize:
        whole = super().sizeHint()
        least = self.fontMetrics().averageCharWidth() * self._least + 2 * _SIDE
        return QSize(min(whole.width(), least), whole.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_tooltip()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(self.contentsRect(), int(flags), self.shown)
        painter.end()

    def _show_tooltip(self) -> None:
        is_cut = self.shown != self.text()
        set_tooltip(self, "\n".join(filter(None, (self.text() if is_cut else "", self._note))))
