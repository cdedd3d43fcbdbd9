"""MenuButton: a flat button with an arrow that opens a menu; its text is elided if there is no room."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen, QResizeEvent
from PySide6.QtWidgets import QMenu, QSizePolicy, QStyle, QStyleOptionToolButton, QStylePainter, QToolButton

from boxrefine_gui.widgets.plain_text import menu_text, set_tooltip

_LEFT, _SIDES = 6, 18


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
        self.setText(menu_text(text))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._show_tooltip()
        self.update()

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        return QSize(self.fontMetrics().horizontalAdvance(f"{self._text} ▾") + _SIDES, hint.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(min(super().minimumSizeHint().width(), 2 * _SIDES), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_tooltip()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the text at the left, where titles are; the style would center it."""
        if not self._text:
            super().paintEvent(event)
            self._paint_focus(QPainter(self))
            return
        painter, option = QStylePainter(self), QStyleOptionToolButton()
        self.initStyleOption(option)
        option.text = ""
        painter.drawComplexControl(QStyle.ComplexControl.CC_ToolButton, option)
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(self.rect().adjusted(_LEFT, 0, 0, 0), int(flags), self.shown)
        self._paint_focus(painter)

    def _paint_focus(self, painter: QPainter) -> None:
        """A frame in the color of other widgets with the focus; the style paints none on a flat button."""
        if self.hasFocus():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Accent), 1.5))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 3, 3)
        painter.end()

    @property
    def shown(self) -> str:
        """The visible, possibly elided text."""
        metrics = self.fontMetrics()
        room = max(self.width() - _LEFT - metrics.horizontalAdvance(" ▾ "), 0)
        return metrics.elidedText(self._text, Qt.TextElideMode.ElideRight, room) + " ▾"

    def _show_tooltip(self) -> None:
        is_cut = self.shown != f"{self._text} ▾"
        set_tooltip(self, "\n".join(filter(None, (self._text if is_cut else "", self._note))))
