"""The drawing tool, which is always active: a drag draws a box, a press without a drag is a click."""

from __future__ import annotations

import time

from PySide6.QtCore import QPointF

from boxrefine_gui.canvas.view import View
from boxrefine_gui.operations import drawing, redrawing
from boxrefine_gui.operations.box_verbs import Parts
from core.geometry import Box, clip
from core.records import DrawnBy
from core.translation import tr


class DrawBoxTool:
    """Turns a drag on the canvas into the session's drawn box, in image pixels."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._start: QPointF | None = None
        self._anchor = (0.0, 0.0)  # _start in image pixels: it stays there when the view changes during the drag
        self._point = QPointF()
        self._pressed_at = 0.0
        self._is_drawing = False
        self._is_plain = False
        self._number = 0  # of the draft that is being drawn
        self._is_over = False  # the drag has ended while the button is down, so its release means nothing
        parts.session.drawn_changed.connect(self._follow)

    @property
    def is_open(self) -> bool:
        """Whether a corner is set and the opposite one is not."""
        return self._start is not None

    @property
    def is_click(self) -> bool:
        """Whether the pointer is still where it was pressed."""
        return not self._is_drawing and not self._is_long

    @property
    def anchor(self) -> tuple[float, float]:
        """The corner that is set, in image pixels."""
        return self._anchor

    @property
    def is_drawing(self) -> bool:
        return self._is_drawing

    def press(self, point: QPointF, view: View) -> None:
        """The mouse button goes down: the time that this correction takes starts here."""
        self._start = self._point = point
        self._anchor = view.to_image(point)
        self._pressed_at = time.monotonic()
        self._is_drawing = self._is_over = self._parts.session.is_clicking = False

    def move(self, point: QPointF, view: View, *, plain: bool) -> None:
        """Draw to `point` on the screen; `plain` switches the refinement off."""
        if self._start is None:
            return
        self._point, self._is_plain = point, plain
        box = self._box(view)
        if box is None:
            return  # the drag is still outside the picture
        if self._is_drawing:
            self._parts.session.set_drawn(box, plain=self._plain)
        elif self.is_large_enough(box, view):
            session = self._parts.session
            way = DrawnBy.TWO_CLICKS if session.is_clicking else DrawnBy.DRAG
            session.start_draft(box, pressed_at=self._pressed_at, plain=self._plain, held=True, drawn_by=way)
            if session.draft is not None:
                self._is_drawing, self._number = True, session.draft.number

    def set_plain(self, plain: bool, view: View) -> None:
        """Alt went down or up during the drag."""
        if self._is_drawing:
            self.move(self._point, view, plain=plain)

    def release(self, view: View) -> bool:
        """The mouse button goes up. The result is False if it was a click and not a drag.

        A drag that ends below the least size is a slip and draws nothing; if it was long, the window shows why.
        """
        if self._is_over:
            self._is_over = False
            return True
        was_drawing, is_long = self._is_drawing, self._is_long
        if self.finish(view):
            self.let_go()
            return True
        self._end()
        if was_drawing:
            drawing.give_up_drag(self._parts)
        if is_long and self._box(view) is not None:
            self._parts.session.tell(
                tr(
                    "That made no box: each side takes {least} pixels of the screen. Zoom in for a smaller one; "
                    "the preferences have the limit.",
                    least=self._least,
                )
            )
        return was_drawing or is_long

    def finish(self, view: View) -> bool:
        """End the drag with the box as it is now; False if it is too small for that, and the drag goes on."""
        draft = self._parts.session.draft
        if not self._is_drawing or draft is None or not self.is_large_enough(draft.drawn, view):
            return False
        self._end()
        return True

    def let_go(self, *, may_accept: bool = True) -> None:
        """Handle the box of a finished drag: with Alt, one over the box in hand gives that its edges."""
        if not (self._is_plain and redrawing.take_as_redrawn(self._parts)):
            drawing.let_go(self._parts, may_accept=may_accept)

    def cancel(self) -> None:
        """Cancel the drag; the box that was drawn before it becomes the drawn box again."""
        if self._start is not None:
            was_drawing = self._is_drawing
            self.drop()
            if was_drawing:
                drawing.give_up_drag(self._parts)

    def drop(self) -> None:
        """End the drag without a box; the button may still be down, and its release then means nothing."""
        self._end()
        self._is_over = True

    def _end(self) -> None:
        self._start, self._is_drawing, self._parts.session.is_clicking = None, False, False

    def _follow(self) -> None:
        """Another key has settled the box of this drag: accepted, discarded or left it."""
        draft = self._parts.session.draft
        if self._is_drawing and (draft is None or draft.number != self._number):
            self.drop()

    @property
    def _is_long(self) -> bool:
        return self._start is not None and _reach(self._point - self._start) >= self._least

    @property
    def _least(self) -> int:
        return max(self._parts.session.settings.least_drag, 1)

    def is_large_enough(self, box: Box, view: View) -> bool:
        """Whether a box is larger than a slip of the hand."""
        return min(box.width, box.height) * view.scale >= self._least

    @property
    def _plain(self) -> bool:
        return self._is_plain or not self._parts.session.snapping

    def _box(self, view: View) -> Box | None:
        image = self._parts.session.image
        drawn = Box(*self._anchor, *view.to_image(self._point)).ordered()
        if image is None or drawn.x2 <= 0 or drawn.y2 <= 0 or drawn.x1 >= image.width or drawn.y1 >= image.height:
            return None
        return Box.of(clip([drawn], width=image.width, height=image.height)[0])


def _reach(way: QPointF) -> float:
    """The longer component of a way on the screen."""
    return max(abs(way.x()), abs(way.y()))
