"""Backdrop: the layers that a drag does not change, cached as a pixmap."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QLineF, QPointF, QRectF, QSize
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap

from boxrefine_gui.canvas.view import View
from boxrefine_gui.state.session_state import CanvasPicture, PictureTiles

NEAREST_FROM = 4.0
"""From this scale on (device pixels an image pixel), pixels are shown as squares, to place edges exactly."""

GRID_FROM = 16.0
"""From this scale on, lines between the pixels."""

_GRID_DARK, _GRID_LIGHT = QColor(0, 0, 0, 70), QColor(255, 255, 255, 50)


class KeptPixmap:
    """Caches a painting as a pixmap; it is painted again when its key changes."""

    def __init__(self) -> None:
        self._pixmap = QPixmap()
        self._key: object = None

    def paint(self, painter: QPainter, key: tuple[object, ...], size: QSize, draw: Callable[[QPainter], None]) -> None:
        """Paint the pixmap of `size` logical pixels. `draw` fills it; `key` holds everything that `draw` depends on."""
        ratio = painter.device().devicePixelRatioF()
        whole_key = (key, size.width(), size.height(), ratio, painter.font().key())
        if whole_key != self._key:
            pixmap = QPixmap(size * ratio)
            pixmap.setDevicePixelRatio(ratio)
            inner = QPainter(pixmap)
            inner.setFont(painter.font())  # that of the widget, and not of the application
            draw(inner)
            inner.end()
            self._pixmap, self._key = pixmap, whole_key
        painter.drawPixmap(QPointF(0, 0), self._pixmap)


def paint_picture(painter: QPainter, picture: CanvasPicture | None, view: View, size: QSize, ground: QColor) -> None:
    """Paint the background and the visible part of the picture."""
    painter.fillRect(QRectF(0, 0, size.width(), size.height()), ground)
    if picture is None:
        return
    ratio = painter.device().devicePixelRatioF()
    whole = picture.size
    shown = QRectF(0, 0, size.width(), size.height())
    x1, y1 = view.to_image(shown.topLeft())
    x2, y2 = view.to_image(shown.bottomRight())
    # Whole pixels, and one more at each side: panning must not change the resampling of the visible part.
    left, top = max(int(x1) - 1, 0), max(int(y1) - 1, 0)
    right, bottom = min(int(x2) + 2, whole.width()), min(int(y2) + 2, whole.height())
    if right <= left or bottom <= top:
        return
    level = _level_for(picture, view.scale * ratio)
    image = picture.levels[max(level - picture.finer, 0)]
    across, down = image.width() / whole.width(), image.height() / whole.height()
    target = QRectF(
        left * view.scale + view.left, top * view.scale + view.top,
        (right - left) * view.scale, (bottom - top) * view.scale,
    )  # fmt: skip
    source = QRectF(left * across, top * down, (right - left) * across, (bottom - top) * down)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, view.scale * ratio < NEAREST_FROM)
    painter.drawImage(target, image, source)
    if picture.tiles is not None and level < picture.finer:
        _paint_tiles(painter, picture, picture.tiles, view, level, (left, top, right, bottom))


def _paint_tiles(
    painter: QPainter,
    picture: CanvasPicture,
    tiles: PictureTiles,
    view: View,
    level: int,
    visible: tuple[int, int, int, int],
) -> None:
    """Paint the tiles of a level that are there over the coarse copy; those that are missing are asked for."""
    each = tiles.side * 2**level  # pixels of the picture
    left, top, right, bottom = visible
    whole = QRectF(0, 0, picture.size.width(), picture.size.height())
    for row in range(top // each, (bottom - 1) // each + 1):
        for column in range(left // each, (right - 1) // each + 1):
            tile = tiles.tile(level, column, row)
            if tile is not None:
                covered = QRectF(column * each, row * each, tile.width() * 2**level, tile.height() * 2**level)
                place = covered.intersected(whole)
                corner = QPointF(place.left() * view.scale + view.left, place.top() * view.scale + view.top)
                painter.drawImage(QRectF(corner, place.size() * view.scale), tile, QRectF(tile.rect()))


def paint_pixel_grid(painter: QPainter, picture: CanvasPicture, view: View, size: QSize) -> None:
    """Lines between the pixels, if these are large: a dark and a light one, to be visible on every picture."""
    if view.scale * painter.device().devicePixelRatioF() < GRID_FROM:
        return
    whole = picture.size
    left, top = view.to_image(QPointF(0, 0))
    right, bottom = view.to_image(QPointF(size.width(), size.height()))
    columns = range(max(int(left), 0), min(int(right) + 1, whole.width()) + 1)
    rows = range(max(int(top), 0), min(int(bottom) + 1, whole.height()) + 1)
    if not columns or not rows:
        return
    xs, ys = [view.left + view.scale * x for x in columns], [view.top + view.scale * y for y in rows]
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    for color, aside in ((_GRID_DARK, 0.0), (_GRID_LIGHT, 1.0)):
        painter.setPen(QPen(color, 0.0))  # one device pixel
        painter.drawLines([QLineF(x + aside, ys[0], x + aside, ys[-1]) for x in xs])
        painter.drawLines([QLineF(xs[0], y + aside, xs[-1], y + aside) for y in ys])


def _level_for(picture: CanvasPicture, scale: float) -> int:
    """The smallest level of the pyramid with at least one pixel for each device pixel."""
    level = 0
    while level + 1 < picture.finer + len(picture.levels) and scale * 2 ** (level + 1) <= 1.0:
        level += 1
    return level
