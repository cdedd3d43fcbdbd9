"""View: maps image pixels to the screen and back; only the canvas knows screen coordinates."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSizeF

from core.geometry import Box

LARGEST_SCALE = 64.0
SMALLEST_SIDE = 24.0
"""A picture is never zoomed out to less than this many screen pixels."""

FIT_MARGIN = 14.0


@dataclass(frozen=True)
class View:
    """screen = image * scale + (left, top), in logical screen pixels."""

    scale: float = 1.0
    left: float = 0.0
    top: float = 0.0

    @classmethod
    def fitting(cls, image: QSizeF, screen: QSizeF) -> View:
        """The view that shows the whole image, centered, with a margin."""
        room = QSizeF(max(screen.width() - 2 * FIT_MARGIN, 1), max(screen.height() - 2 * FIT_MARGIN, 1))
        scale = min(room.width() / image.width(), room.height() / image.height())
        return cls(min(scale, LARGEST_SCALE)).centered(image, screen)

    def centered(self, image: QSizeF, screen: QSizeF) -> View:
        """The same scale, with the image centered on the screen."""
        return View(
            self.scale,
            (screen.width() - image.width() * self.scale) / 2,
            (screen.height() - image.height() * self.scale) / 2,
        )

    def zoomed(self, factor: float, at: QPointF, image: QSizeF) -> View:
        """Scale by `factor`; the image pixel under the screen point `at` stays there."""
        smallest = min(1.0, SMALLEST_SIDE / max(image.width(), image.height()))
        scale = min(max(self.scale * factor, smallest), LARGEST_SCALE)
        ratio = scale / self.scale
        return View(scale, at.x() - (at.x() - self.left) * ratio, at.y() - (at.y() - self.top) * ratio)

    def moved(self, by: QPointF, image: QSizeF, screen: QSizeF) -> View:
        """Pan by screen pixels; some of the image stays visible."""
        keep = 48.0
        left = min(max(self.left + by.x(), keep - image.width() * self.scale), screen.width() - keep)
        top = min(max(self.top + by.y(), keep - image.height() * self.scale), screen.height() - keep)
        return View(self.scale, left, top)

    def to_image(self, point: QPointF) -> tuple[float, float]:
        """Map a screen point to image pixels."""
        return (point.x() - self.left) / self.scale, (point.y() - self.top) / self.scale

    def to_screen(self, box: Box) -> QRectF:
        """Map a box in image pixels to a rectangle on the screen."""
        return QRectF(
            box.x1 * self.scale + self.left,
            box.y1 * self.scale + self.top,
            box.width * self.scale,
            box.height * self.scale,
        )
