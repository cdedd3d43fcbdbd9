"""The canvas widget: turns mouse and key events into calls of the tools, and paints the session's state."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from boxrefine_gui.canvas.backdrop import KeptPixmap, paint_picture
from boxrefine_gui.canvas.draw_box_tool import DrawBoxTool
from boxrefine_gui.canvas.edit_box_tool import EditBoxTool, cursor_for
from boxrefine_gui.canvas.handles import Grip
from boxrefine_gui.canvas.layers import LAYERS, Scene, paint_stored, stored_key
from boxrefine_gui.canvas.picking import box_at, left_at, next_box
from boxrefine_gui.canvas.view import View
from boxrefine_gui.operations import category_verbs, drawing
from boxrefine_gui.operations.box_verbs import Parts
from boxrefine_gui.widgets import theme
from core.translation import tr

_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_ZOOM_A_NOTCH = 1.25
_NOTCH = 120.0
_ROOM_AROUND_BOX = 2.5
_IS_THERE = 0.05
_FAST_NUDGE = 10
_PAN_STEP = 24.0
_PICK_REACH = 5.0


class Canvas(QWidget):
    """The open picture and its boxes."""

    zoom_changed = Signal(float)  # device pixels an image pixel

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self._parts = parts
        self._session = parts.session
        self.draw_tool = DrawBoxTool(parts)
        self.edit_tool = EditBoxTool(parts)
        self._backdrop = KeptPixmap()  # the picture
        self._under = KeptPixmap()  # the picture with the stored boxes
        self._view = View()
        self._fits = True
        self._pan_from: QPointF | None = None
        self._is_space_down = False
        self._hovered_id: int | None = None
        self._cursor_at = QPointF()
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(QSize(240, 180))
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(tr("Picture"))
        self.setAccessibleDescription(tr("Drag to draw a box; Return accepts it, Escape discards it."))
        self._listen()

    def _listen(self) -> None:
        session = self._session
        for signal in (
            session.changed, session.features_changed, session.models_changed, session.drawn_changed,
            session.refinement_changed, session.pending_changed, session.selection_changed, session.category_changed,
            session.settings_changed, session.problem, session.left_changed, session.look_changed,
            session.candidates_changed, session.sight_changed,
        ):  # fmt: skip
            signal.connect(self._repaint)
        session.selection_changed.connect(self._show_selected)
        session.image_changed.connect(self._image_changed)
        session.picture_changed.connect(self._picture_changed)

    def _repaint(self) -> None:
        self.update()

    def _image_changed(self) -> None:
        self._hovered_id, self._fits = None, True
        self.draw_tool.cancel()
        self.edit_tool.cancel()
        if self._session.picture is not None:  # it was cached, and arrived before this signal
            self.fit()
        self.update()

    def _picture_changed(self) -> None:
        if self._fits:
            self.fit()
        self.update()

    # Zoom and pan

    @property
    def view(self) -> View:
        """The current mapping of image pixels to the screen."""
        return self._view

    @property
    def cursor_at(self) -> QPointF:
        """Where the mouse was last, in screen pixels of the canvas."""
        return self._cursor_at

    def fit(self) -> None:
        """Show the whole picture."""
        self._fits = True
        self._set_view(View.fitting(self._image_size, QSizeF(self.size())))

    def show_pixels(self) -> None:
        """Zoom to 1:1, one image pixel on one device pixel, around the middle of the visible part."""
        self.zoom(1.0 / self.devicePixelRatioF() / self._view.scale)

    def zoom(self, factor: float, at: QPointF | None = None) -> None:
        """Zoom by `factor` around the screen point `at`, or the middle."""
        self._fits = False
        middle = QPointF(self.width() / 2, self.height() / 2)
        self._set_view(self._view.zoomed(factor, at if at is not None else middle, self._image_size))

    def zoom_to_box(self) -> None:
        """Zoom to the drawn or selected box and its surroundings; if that is in view, show the whole picture."""
        box = self.edit_tool.target
        if box is None:
            return
        before, rect = self._view, self._view.to_screen(box)
        sides = self.width() / max(rect.width(), 1e-6), self.height() / max(rect.height(), 1e-6)
        factor = min(sides) / _ROOM_AROUND_BOX
        if not self._fits and abs(factor - 1) < _IS_THERE:
            self.fit()
            return
        self.zoom(factor, rect.center())
        self._pan(QRectF(self.rect()).center() - self._view.to_screen(box).center())
        if self._view == before:  # the largest scale is reached
            self.fit()

    def _pan(self, by: QPointF) -> None:
        self._fits = False
        self._set_view(self._view.moved(by, self._image_size, QSizeF(self.size())))

    def _show_selected(self) -> None:
        """Pan to a box selected by Tab or in the list, if it is outside the visible part."""
        selected = self._session.selected
        if selected is not None:
            place = self._view.to_screen(self._session.box_of(selected))
            if not place.intersects(QRectF(self.rect())):
                self._pan(QRectF(self.rect()).center() - place.center())

    def _set_view(self, view: View) -> None:
        self._view = view
        self.zoom_changed.emit(view.scale * self.devicePixelRatioF())
        self.update()

    @property
    def _image_size(self) -> QSizeF:
        picture = self._session.picture
        return QSizeF(picture.levels[0].size()) if picture is not None else QSizeF(self.size())

    # Events

    def paintEvent(self, event: QPaintEvent) -> None:
        is_dragging = self.draw_tool.is_drawing or self.edit_tool.is_active
        scene = Scene(self._session, self._view, QSizeF(self.size()), is_dragging, self._hovered_id)
        painter = QPainter(self)
        self._under.paint(
            painter, (self._picture_key(), stored_key(scene)), self.size(), partial(self._paint_under, scene)
        )
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for paint in LAYERS:
            paint(painter, scene)
        painter.end()

    def _picture_key(self) -> tuple[object, ...]:
        picture = self._session.picture
        return picture.levels[0].cacheKey() if picture else 0, self._view, theme.canvas_ground().rgba()

    def _paint_under(self, scene: Scene, painter: QPainter) -> None:
        self._backdrop.paint(painter, self._picture_key(), self.size(), self._paint_picture)
        paint_stored(painter, scene)

    def _paint_picture(self, painter: QPainter) -> None:
        paint_picture(painter, self._session.picture, self._view, self.size(), theme.canvas_ground())

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self._fits:
            self.fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        notches = event.angleDelta().y() / _NOTCH
        if notches:
            self.zoom(_ZOOM_A_NOTCH**notches, event.position())
        event.accept()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QNativeGestureEvent) and event.gestureType() is Qt.NativeGestureType.ZoomNativeGesture:
            self.zoom(1.0 + event.value(), event.position())
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.edit_tool.commit()
        point, is_left = event.position(), event.button() is Qt.MouseButton.LeftButton
        if event.button() is Qt.MouseButton.MiddleButton or (is_left and self._is_space_down):
            self._pan_from = point
        elif is_left and self._session.picture is not None:
            is_drawing = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            grip = None if is_drawing else self._grip_at(point, event.modifiers())
            if grip is not None:
                self.edit_tool.press(grip, point)
            else:
                self.draw_tool.press(point, self._view)
        self._show_cursor(point, event.modifiers())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        point = event.position()
        if self._pan_from is not None:
            self._pan(point - self._pan_from)
            self._pan_from = point
        elif self.edit_tool.is_active:
            self.edit_tool.move(point, self._view)
        elif event.buttons() & Qt.MouseButton.LeftButton:
            self.draw_tool.move(point, self._view, plain=_has_alt(event.modifiers()))
        else:
            self._hover(point)
        self._show_cursor(point, event.modifiers())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        point = event.position()
        if self._pan_from is not None:
            self._pan_from = None
        elif event.button() is not Qt.MouseButton.LeftButton:
            return
        else:
            was_drag = self.edit_tool.release() if self.edit_tool.is_active else self.draw_tool.release(self._view)
            if not was_drag:
                self._pick(point)
        self._show_cursor(point, event.modifiers())
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._set_hovered(None)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._is_space_down = False
        self.edit_tool.commit()
        super().focusOutEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab selects the next box; without boxes it moves the focus, as in other widgets."""
        wanted = next_box(self._session, 1 if forward else -1)
        if wanted is None or self._session.draft is not None:
            return super().focusNextPrevChild(forward)
        self.edit_tool.commit()
        self._session.select(wanted)
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, modifiers = Qt.Key(event.key()), event.modifiers()
        if key in _ARROWS:
            step = _FAST_NUDGE if modifiers & Qt.KeyboardModifier.ShiftModifier else 1
            right, down = (direction * step for direction in _ARROWS[key])
            is_edge = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
            if self.edit_tool.target is not None:
                self.edit_tool.nudge(right=right, down=down, is_edge=is_edge)
            else:
                self._pan(QPointF(-right, -down) * _PAN_STEP)
        elif key is Qt.Key.Key_Space:
            self._is_space_down = True
            self.setCursor(Qt.CursorShape.OpenHandCursor)
        elif key is Qt.Key.Key_Alt:
            self.draw_tool.set_plain(True, self._view)
        elif key is Qt.Key.Key_Shift:
            self._show_cursor(self._cursor_at, Qt.KeyboardModifier.ShiftModifier)
        elif modifiers or not category_verbs.type_key(self._parts, event.text()):
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if event.isAutoRepeat():
            return
        if key in _ARROWS:
            self.edit_tool.commit()
        elif key is Qt.Key.Key_Space:
            self._is_space_down = False
            self.setCursor(Qt.CursorShape.CrossCursor)
        elif key is Qt.Key.Key_Alt:
            self.draw_tool.set_plain(False, self._view)
        elif key is Qt.Key.Key_Shift:
            self._show_cursor(self._cursor_at, Qt.KeyboardModifier.NoModifier)
        else:
            super().keyReleaseEvent(event)

    def cancel_drag(self) -> bool:
        """Cancel the current drag; the result is False if there is none."""
        is_dragging = self.draw_tool.is_drawing or self.edit_tool.is_active
        self.draw_tool.cancel()
        self.edit_tool.cancel()
        return is_dragging

    # Mouse without a button

    def _hover(self, point: QPointF) -> None:
        self._set_hovered(None if self._session.draft is not None else self._box_at(point))

    def _set_hovered(self, correction_id: int | None) -> None:
        if correction_id != self._hovered_id:
            self._hovered_id = correction_id
            self.update()

    def _box_at(self, point: QPointF) -> int | None:
        reach = _PICK_REACH / self._view.scale
        return box_at(self._session, *self._view.to_image(point), reach=reach)

    def _pick(self, point: QPointF) -> None:
        """Pick the smallest box at a point: a waiting drawn box becomes the drawn box, a stored one is selected."""
        session, (x, y), reach = self._session, self._view.to_image(point), _PICK_REACH / self._view.scale
        waiting, stored = left_at(session, x, y, reach=reach), box_at(session, x, y, reach=reach)
        if waiting is not None:
            drawing.take_in_hand(self._parts, waiting)
        elif session.draft is None:
            session.select(stored)
        elif stored is not None and (session.draft.was_left or not session.settings.accept_when_going_on):
            session.leave_draft()
            session.select(stored)

    def _grip_at(self, point: QPointF, modifiers: Qt.KeyboardModifier) -> Grip | None:
        return self.edit_tool.grip_at(point, self._view, by_inside=bool(modifiers & Qt.KeyboardModifier.ShiftModifier))

    def _show_cursor(self, point: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        self._cursor_at = point
        if self._pan_from is not None:
            shape = Qt.CursorShape.ClosedHandCursor
        elif self._is_space_down:
            shape = Qt.CursorShape.OpenHandCursor
        elif self.draw_tool.is_drawing or (grip := self._grip_at(point, modifiers)) is None:
            shape = Qt.CursorShape.CrossCursor
        elif self.edit_tool.is_active:
            return
        else:
            shape = cursor_for(grip)
        if self.cursor().shape() is not shape:
            self.setCursor(shape)


def _has_alt(modifiers: Qt.KeyboardModifier) -> bool:
    return bool(modifiers & Qt.KeyboardModifier.AltModifier)
