"""The size of the open picture, and where the pointer is on it, for the status bar."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSizeF

from boxrefine_gui.canvas.view import View
from boxrefine_gui.state.pointer import Where
from boxrefine_gui.state.session import Session
from boxrefine_gui.state.session_state import CanvasPicture
from core.geometry import Box


def where(point: QPointF | None, view: View, picture: CanvasPicture | None, dragged: Box | None) -> Where | None:
    """The pixel under a screen point; None outside the picture, unless a box is dragged there."""
    if point is None or picture is None:
        return None
    x, y = view.to_image(point)
    width, height = picture.size.width(), picture.size.height()
    if dragged is None and not (0 <= x < width and 0 <= y < height):
        return None
    size = None if dragged is None else (round(dragged.width), round(dragged.height))
    return Where(min(max(int(x), 0), width - 1), min(max(int(y), 0), height - 1), size)


def image_size(session: Session) -> QSizeF | None:
    """The size of the open image in pixels, also before its picture is read; None if it is unknown."""
    if session.picture is not None:
        return QSizeF(session.picture.size)
    image = session.image
    return QSizeF(image.width, image.height) if image is not None and image.width > 0 else None
