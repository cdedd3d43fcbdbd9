"""LossPlot: the loss of each training step as a line, smoothed over the last few."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QWidget

from boxrefine_gui.widgets import scale
from core.translation import tr

LINE = QColor("#0072B2")
STEP = QColor(0, 114, 178, 70)
_LEFT, _TOP, _RIGHT, _BOTTOM = 34.0, 8.0, 8.0, 18.0
_SMOOTHED = 12


class LossPlot(QWidget):
    """Paints `losses`; `steps` is the number of all steps of the training."""

    def __init__(self) -> None:
        super().__init__()
        self.losses: tuple[float, ...] = ()
        self.steps = 0
        self.setFixedHeight(110)
        self.setAccessibleName(tr("Loss by step"))

    def show_losses(self, losses: tuple[float, ...], steps: int) -> None:
        """Show other losses."""
        if (losses, steps) != (self.losses, self.steps):
            self.losses, self.steps = losses, steps
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        room = QRectF(self.rect()).adjusted(_LEFT, _TOP, -_RIGHT, -_BOTTOM)
        painter.fillRect(room, self.palette().color(QPalette.ColorRole.Base))
        top = max(self.losses, default=1.0) or 1.0
        self._paint_axes(painter, room, top)
        steps = max(self.steps, len(self.losses), 2)
        for values, pen in ((self.losses, QPen(STEP, 1.0)), (smooth(self.losses), QPen(LINE, 2.0))):
            painter.setPen(pen)
            painter.drawPolyline(
                [
                    QPointF(room.left() + room.width() * at / (steps - 1), room.bottom() - room.height() * value / top)
                    for at, value in enumerate(values)
                ]
            )
        painter.end()

    def _paint_axes(self, painter: QPainter, room: QRectF, top: float) -> None:
        quiet = self.palette().color(QPalette.ColorRole.PlaceholderText)
        font = painter.font()
        font.setPointSizeF(max(6.0, font.pointSizeF() * scale.SMALL_TYPE))
        painter.setFont(font)
        for share in (0.0, 0.5, 1.0):
            y = room.bottom() - room.height() * share
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Mid), 1.0, Qt.PenStyle.DotLine))
            painter.drawLine(QPointF(room.left(), y), QPointF(room.right(), y))
            if self.losses:
                painter.setPen(quiet)
                place = QRectF(0, y - 8, _LEFT - 5, 16)
                painter.drawText(
                    place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{top * share:.1f}"
                )
        painter.setPen(quiet)
        below = QRectF(room.left(), room.bottom() + 2, room.width(), _BOTTOM - 2)
        words = tr("the loss of each step")
        if self.losses:
            words = tr("loss, step {step} of {steps}", step=len(self.losses), steps=self.steps)
        painter.drawText(below, Qt.AlignmentFlag.AlignCenter, words)


def smooth(values: Sequence[float]) -> list[float]:
    """The moving average: the mean of each value and the few before it."""
    starts = [max(0, at + 1 - _SMOOTHED) for at in range(len(values))]
    return [sum(values[start : at + 1]) / (at + 1 - start) for at, start in enumerate(starts)]
