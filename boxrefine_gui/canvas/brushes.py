"""What layers paint with: lines, handles, names and texts on plates."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QPainter, QPen

from boxrefine_gui.canvas.handles import FARTHEST, HANDLE_SIZE, push, shown_handles
from boxrefine_gui.widgets import scale, theme

SOLID = Qt.PenStyle.SolidLine
DASHED = Qt.PenStyle.DashLine
CHIP = QColor(16, 18, 21, 215)
CHIP_AIR = QSizeF(14, 6)
CHIP_TEXT = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap


def outline(painter: QPainter, rect: QRectF, color: QColor, *, style: Qt.PenStyle = SOLID, width: float = 1.6) -> None:
    """A line on a wider dark one, so that it is visible on light and dark pictures."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(pen(theme.HALO, SOLID, width + 1.8))
    painter.drawRect(rect)
    painter.setPen(pen(color, style, width))
    painter.drawRect(rect)


def handles(painter: QPainter, rect: QRectF, color: QColor) -> None:
    """The handles of a box on the screen."""
    painter.setPen(pen(QColor("#101215"), SOLID, 1.0))
    painter.setBrush(color)
    for point in shown_handles(rect):
        painter.drawRect(QRectF(point.x() - HANDLE_SIZE / 2, point.y() - HANDLE_SIZE / 2, HANDLE_SIZE, HANDLE_SIZE))


def filled(color: QColor, percent: int) -> QBrush:
    """A brush for the inside of boxes that covers the picture by `percent`."""
    if percent == 0:
        return QBrush(Qt.BrushStyle.NoBrush)
    tint = QColor(color)
    tint.setAlpha(round(255 * percent / 100))
    return QBrush(tint)


def tag(
    painter: QPainter, rect: QRectF, text: str, color: QColor, *, size: int = 100, is_selected: bool = False
) -> None:
    """The category's name above the box, or inside if there is no room above; `size` in percent of the usual text.

    The name of a selected box keeps clear of the handles, and covers the name in the layer of stored boxes.
    """
    if not text:
        return
    usual = painter.font()
    if size != 100:
        font = QFont(usual)
        font.setPointSizeF(usual.pointSizeF() * size / 100)
        painter.setFont(font)
    metrics = QFontMetricsF(painter.font())
    text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(rect.width(), 60.0))
    width, height = metrics.horizontalAdvance(text) + 8, metrics.height() + 2
    clear = HANDLE_SIZE / 2 + push(rect.height()) if is_selected else 0.0
    is_above = rect.top() >= height + HANDLE_SIZE / 2 + FARTHEST  # the same whether the box is selected or not
    plate = QRectF(rect.left() - 1, rect.top() - (height + clear if is_above else 0), width, height + clear)
    painter.fillRect(plate, color)
    painter.setPen(theme.ink_on(color))
    words = plate.adjusted(0, 0, 0, -clear) if is_above else plate.adjusted(0, clear, 0, 0)
    painter.drawText(words, int(Qt.AlignmentFlag.AlignCenter), text)
    painter.setFont(usual)


def chip(painter: QPainter, size: QSizeF, text: str, at: QPointF, plate_color: QColor = CHIP) -> None:
    """A text on a plate, a dark one if no other is asked for, at a screen point, moved into the canvas."""
    metrics = QFontMetricsF(painter.font())
    room = QRectF(0, 0, max(size.width() - 8 - CHIP_AIR.width(), 1), size.height())
    words = metrics.boundingRect(room, int(CHIP_TEXT), text)  # on several lines in a small window
    plate = QRectF(at, words.size() + CHIP_AIR)
    plate.moveLeft(min(max(plate.left(), 4), max(size.width() - plate.width() - 4, 4)))
    plate.moveTop(min(max(plate.top(), 4), max(size.height() - plate.height() - 4, 4)))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(plate_color)
    painter.drawRoundedRect(plate, scale.CORNER, scale.CORNER)
    painter.setPen(QColor("#F4F6F8"))
    painter.drawText(plate, int(CHIP_TEXT), text)


def pen(color: QColor, style: Qt.PenStyle, width: float) -> QPen:
    """A pen with sharp corners; `width` in screen pixels."""
    made = QPen(color, width, style)
    made.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    made.setCapStyle(Qt.PenCapStyle.FlatCap)
    return made
