"""BarPlot: a bar for each day or hour, with its height and its name."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QWidget

_BAR = QColor("#0072B2")
_TOP, _BOTTOM, _SIDE = 20.0, 20.0, 8.0
_WIDEST, _SHARE = 64.0, 0.7
_ROOM_FOR_TEXT = 34.0


class BarPlot(QWidget):
    """Paints (name, height) pairs; `title` is above them."""

    def __init__(self) -> None:
        super().__init__()
        self.title = ""
        self.bars: tuple[tuple[str, float], ...] = ()
        self.setMinimumHeight(140)

    def show_bars(self, title: str, bars: Sequence[tuple[str, float]]) -> None:
        """Show other bars."""
        self.title, self.bars = title, tuple(bars)
        self.setAccessibleName(title)
        self.setAccessibleDescription(", ".join(f"{name}: {height:.0f}" for name, height in bars))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        quiet = self.palette().color(QPalette.ColorRole.PlaceholderText)
        painter.setPen(quiet)
        whole = QRectF(self.rect())
        painter.drawText(whole.adjusted(_SIDE, 0, 0, 0), Qt.AlignmentFlag.AlignTop, self.title)
        room = whole.adjusted(_SIDE, 2 * _TOP, -_SIDE, -_BOTTOM)
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Mid), 1.0))
        painter.drawLine(room.bottomLeft(), room.bottomRight())
        highest = max((height for _, height in self.bars), default=0.0)
        if highest > 0:
            self._paint_bars(painter, room, highest)
        painter.end()

    def _paint_bars(self, painter: QPainter, room: QRectF, highest: float) -> None:
        step = min(room.width() / len(self.bars), _WIDEST)
        every = max(1, round(_ROOM_FOR_TEXT / step + 0.49))  # names that would touch are left out
        for number, (name, height) in enumerate(self.bars):
            bar = QRectF(room.left() + number * step, room.bottom(), step * _SHARE, 0)
            bar.setTop(room.bottom() - room.height() * height / highest)
            painter.fillRect(bar, _BAR)
            if number % every:
                continue
            painter.setPen(self.palette().color(QPalette.ColorRole.Text))
            middle = bar.center().x()
            above = QRectF(middle - _WIDEST / 2, bar.top() - _TOP, _WIDEST, _TOP)
            below = QRectF(middle - _WIDEST / 2, room.bottom() + 2, _WIDEST, _BOTTOM - 2)
            painter.drawText(above, Qt.AlignmentFlag.AlignCenter, f"{height:.0f}")
            painter.drawText(below, Qt.AlignmentFlag.AlignCenter, name)
