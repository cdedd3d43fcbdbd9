"""Scene: what the canvas shows at one moment."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QSizeF
from PySide6.QtGui import QColor

from boxrefine_gui.canvas.click_tool import Clicks
from boxrefine_gui.canvas.handles import Grip, Nudged
from boxrefine_gui.canvas.view import View
from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets import theme
from core.geometry import Box


@dataclass(frozen=True)
class Scene:
    """All that painting depends on."""

    session: Session
    view: View
    size: QSizeF
    is_dragging: bool
    hovered_id: int | None
    band: Box | None = None
    banded: frozenset[int] = frozenset()
    clicks: Clicks | None = None
    pointer: QPointF | None = None  # None outside the canvas, and while it pans
    dragged: Box | None = None  # what follows the pointer
    grip: Grip | None = None  # the edges of it that do, None if all do
    nudged: Nudged | None = None  # the edge that arrow keys move
    hides: bool = False  # the boxes are hidden while a key is held

    def color(self, category_id: int) -> QColor:
        """The color of a category in the open project."""
        return theme.category_color(category_id, self.session.colors)

    def line(self, width: float) -> float:
        """The width of a line in screen pixels that is `width` with the setting's default."""
        return width * self.session.settings.line_width / 2
