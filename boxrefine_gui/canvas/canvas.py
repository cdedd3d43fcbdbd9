"""The canvas widget: turns mouse and key events into calls of the tools, and paints the session's state."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QCursor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from boxrefine_gui.canvas.clicking import pick
from boxrefine_gui.canvas.crosshair import crosshair_region
from boxrefine_gui.canvas.edit_box_tool import cursor_for
from boxrefine_gui.canvas.hand import Hand
from boxrefine_gui.canvas.hiding import Hiding
from boxrefine_gui.canvas.keep_view import keeps_view
from boxrefine_gui.canvas.painting import Painting
from boxrefine_gui.canvas.picking import box_at, next_box
from boxrefine_gui.canvas.pointer import image_size, where
from boxrefine_gui.canvas.scene import Scene
from boxrefine_gui.canvas.tools import ARROWS, Tools
from boxrefine_gui.canvas.view import View
from boxrefine_gui.lanes.timers import timer
from boxrefine_gui.operations import category_verbs
from boxrefine_gui.operations.box_verbs import Parts
from boxrefine_gui.state.pointer import Where
from boxrefine_gui.widgets.held_keys import held_keys
from boxrefine_gui.widgets.mouse_keys import mouse_key
from core.records import ImageRecord
from core.translation import tr

_ZOOM_A_NOTCH, _NOTCH = 1.25, 120.0
_ROOM_AROUND_BOX, _IS_THERE = 2.5, 0.05
_FAST_NUDGE, _PAN_STEP = 10, 24.0
_PICK_REACH = 5.0
_ADDS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
_TAP_MS = 30
"""Space has gone up if it does not go down again within this time; see `HeldKeys`."""


class Canvas(QWidget):
    """The open picture and its boxes."""

    zoom_changed = Signal(float)  # device pixels an image pixel
    pointed = Signal(object)  # Where the pointer is on the picture, None outside it
    key_pressed = Signal(str)  # a key that is no shortcut of Qt's: a mouse button, or a tap of Space where it pans

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self._parts = parts
        self._session = parts.session
        self.tools = Tools(parts)
        self.tools.edit.run_pause.timeout.connect(self.update)
        self.painting = Painting(self._session, self)
        self._view = View()
        self._fits = True
        self._hand = Hand()
        self._held_keys = held_keys(self)
        self._tap = timer(_TAP_MS, lambda: self.key_pressed.emit("Space"))
        self._hovered_id: int | None = None
        self._shown: ImageRecord | None = None
        self.hiding = Hiding(self)
        self._pointer: QPointF | None = None  # None outside the canvas
        self._where: Where | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(QSize(240, 180))
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(tr("Picture"))
        self.setAccessibleDescription(tr("Drag to draw a box; Space accepts it, Escape discards it."))
        self._listen()

    def _listen(self) -> None:
        session = self._session
        for signal in (
            session.changed, session.features_changed, session.models_changed, session.drawn_changed,
            session.refinement_changed, session.pending_changed, session.selection_changed, session.category_changed,
            session.settings_changed, session.problem, session.left_changed, session.look_changed,
            session.candidates_changed, session.sight_changed, session.tones_changed, session.toned_changed,
            session.tiles_changed,
        ):  # fmt: skip
            signal.connect(self._repaint)
        session.selection_changed.connect(self._show_selected)
        session.image_changed.connect(self._image_changed)
        session.picture_changed.connect(self._picture_changed)

    def _repaint(self) -> None:
        self.update()

    def _image_changed(self) -> None:
        before, self._shown = self._shown, self._session.image
        self._hovered_id = None
        if not keeps_view(before, self._shown, self._session.settings.keep_view):
            self._fits = True
        self.cancel_drag()
        if self._shown is not None and self._fits:
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
        """Where the pointer is, in screen pixels of the canvas; its middle if it is outside."""
        return self._pointer if self._pointer is not None else QPointF(self.width() / 2, self.height() / 2)

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
        box = self.tools.edit.target
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
        self._point_at(self._pointer)  # another pixel may be under it now
        self.update()

    @property
    def _image_size(self) -> QSizeF:
        return image_size(self._session) or QSizeF(self.size())

    # Events

    def paintEvent(self, event: QPaintEvent) -> None:
        self.painting.paint(self, self._scene)

    @property
    def _scene(self) -> Scene:
        tools, band = self.tools, self.tools.band
        return Scene(
            self._session,
            self._view,
            QSizeF(self.size()),
            tools.is_dragging,
            self._hovered_id,
            band.band,
            band.covered,
            clicks=tools.click.clicks,
            pointer=None if self._hand.is_panning else self._pointer,
            dragged=tools.dragged,
            grip=tools.edit.moved_edges,
            nudged=tools.edit.nudged,
            hides=self.hiding.is_on,
        )

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
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._is_space(event):
            event.accept()  # else the press would trigger an action before a drag could follow
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.tools.commit()
        point, is_left = event.position(), event.button() is Qt.MouseButton.LeftButton
        if self._hand.press(event.button(), point) or (is_left and self._drag_minimap(point)):
            pass
        elif is_left and self._session.picture is not None:
            self.tools.press(point, self._view, event.modifiers())
        elif event.buttons() == event.button() and event.modifiers() == Qt.KeyboardModifier.NoModifier:
            self.key_pressed.emit(mouse_key(event.button()))
        self._show_cursor(point, event.modifiers())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        point, is_down = event.position(), bool(event.buttons() & Qt.MouseButton.LeftButton)
        if self._hand.is_panning:
            self._pan(self._hand.move(point))
        elif self.painting.minimap.is_held:
            self._drag_minimap(point)
        elif not self.tools.move(point, self._view, event.modifiers(), is_down=is_down):
            self._hover(point)
        if self.tools.click.is_active or self.tools.band.is_active:
            self.update()
        self._point_at(point)
        self._show_cursor(point, event.modifiers())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        point = event.position()
        self.hiding.went_up()
        if (key := self._hand.release(event.button())) is not None:
            self.key_pressed.emit(key)
        elif event.button() is not Qt.MouseButton.LeftButton:
            return
        elif self.painting.minimap.is_held:
            self.painting.minimap.is_held = False
        elif not self.tools.release(point, self._view, event.modifiers()):
            adds = bool(event.modifiers() & _ADDS)
            pick(self._parts, *self._view.to_image(point), reach=_PICK_REACH / self._view.scale, adds=adds)
        self._point_at(point)
        self._show_cursor(point, event.modifiers())
        self.update()

    def _drag_minimap(self, point: QPointF) -> bool:
        """Pan to what a point of the minimap shows; the result is False elsewhere."""
        way = self.painting.minimap.way(point, self._scene, self.devicePixelRatioF())
        if way is not None:
            self.painting.minimap.is_held = True
            self._pan(way)
        return way is not None

    def _is_on_minimap(self, point: QPointF) -> bool:
        return self.painting.minimap.way(point, self._scene, self.devicePixelRatioF()) is not None

    def leaveEvent(self, event: QEvent) -> None:
        self._set_hovered(None)
        self._point_at(None)

    def _point_at(self, point: QPointF | None) -> None:
        """Follow the pointer: repaint what the crosshair covers, and report where it is on the picture."""
        if self._session.settings.crosshair:
            size = QSizeF(self.size())
            self.update(crosshair_region(self._pointer, size).united(crosshair_region(point, size)))
        if point is not None and self._is_on_minimap(point):
            point = None
        self._pointer = point
        found = where(point, self._view, self._session.picture, self.tools.dragged)
        if found != self._where:
            self._where = found
            self.pointed.emit(found)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._hand.let_space_go()
        self.hiding.end()
        self._tap.stop()
        self.tools.commit()
        super().focusOutEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab selects the next box; without boxes it moves the focus, as in other widgets."""
        wanted = next_box(self._session, 1 if forward else -1)
        if wanted is None or self._session.draft is not None:
            return super().focusNextPrevChild(forward)
        self.tools.commit()
        self._session.select(wanted)
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, modifiers = Qt.Key(event.key()), event.modifiers()
        if key in ARROWS:
            step = _FAST_NUDGE if modifiers & Qt.KeyboardModifier.ShiftModifier else 1
            right, down = (direction * step for direction in ARROWS[key])
            is_edge = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
            if not self.tools.arrow(right, down, is_edge=is_edge, view=self._view):
                self._pan(QPointF(-right, -down) * _PAN_STEP)
        elif self._is_space(event):
            self._tap.stop()
            self._hand.space_down(is_repeat=self._held_keys.is_repeat)
            self._show_cursor(self._pointer or QPointF(), modifiers)
        elif key is Qt.Key.Key_Alt:
            self.tools.draw.set_plain(True, self._view)
        elif key is Qt.Key.Key_Shift:
            self._show_cursor(self._pointer or QPointF(), Qt.KeyboardModifier.ShiftModifier)
        elif modifiers or not category_verbs.type_key(self._parts, event.text()):
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if event.isAutoRepeat():
            return
        self.hiding.went_up()
        if key in ARROWS:
            self.tools.commit()
        elif key is Qt.Key.Key_Space and self._hand.is_space_down:
            if self._hand.space_up():
                self._tap.start()
            self._show_cursor(self._pointer or QPointF(), event.modifiers())
        elif key is Qt.Key.Key_Alt:
            self.tools.draw.set_plain(False, self._view)
        elif key is Qt.Key.Key_Shift:
            self._show_cursor(self._pointer or QPointF(), Qt.KeyboardModifier.NoModifier)
        else:
            super().keyReleaseEvent(event)

    def cancel_drag(self) -> bool:
        """Cancel the current drag; the result is False if there is none."""
        is_dragging = self.tools.cancel()
        self.update()
        return is_dragging

    def take_back(self) -> bool:
        """Take back the last of several clicks, or cancel the current drag; the result is False without either."""
        is_any = self.tools.take_back()
        self.update()
        return is_any

    def end_drag(self) -> bool:
        """End the current drag where it is now; the result is False if its box is too small yet."""
        return self.tools.end(self._view)

    def draw_at_pointer(self) -> None:
        """Put a box at the pointer for the arrow keys to move and size, or in the middle of what is visible."""
        pointer = QPointF(self.mapFromGlobal(QCursor.pos())) if self.underMouse() else None
        self.tools.put_box(pointer, self._view, QRectF(self.rect()))

    def _is_space(self, event: QKeyEvent) -> bool:
        """Whether a key event is of a Space that pans."""
        is_plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
        return event.key() == Qt.Key.Key_Space and is_plain and self._session.settings.space_pans

    # Mouse without a button

    def _hover(self, point: QPointF) -> None:
        is_free = self._session.draft is None and not self._is_on_minimap(point)
        self._set_hovered(self._box_at(point) if is_free else None)

    def _set_hovered(self, correction_id: int | None) -> None:
        if correction_id != self._hovered_id:
            self._hovered_id = correction_id
            self.update()

    def _box_at(self, point: QPointF) -> int | None:
        reach = _PICK_REACH / self._view.scale
        return box_at(self._session, *self._view.to_image(point), reach=reach)

    def _show_cursor(self, point: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        if self._hand.is_panning:
            shape = Qt.CursorShape.ClosedHandCursor
        elif self._hand.is_space_down:
            shape = Qt.CursorShape.OpenHandCursor
        elif self._is_on_minimap(point):
            shape = Qt.CursorShape.ArrowCursor
        elif self.tools.is_drawing or (grip := self.tools.grip_at(point, self._view, modifiers)) is None:
            shape = Qt.CursorShape.CrossCursor
        elif self.tools.edit.is_active:
            return
        else:
            shape = cursor_for(grip)
        if self.cursor().shape() is not shape:
            self.setCursor(shape)
