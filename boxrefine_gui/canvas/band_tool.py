"""The rubber band: a drag with Shift selects the boxes whose middle it covers."""

from __future__ import annotations

from PySide6.QtCore import QPointF

from boxrefine_gui.canvas.edit_box_tool import CLICK_REACH
from boxrefine_gui.canvas.picking import boxes_in
from boxrefine_gui.canvas.view import View
from boxrefine_gui.operations import drawing
from boxrefine_gui.operations.box_verbs import Parts
from core.geometry import Box


class BandTool:
    """Turns a drag into a rectangle in image pixels, and at its end into a selection."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._start: QPointF | None = None
        self._anchor = (0.0, 0.0)
        self._adds = False
        self.band: Box | None = None

    @property
    def is_active(self) -> bool:
        return self._start is not None

    @property
    def covered(self) -> frozenset[int]:
        """The ids of the boxes that are selected if the drag ends now."""
        return frozenset() if self.band is None else boxes_in(self._parts.session, self.band)

    def press(self, point: QPointF, view: View, *, adds: bool) -> None:
        """Start a drag; it `adds` to the selection, or replaces it."""
        self._start, self._anchor, self._adds, self.band = point, view.to_image(point), adds, None

    def move(self, point: QPointF, view: View) -> None:
        """Show the band to the mouse's position."""
        if self._start is None:
            return
        way = point - self._start
        if self.band is not None or max(abs(way.x()), abs(way.y())) >= CLICK_REACH:
            self.band = Box(*self._anchor, *view.to_image(point)).ordered()

    def release(self) -> bool:
        """End the drag and select. The result is False if it was a click and not a drag."""
        session, covered, was_drag = self._parts.session, self.covered, self.band is not None
        self.cancel()
        if was_drag:
            drawing.go_on(self._parts)
            before = {entry.id for entry in session.selection} if self._adds else set()
            chosen = before | covered
            session.select(min(chosen, default=None), chosen)
        return was_drag

    def cancel(self) -> None:
        """End the drag without a selection."""
        self._start, self.band = None, None
