"""The layer of clicks: the points that are set before there is a box, and what to click next."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from boxrefine_gui.canvas.scene import Scene
from boxrefine_gui.widgets import theme

_ARM, _GAP = 9.0, 2.0
_PLATE, _INK = QColor(16, 18, 21, 215), QColor("#F4F6F8")
_AIR, _ABOVE_BOTTOM = QSizeF(14, 6), 76.0


def paint_clicks(painter: QPainter, scene: Scene) -> None:
    """A cross at each point, the box that they make so far, and the words at the bottom of the canvas."""
    clicks, view, size = scene.clicks, scene.view, scene.size
    if clicks is None:
        return
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if clicks.box is not None:
        rect = view.to_screen(clicks.box)
        for color, style, width in ((theme.HALO, Qt.PenStyle.SolidLine, 3.0), (theme.DRAWN, Qt.PenStyle.DashLine, 1.2)):
            painter.setPen(QPen(color, width, style))
            painter.drawRect(rect)
    for x, y in clicks.points:
        at = QPointF(x * view.scale + view.left, y * view.scale + view.top)
        for color, width in ((theme.HALO, 4.4), (theme.DRAWN, 2.2)):
            painter.setPen(QPen(color, width))
            for across, down in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                arm = QPointF(across, down)
                painter.drawLine(at + arm * _GAP, at + arm * _ARM)
    metrics = QFontMetricsF(painter.font())
    plate = QRectF(QPointF(0, 0), QSizeF(metrics.horizontalAdvance(clicks.words), metrics.height()) + _AIR)
    plate.moveCenter(QPointF(size.width() / 2, size.height() - _ABOVE_BOTTOM))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_PLATE)
    painter.drawRoundedRect(plate, 4, 4)
    painter.setPen(_INK)
    painter.drawText(plate, int(Qt.AlignmentFlag.AlignCenter), clicks.words)
