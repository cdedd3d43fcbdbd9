"""The click tool: draws by two clicks on opposite corners, or by four on the outermost points of an object."""

from __future__ import annotations

import time
from dataclasses import dataclass

from PySide6.QtCore import QPointF, Qt

from boxrefine_gui.canvas.draw_box_tool import DrawBoxTool
from boxrefine_gui.canvas.view import View
from boxrefine_gui.operations import drawing
from boxrefine_gui.operations.parts import Parts
from core.geometry import Box
from core.records import DrawnBy
from core.translation import tr

POINTS = 4
_FOR_DRAGS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
"""With one of these keys a click selects and a drag draws or moves, however boxes are drawn."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Clicks:
    """What is clicked so far, in image pixels: its points, the box that they and the pointer make, and what to do."""

    points: tuple[Point, ...]
    box: Box | None
    words: str


class ClickTool:
    """Takes the left button where the user draws by clicks; a drag draws here as well, while no click is set.

    Between two clicks the drawing tool does what it does in a drag, without a button.
    """

    def __init__(self, parts: Parts, draw_tool: DrawBoxTool) -> None:
        self._parts = parts
        self._draw_tool = draw_tool
        self.has_press = False  # the button is down, and this tool has got the press
        self._has_corner = False
        self._points: list[Point] = []
        self._pointer: Point | None = None
        self._pressed_at = 0.0
        self._way = parts.session.settings.draw_by
        parts.session.settings_changed.connect(self._settings_changed)

    @property
    def is_active(self) -> bool:
        """Whether a click is set and the box is not there yet."""
        return bool(self._points) or self._follows

    @property
    def _follows(self) -> bool:
        return self._has_corner and self._draw_tool.is_open

    @property
    def clicks(self) -> Clicks | None:
        """What is clicked so far, None without a click."""
        if self._follows:
            points = () if self._draw_tool.is_drawing else (self._draw_tool.anchor,)
            return Clicks(points, None, tr("Click the opposite corner."))
        if not self._points:
            return None
        left = POINTS - len(self._points)
        words = {
            3: tr("Click three more outermost points of the object."),
            2: tr("Click two more outermost points of the object."),
            1: tr("Click the last outermost point of the object."),
        }
        return Clicks(tuple(self._points), self._bounds(), words[left])

    def takes(self, modifiers: Qt.KeyboardModifier) -> bool:
        """Whether a press of the left button is for this tool."""
        return self.is_active or (self._way != "drag" and not modifiers & _FOR_DRAGS)

    def press(self, point: QPointF, view: View) -> None:
        """The button goes down. The box is made as the button goes up, so that the pointer can still be corrected."""
        self.has_press = True
        if not self.is_active:
            self._has_corner, self._pressed_at = False, time.monotonic()
            self._draw_tool.press(point, view)

    def move(self, point: QPointF, view: View, *, plain: bool) -> None:
        """The pointer moves, with or without the button; `plain` switches the refinement off."""
        if self._points:
            self._pointer = self._inside(view.to_image(point))
        else:
            self._draw_tool.move(point, view, plain=plain)

    def release(self, point: QPointF, view: View, *, plain: bool) -> None:
        """The button goes up: a corner, a point, or the end of a drag."""
        tool, self.has_press = self._draw_tool, False
        if self._points:
            self._add(point, view, plain=plain)
        elif self._follows:
            tool.move(point, view, plain=plain)
            tool.release(view)  # a second click at the same place takes the corner back
        elif not tool.is_open or not tool.is_click:
            tool.release(view)
        elif self._way == "two_clicks":
            self._has_corner = self._parts.session.is_clicking = True
        else:
            tool.drop()
            self._add(point, view, plain=plain)

    def take_back(self) -> bool:
        """Take the last of four points back; False if there is none."""
        if self._points:
            self._points.pop()
            return True
        return False

    def cancel(self) -> bool:
        """Forget all points; False if there is none. A corner is the drawing tool's."""
        had_any = self.is_active
        self._points, self._has_corner = [], False
        return had_any

    def _settings_changed(self) -> None:
        wanted = self._parts.session.settings.draw_by
        if wanted != self._way:
            if self.is_active:
                self._draw_tool.cancel()
            self.cancel()
            self._way = wanted

    def _add(self, point: QPointF, view: View, *, plain: bool) -> None:
        at = self._inside(view.to_image(point))
        if at is None:
            return
        self._pointer = at
        self._points.append(at)
        box = self._bounds()
        if len(self._points) < POINTS or box is None:
            return
        if not self._draw_tool.is_large_enough(box, view):
            self._points.pop()
            self._parts.session.tell(
                tr("These points make no box: one of its sides is too short. Click another last point.")
            )
            return
        self._points = []
        session = self._parts.session
        wants_none = plain or not session.snapping
        session.start_draft(box, pressed_at=self._pressed_at, plain=wants_none, held=True, drawn_by=DrawnBy.FOUR_POINTS)
        drawing.let_go(self._parts)

    def _bounds(self) -> Box | None:
        pointer = [self._pointer] if self._pointer is not None else []
        xs, ys = zip(*self._points, *pointer, strict=True)
        return Box(min(xs), min(ys), max(xs), max(ys))

    def _inside(self, point: Point) -> Point | None:
        """The point of the picture that is next to `point`, None without a picture."""
        image = self._parts.session.image
        return None if image is None else (min(max(point[0], 0), image.width), min(max(point[1], 0), image.height))
