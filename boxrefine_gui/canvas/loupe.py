"""The loupe: the pixels around the edge that a drag moves, larger, beside the pointer."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QPainter

from boxrefine_gui.canvas.backdrop import paint_picture
from boxrefine_gui.canvas.brushes import SOLID, pen
from boxrefine_gui.canvas.handles import Grip
from boxrefine_gui.canvas.scene import Scene
from boxrefine_gui.canvas.view import View
from boxrefine_gui.widgets import theme
from core.geometry import Box

SIDE = 140
"""Of the square, in screen pixels."""

_LARGER, _LEAST, _MOST = 6.0, 2.0, 8.0
"""So many times larger than on the canvas, and so many device pixels an image pixel at least and at most."""

_ASIDE, _BELOW = 28.0, 52.0  # from the pointer; the size of the box is below it
_FRAME, _LINE = QColor("#F4F6F8"), QColor(16, 18, 21)


def paint_loupe(painter: QPainter, scene: Scene) -> None:
    """Paint the loupe while an edge or a corner follows the pointer or keys, unless the pixels are large."""
    session, box, at, grip = scene.session, scene.dragged, scene.pointer, scene.grip
    if scene.nudged is not None:
        box, grip = scene.nudged
        at = middle_of(box, grip, scene.view)
    if grip is None or box is None or at is None or session.shown_picture is None or not session.settings.loupe:
        return
    ratio = painter.device().devicePixelRatioF()
    scale = min(max(scene.view.scale * ratio * _LARGER, _LEAST), _MOST) / ratio
    if scale <= scene.view.scale:
        return
    x, y = edge_at(box, grip, scene.view.to_image(at))
    view = View(scale, SIDE / 2 - x * scale, SIDE / 2 - y * scale)
    place = loupe_place(at, grip, scene.size)
    painter.save()
    painter.translate(place.topLeft())
    painter.setClipRect(QRectF(0, 0, SIDE, SIDE))
    paint_picture(painter, session.shown_picture, view, QSize(SIDE, SIDE), theme.canvas_ground())
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for color, width in ((_LINE, 3.0), (theme.REFINED, 1.0)):
        painter.setPen(pen(color, SOLID, width))
        painter.drawRect(view.to_screen(box))
    painter.restore()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for color, width in ((_LINE, 4.0), (_FRAME, 1.5)):
        painter.setPen(pen(color, SOLID, width))
        painter.drawRect(place)


def middle_of(box: Box, grip: Grip, view: View) -> QPointF:
    """The middle of an edge on the canvas."""
    rect = view.to_screen(box)
    center = rect.center()
    x = center.x() if not grip.across else rect.left() if grip.across < 0 else rect.right()
    y = center.y() if not grip.down else rect.top() if grip.down < 0 else rect.bottom()
    return QPointF(x, y)


def edge_at(box: Box, grip: Grip, pointer: tuple[float, float]) -> tuple[float, float]:
    """The point of the moved edge, or the moved corner, that is closest to the pointer; all in image pixels."""
    x, y = min(max(pointer[0], box.x1), box.x2), min(max(pointer[1], box.y1), box.y2)
    if grip.across:
        x = box.x1 if grip.across < 0 else box.x2
    if grip.down:
        y = box.y1 if grip.down < 0 else box.y2
    return x, y


def loupe_place(at: QPointF, grip: Grip, size: QSizeF) -> QRectF:
    """Where the loupe is on the canvas: above the pointer and outside the box, or where there is room."""
    left = at.x() - _ASIDE - SIDE if grip.across < 0 else at.x() + _ASIDE
    if left < 0 or left + SIDE > size.width():
        left = at.x() + _ASIDE if grip.across < 0 else at.x() - _ASIDE - SIDE
    top = at.y() - _ASIDE - SIDE
    return QRectF(left, top if top >= 0 else at.y() + _BELOW, SIDE, SIDE)
