"""The preview: while a picture is read, its thumbnail in its place, blurred, and what is being read."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPixmap
from PySide6.QtWidgets import QWidget

from boxrefine_gui.canvas.brushes import CHIP_AIR, chip
from boxrefine_gui.canvas.scene import Scene
from boxrefine_gui.lanes.timers import timer
from boxrefine_gui.state.session import Session
from core.geometry import Box
from core.records import ImageRecord
from core.tones import AS_IT_IS
from core.translation import tr

LATE_MS = 250
"""A picture that is there sooner needs no words, which would only flicker."""

_COARSER, _FINER = 2, 4


class Preview:
    """Follows the open image; `thumbnail_of` gives its thumbnail, or None and the canvas is painted again with it."""

    def __init__(self, session: Session, canvas: QWidget) -> None:
        self.thumbnail_of: Callable[[ImageRecord], QPixmap | None] = lambda _: None
        self._session, self._repaint = session, canvas.update
        self._is_late = False
        self._late = timer(LATE_MS, self._be_late)
        self._late.setParent(canvas)  # it ends with it
        self._blurred = QPixmap()
        self._of: object = None
        session.image_changed.connect(self._begin)

    def _begin(self) -> None:
        self._is_late = False
        self._late.start()

    def _be_late(self) -> None:
        self._is_late = True
        self._repaint()

    def refresh(self) -> None:
        """Paint again, because a thumbnail was read; most are for the list alone."""
        if _read_now(self._session) is not None:
            self._repaint()

    def key(self, scene: Scene) -> object:
        """What `paint` depends on besides the view; None without a thumbnail to show."""
        image = _read_now(scene.session)
        if image is None or scene.session.tones != AS_IT_IS:  # the thumbnail is not in these tones
            return None
        thumbnail = self.thumbnail_of(image)
        if thumbnail is None:
            return None
        if self._of != thumbnail.cacheKey():
            self._blurred, self._of = _blurred(thumbnail), thumbnail.cacheKey()
        return self._of

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """The thumbnail in the place of the picture."""
        image = scene.session.image
        if image is None or self.key(scene) is None:
            return
        place = scene.view.to_screen(Box(0, 0, image.width, image.height))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(place, self._blurred, QRectF(self._blurred.rect()))

    def paint_words(self, painter: QPainter, scene: Scene) -> None:
        """The name of the picture that is read, once that takes long."""
        image = _read_now(scene.session)
        if image is None or not self._is_late:
            return
        words = tr("reading {name}", name=image.path.name)
        width = QFontMetricsF(painter.font()).horizontalAdvance(words) + CHIP_AIR.width()
        chip(painter, scene.size, words, _middle(scene.size) - QPointF(width / 2, 0))


def _read_now(session: Session) -> ImageRecord | None:
    """The open image if its picture is not there yet."""
    image = session.image
    return None if image is None or session.shown_picture is not None or image.id in session.problems else image


def _middle(size: QSizeF) -> QPointF:
    return QPointF(size.width() / 2, size.height() / 2)


def _blurred(thumbnail: QPixmap) -> QPixmap:
    """Take the detail out of a thumbnail: squares of it, many times as large, would look like a defect."""
    smooth = Qt.TransformationMode.SmoothTransformation
    size, keep = thumbnail.size(), Qt.AspectRatioMode.IgnoreAspectRatio
    coarse = thumbnail.scaled((size / _COARSER).expandedTo(QSize(1, 1)), keep, smooth)
    return coarse.scaled(size * _FINER, keep, smooth)
