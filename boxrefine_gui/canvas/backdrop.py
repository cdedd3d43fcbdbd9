"""Backdrop: the picture as it looks under the boxes, kept as one pixmap so that a drag repaints boxes alone."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QColor, QPainter, QPixmap

from boxrefine_gui.canvas.view import View
from boxrefine_gui.session import CanvasPicture

NEAREST_FROM = 2.0
"""From this scale on (device pixels an image pixel) pixels are shown as squares, because edges are placed by them."""


class Backdrop:
    """Paints the picture anew only where picture, view or size changed."""

    def __init__(self) -> None:
        self._pixmap = QPixmap()
        self._painted_for: object = None

    def paint(self, painter: QPainter, picture: CanvasPicture | None, view: View, size: QSize, ground: QColor) -> None:
        """Lay picture and ground under everything else."""
        ratio = painter.device().devicePixelRatioF()
        wanted = (id(picture), view, size.width(), size.height(), ratio, ground.rgba())
        if wanted != self._painted_for:
            self._pixmap = _painted(picture, view, size, ground, ratio)
            self._painted_for = wanted
        painter.drawPixmap(QPointF(0, 0), self._pixmap)


def _painted(picture: CanvasPicture | None, view: View, size: QSize, ground: QColor, ratio: float) -> QPixmap:
    pixmap = QPixmap(size * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(ground)
    if picture is None:
        return pixmap
    whole = picture.levels[0].rect()
    shown = QRectF(0, 0, size.width(), size.height())
    x1, y1 = view.to_image(shown.topLeft())
    x2, y2 = view.to_image(shown.bottomRight())
    # Whole pixels, one more at each side, so that the visible part is not resampled differently while panning.
    left, top = max(int(x1) - 1, 0), max(int(y1) - 1, 0)
    right, bottom = min(int(x2) + 2, whole.width()), min(int(y2) + 2, whole.height())
    if right <= left or bottom <= top:
        return pixmap
    level = _level_for(picture, view.scale * ratio)
    image = picture.levels[level]
    across, down = image.width() / whole.width(), image.height() / whole.height()
    target = QRectF(
        left * view.scale + view.left, top * view.scale + view.top,
        (right - left) * view.scale, (bottom - top) * view.scale,
    )  # fmt: skip
    source = QRectF(left * across, top * down, (right - left) * across, (bottom - top) * down)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, view.scale * ratio < NEAREST_FROM)
    painter.drawImage(target, image, source)
    painter.end()
    return pixmap


def _level_for(picture: CanvasPicture, scale: float) -> int:
    """The smallest copy that still has a pixel for each device pixel."""
    level = 0
    while level + 1 < len(picture.levels) and scale * 2 ** (level + 1) <= 1.0:
        level += 1
    return level
