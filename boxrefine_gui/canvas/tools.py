"""Tools: which tool the left button and the arrow keys are for, and how a key ends what the mouse has begun."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt

from boxrefine_gui.canvas.band_tool import BandTool
from boxrefine_gui.canvas.click_tool import ClickTool
from boxrefine_gui.canvas.draw_box_tool import DrawBoxTool
from boxrefine_gui.canvas.edit_box_tool import EditBoxTool
from boxrefine_gui.canvas.handles import Grip
from boxrefine_gui.canvas.key_box_tool import KeyBoxTool
from boxrefine_gui.canvas.view import View
from boxrefine_gui.operations.parts import Parts
from core.geometry import Box

ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
"""Which way each arrow key moves, right and down."""


class Tools:
    """The tools of a canvas; points are on its screen."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.draw = DrawBoxTool(parts)
        self.edit = EditBoxTool(parts)
        self.click = ClickTool(parts, self.draw)
        self.key = KeyBoxTool(parts)
        self.band = BandTool(parts)

    @property
    def is_dragging(self) -> bool:
        """Whether a box or a rubber band follows the mouse."""
        return self.draw.is_drawing or self.edit.is_active or self.band.is_active

    @property
    def is_drawing(self) -> bool:
        """Whether a box is half drawn, by a drag or by clicks."""
        return self.draw.is_drawing or self.click.is_active

    @property
    def dragged(self) -> Box | None:
        """The box that follows the mouse: the one that is drawn, moved or sized, the rubber band, or that of clicks."""
        draft = self._parts.session.draft
        if self.draw.is_drawing and draft is not None:
            return draft.drawn
        if self.edit.is_moving:
            return self.edit.target
        return self.band.band or (self.click.clicks.box if self.click.clicks is not None else None)

    def press(self, point: QPointF, view: View, modifiers: Qt.KeyboardModifier) -> None:
        """The left button goes down."""
        has_ctrl = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
        is_drawing = self.click.is_active or has_ctrl or _has_alt(modifiers)
        grip = None if is_drawing else self.grip_at(point, view, modifiers)
        if grip is not None:
            self.edit.press(grip, point)
        elif not self.click.is_active and modifiers & Qt.KeyboardModifier.ShiftModifier:
            self.band.press(point, view, adds=has_ctrl)
        elif self.click.takes(modifiers):
            self.click.press(point, view)
        else:
            self.draw.press(point, view)

    def move(self, point: QPointF, view: View, modifiers: Qt.KeyboardModifier, *, is_down: bool) -> bool:
        """The pointer moves, with or without the left button; the result is False if no tool follows it."""
        if self.edit.is_active:
            self.edit.move(point, view)
        elif self.band.is_active:
            self.band.move(point, view)
        elif self.click.is_active:
            self.click.move(point, view, plain=_has_alt(modifiers))
        elif is_down:
            self.draw.move(point, view, plain=_has_alt(modifiers))
        else:
            return False
        return True

    def release(self, point: QPointF, view: View, modifiers: Qt.KeyboardModifier) -> bool:
        """The left button goes up; the result is False if it was a click that selects."""
        if self.edit.is_active:
            return self.edit.release()
        if self.band.is_active:
            return self.band.release()
        if self.click.has_press:
            self.click.release(point, view, plain=_has_alt(modifiers))
            return True
        return self.draw.release(view)

    def grip_at(self, point: QPointF, view: View, modifiers: Qt.KeyboardModifier) -> Grip | None:
        """The grip of the drawn or selected box at a point; with Shift, its whole inside is one."""
        return self.edit.grip_at(point, view, by_inside=bool(modifiers & Qt.KeyboardModifier.ShiftModifier))

    # Keys

    def arrow(self, right: int, down: int, *, is_edge: bool, view: View) -> bool:
        """Move a box, or an edge of it, by presses of arrow keys; the result is False if there is no box."""
        if self.key.is_active:
            self.key.step(right, down, sizes=is_edge, scale=view.scale)
        elif self.edit.target is not None:
            self.edit.nudge(right=right, down=down, is_edge=is_edge)
        else:
            return False
        return True

    def commit(self) -> None:
        """End what the arrow keys have begun."""
        self.edit.commit()
        self.key.end()

    def cancel(self) -> bool:
        """Cancel the current drag, or all clicks; the result is False if there is nothing to cancel."""
        is_any = self.is_dragging or self.click.is_active
        self.draw.cancel()
        self.edit.cancel()
        self.click.cancel()
        self.band.cancel()
        return is_any

    def take_back(self) -> bool:
        """Take back the last of several clicks, or cancel the current drag; the result is False without either."""
        return self.click.take_back() or self.cancel()

    def end(self, view: View) -> bool:
        """End the current drag where it is now, so that its box can be accepted; False if that is too small yet.

        The release of the button then means nothing.
        """
        self.commit()
        if self.edit.is_active:
            self.edit.release()
            self.draw.drop()
        elif self.draw.is_drawing:
            if not self.draw.finish(view):
                return False
            self.draw.drop()
            self.draw.let_go(may_accept=False)
        return True

    def put_box(self, pointer: QPointF | None, view: View, screen: QRectF) -> None:
        """Put a box at the pointer for the arrow keys, in the middle of what is visible if the pointer is elsewhere."""
        image = self._parts.session.image
        if image is None:
            return
        self.cancel()
        corners = view.to_image(screen.topLeft()), view.to_image(screen.bottomRight())
        (x1, y1), (x2, y2) = ((min(max(x, 0), image.width), min(max(y, 0), image.height)) for x, y in corners)
        x, y = view.to_image(pointer) if pointer is not None else (-1.0, -1.0)
        if not (x1 <= x <= x2 and y1 <= y <= y2):
            x, y = (x1 + x2) / 2, (y1 + y2) / 2
        self.key.put(x, y, visible=Box(x1, y1, x2, y2))


def _has_alt(modifiers: Qt.KeyboardModifier) -> bool:
    return bool(modifiers & Qt.KeyboardModifier.AltModifier)
