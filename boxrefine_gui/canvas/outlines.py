"""The outline of a mask, painted as a tint with a thin border."""

from __future__ import annotations

from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from boxrefine_gui.canvas.view import View
from core.records import Outline

_TINT = 70


def paint_outline(painter: QPainter, view: View, outline: Outline, color: QColor) -> None:
    """Paint polygons in image pixels as a tint of `color` with a border."""
    tint = QColor(color)
    tint.setAlpha(_TINT)
    painter.setBrush(tint)
    painter.setPen(QPen(color, 1.0))
    for polygon in outline:
        corners = zip(polygon[::2], polygon[1::2], strict=True)
        painter.drawPolygon(
            QPolygonF([QPointF(x * view.scale + view.left, y * view.scale + view.top) for x, y in corners])
        )
