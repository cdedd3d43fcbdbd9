"""Painting: all that the canvas paints, from back to front; the parts that seldom change are kept as pixmaps."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSize
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from boxrefine_gui.canvas.backdrop import KeptPixmap, paint_picture, paint_pixel_grid
from boxrefine_gui.canvas.click_layer import paint_clicks
from boxrefine_gui.canvas.crosshair import paint_crosshair, paint_size
from boxrefine_gui.canvas.layers import LAYERS, paint_sentence, paint_stored, stored_key
from boxrefine_gui.canvas.loupe import paint_loupe
from boxrefine_gui.canvas.minimap import Minimap
from boxrefine_gui.canvas.preview import Preview
from boxrefine_gui.canvas.scene import Scene
from boxrefine_gui.canvas.tone_layer import paint_tones
from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets import theme

_OVER = (paint_tones, paint_clicks, paint_crosshair, paint_size, paint_loupe)
"""What is painted over the boxes, from back to front."""


class Painting:
    """Paints scenes of one canvas."""

    def __init__(self, session: Session, canvas: QWidget) -> None:
        self._backdrop = KeptPixmap()  # the picture
        self._under = KeptPixmap()  # the picture with the stored boxes
        self.minimap = Minimap()
        self.preview = Preview(session, canvas)

    def paint(self, canvas: QWidget, scene: Scene) -> None:
        """Paint a scene on the canvas; its paint event calls this."""
        painter = QPainter(canvas)
        size = canvas.size()
        draw_under = partial(self._paint_under, scene, size)
        self._under.paint(painter, (self._picture_key(scene), stored_key(scene)), size, draw_under)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for paint in (
            *((paint_sentence,) if scene.hides else LAYERS),
            self.minimap.paint,
            self.preview.paint_words,
            *_OVER,
        ):
            paint(painter, scene)
        painter.end()

    def _paint_under(self, scene: Scene, size: QSize, painter: QPainter) -> None:
        self._backdrop.paint(painter, self._picture_key(scene), size, partial(self._paint_picture, scene, size))
        if not scene.hides:
            paint_stored(painter, scene)

    def _picture_key(self, scene: Scene) -> tuple[object, ...]:
        picture = scene.session.shown_picture
        shown = picture.levels[0].cacheKey() if picture else self.preview.key(scene)
        parts = picture.tiles.version if picture and picture.tiles else 0
        return shown, parts, scene.view, theme.canvas_ground().rgba()

    def _paint_picture(self, scene: Scene, size: QSize, painter: QPainter) -> None:
        picture = scene.session.shown_picture
        if picture is not None and picture.tiles is not None:
            picture.tiles.forget_wishes()  # those of the part that was visible before
        paint_picture(painter, picture, scene.view, size, theme.canvas_ground())
        if picture is None:
            self.preview.paint(painter, scene)
        else:
            paint_pixel_grid(painter, picture, scene.view, size)
