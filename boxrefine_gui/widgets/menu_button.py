"""MenuButton: a flat button with an arrow that opens a menu; its text is elided if there is no room."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolButton

from boxrefine_gui.widgets.plain_text import menu_text, set_tooltip

_SIDES = 18


class MenuButton(QToolButton):
    """`name` is its accessible name; the menu is filled by its owner when it is about to be shown."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._text = self._note = ""
        self.setAutoRaise(True)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.choices = QMenu(self)
        self.clicked.connect(self.open)

    def open(self) -> None:
        """Open the menu below the button."""
        self.choices.popup(self.mapToGlobal(QPoint(0, self.height())))

    def show_text(self, text: str, note: str = "") -> None:
        """Set the text; `note` is added to the tooltip. The button then takes whatever width there is."""
        self._text, self._note = text, note
        self.setAccessibleDescription(text)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._elide()

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        return QSize(self.fontMetrics().horizontalAdvance(f"{self._text} ▾") + _SIDES, hint.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(min(super().minimumSizeHint().width(), 2 * _SIDES), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        if not self._text:
            return
        room = self.width() - _SIDES - self.fontMetrics().horizontalAdvance(" ▾")
        cut = self.fontMetrics().elidedText(self._text, Qt.TextElideMode.ElideRight, max(room, 0))
        self.setText(menu_text(cut) + " ▾")
        set_tooltip(self, "\n".join(filter(None, (self._text if cut != self._text else "", self._note))))
