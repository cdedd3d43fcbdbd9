"""Where the pointer is on the picture, for the status bar."""

from __future__ import annotations

from PySide6.QtCore import QPointF

from boxrefine_gui.canvas.view import View
from boxrefine_gui.state.pointer import Where
from boxrefine_gui.state.session_state import CanvasPicture
from core.geometry import Box


def where(point: QPointF | None, view: View, picture: CanvasPicture | None, dragged: Box | None) -> Where | None:
    """The pixel under a screen point; None outside the picture, unless a box is dragged there."""
    if point is None or picture is None:
        return None
    x, y = view.to_image(point)
    width, height = picture.levels[0].width(), picture.levels[0].height()
    if dragged is None and not (0 <= x < width and 0 <= y < height):
        return None
    size = None if dragged is None else (round(dragged.width), round(dragged.height))
    return Where(min(max(int(x), 0), width - 1), min(max(int(y), 0), height - 1), size)
