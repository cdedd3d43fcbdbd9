"""The crosshair: two lines through the pointer, across the whole canvas, and the size of the box that is dragged."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QPointF, QRect, QSizeF, Qt
from PySide6.QtGui import QColor, QPainter, QRegion

from boxrefine_gui.canvas.brushes import SOLID, chip, pen
from boxrefine_gui.canvas.scene import Scene

_DARK, _LIGHT = QColor(0, 0, 0, 110), QColor(255, 255, 255, 190)
_REACH = 3
"""Screen pixels on both sides of a line that a repaint covers."""

_BESIDE = QPointF(16, 18)
"""From the pointer to the text beside it."""


def paint_crosshair(painter: QPainter, scene: Scene) -> None:
    """A thin light line on a wider dark one, each through the pointer."""
    at = scene.pointer
    if at is None or scene.session.picture is None or not scene.session.settings.crosshair:
        return
    # On the middle of a device pixel, so that the light line is one pixel wide and sharp.
    x, y = int(at.x()) + 0.5, int(at.y()) + 0.5
    lines = [QLineF(x, 0, x, scene.size.height()), QLineF(0, y, scene.size.width(), y)]
    for color, width in ((_DARK, 3.0), (_LIGHT, 1.0)):
        painter.setPen(pen(color, SOLID, width))
        painter.drawLines(lines)


def crosshair_region(at: QPointF | None, size: QSizeF) -> QRegion:
    """The part of the canvas that the crosshair at a screen point covers; empty without a point."""
    if at is None:
        return QRegion()
    x, y, thick = int(at.x()) - _REACH, int(at.y()) - _REACH, 2 * _REACH + 1
    across = QRect(0, y, int(size.width()) + 1, thick)
    return QRegion(across).united(QRect(x, 0, thick, int(size.height()) + 1))


def paint_size(painter: QPainter, scene: Scene) -> None:
    """Width and height in image pixels of the box that follows the pointer, beside the pointer."""
    if scene.pointer is None or scene.dragged is None:
        return
    painter.setBrush(Qt.BrushStyle.NoBrush)
    chip(painter, scene.size, size_words(scene.dragged.width, scene.dragged.height), scene.pointer + _BESIDE)


def size_words(width: float, height: float) -> str:
    """A size in image pixels as text."""
    return f"{width:.0f} × {height:.0f}"
