"""The minimap: the whole picture in a corner of the canvas with a frame around what is visible; a drag in it pans."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap

from boxrefine_gui.canvas.brushes import SOLID, pen
from boxrefine_gui.canvas.scene import Scene
from boxrefine_gui.state.session_state import CanvasPicture

FROM = 2.0
"""It is shown above this scale, in device pixels an image pixel, if the picture is larger than the canvas."""

_SIDE, _AIR = 168.0, 12.0
_LEAST_FRAME = 6.0
_EDGE, _FRAME, _SHADE = QColor("#F4F6F8"), QColor("#56D4FF"), QColor(16, 18, 21)


class Minimap:
    """Paints the map and turns points on it into ways to pan."""

    def __init__(self) -> None:
        self.is_held = False  # a drag has begun in it
        self._small = QPixmap()
        self._key: object = None

    def place(self, scene: Scene, ratio: float) -> QRectF | None:
        """Its rectangle on the canvas, whose screen has `ratio` device pixels a pixel; None if it is not shown."""
        picture, view = scene.session.shown_picture, scene.view
        if picture is None or not scene.session.settings.minimap or view.scale * ratio <= FROM:
            return None
        whole = QSizeF(picture.size)
        if whole.width() * view.scale <= scene.size.width() and whole.height() * view.scale <= scene.size.height():
            return None
        if scene.is_dragging:
            return None  # the box may be drawn to below it
        size = whole.scaled(QSizeF(_SIDE, _SIDE), Qt.AspectRatioMode.KeepAspectRatio)
        corner = QPointF(scene.size.width() - _AIR - size.width(), scene.size.height() - _AIR - size.height())
        return QRectF(corner, size)

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Paint it over the boxes."""
        ratio = painter.device().devicePixelRatioF()
        place, picture = self.place(scene, ratio), scene.session.shown_picture
        if place is None or picture is None:
            return
        self._scale(picture, place.size(), ratio)
        painter.drawPixmap(place.topLeft(), self._small)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for color, width in ((_SHADE, 4.0), (_EDGE, 1.5)):
            painter.setPen(pen(color, SOLID, width))
            painter.drawRect(place)
        frame = _frame(scene, place, picture)
        for color, width in ((_SHADE, 4.0), (_FRAME, 2.0)):
            painter.setPen(pen(color, SOLID, width))
            painter.drawRect(frame)

    def way(self, at: QPointF, scene: Scene, ratio: float) -> QPointF | None:
        """The way to pan, in screen pixels, so that the point under `at` gets to the middle of the canvas.

        None if `at` is not on the map, unless a drag has begun there.
        """
        place, picture = self.place(scene, ratio), scene.session.shown_picture
        if place is None or picture is None or not (self.is_held or place.contains(at)):
            return None
        across, down = (at.x() - place.left()) / place.width(), (at.y() - place.top()) / place.height()
        x = min(max(across, 0.0), 1.0) * picture.size.width() * scene.view.scale + scene.view.left
        y = min(max(down, 0.0), 1.0) * picture.size.height() * scene.view.scale + scene.view.top
        return QPointF(scene.size.width() / 2 - x, scene.size.height() / 2 - y)

    def _scale(self, picture: CanvasPicture, size: QSizeF, ratio: float) -> None:
        level = picture.levels[-1]
        key = level.cacheKey(), size.width(), size.height(), ratio
        if key != self._key:
            pixels = (size * ratio).toSize()
            small = level.scaled(
                pixels, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
            self._small, self._key = QPixmap.fromImage(small), key
            self._small.setDevicePixelRatio(ratio)


def _frame(scene: Scene, place: QRectF, picture: CanvasPicture) -> QRectF:
    """The visible part of the picture on the map; never too small to be seen."""
    left, top = scene.view.to_image(QPointF(0, 0))
    right, bottom = scene.view.to_image(QPointF(scene.size.width(), scene.size.height()))
    by = place.width() / picture.size.width()
    frame = QRectF(
        place.left() + left * by, place.top() + top * by, (right - left) * by, (bottom - top) * by
    ).intersected(place)
    wider, higher = (max(_LEAST_FRAME - side, 0.0) / 2 for side in (frame.width(), frame.height()))
    return frame.adjusted(-wider, -higher, wider, higher)
