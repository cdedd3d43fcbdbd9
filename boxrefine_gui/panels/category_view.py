"""The view of the categories: rows can be dragged, deleted and moved by keys."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QCursor, QDrag, QFocusEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyleOptionViewItem

from boxrefine_gui.panels.category_delegate import CategoryDelegate, Sign
from boxrefine_gui.widgets.list_with_hint import ListWithHint
from boxrefine_gui.widgets.theme import SWATCH_SIDE
from core.translation import tr

_STEPS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
_RETURN = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_BESIDE = QPoint(-14, -6)


class CategoryView(ListWithHint):
    """A list whose rows can be dragged. Its keys are not shortcuts: an action with the same key precedes them."""

    delete_pressed = Signal()
    step_pressed = Signal(int)  # -1: up, 1: down
    drag_ended = Signal()
    keyboard_left = Signal()
    sign_clicked = Signal(int, object)  # row, Sign
    looks_wanted = Signal()

    _is_on_sign = False

    def __init__(self, hint: Callable[[], str]) -> None:
        super().__init__(hint)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self._signs = CategoryDelegate(self, offers=True)
        self.setItemDelegate(self._signs)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)  # signs to click at appear under the mouse
        self.setAccessibleName(tr("Categories"))
        # Not by a double click, because its first click relabels the selected box.
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)

    def event(self, event: QEvent) -> bool:
        """Keep Page Up and Page Down, which go to another image elsewhere, for a list of thousands."""
        is_page = isinstance(event, QKeyEvent) and event.key() in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)
        if is_page and event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier  # macOS sets it for every arrow key
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and modifiers == Qt.KeyboardModifier.NoModifier:
            if not event.isAutoRepeat():
                self.delete_pressed.emit()
        elif event.key() in _RETURN and modifiers == Qt.KeyboardModifier.AltModifier:
            self.looks_wanted.emit()
        elif event.key() in _STEPS and modifiers == Qt.KeyboardModifier.AltModifier:
            self.step_pressed.emit(_STEPS[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Change a sign if it is clicked, and nothing else."""
        found = self.sign_at(event.position().toPoint()) if event.button() is Qt.MouseButton.LeftButton else None
        self._is_on_sign = found is not None
        if found is not None:
            self.sign_clicked.emit(*found)
        else:
            super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if not self._is_on_sign:
            super().mouseReleaseEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if not (self._is_on_sign and event.buttons()):
            super().mouseMoveEvent(event)

    def sign_at(self, point: QPoint) -> tuple[int, Sign] | None:
        """The row and the sign at a point of the viewport."""
        index = self.indexAt(point)
        if not index.isValid():
            return None
        option = QStyleOptionViewItem()
        self.initViewItemOption(option)
        option.rect = self.visualRect(index)
        option.state |= QStyle.StateFlag.State_MouseOver
        rects = self._signs.sign_rects(option, index)
        return next(((index.row(), sign) for sign, rect in rects.items() if rect.contains(point)), None)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() is not Qt.FocusReason.PopupFocusReason:  # the context menu acts on the current row
            self.keyboard_left.emit()

    def startDrag(self, supportedActions: Qt.DropAction) -> None:
        """Run the drag; one that ends on the row where it began counts as a click."""
        index = self.currentIndex()
        row = index.row()
        drag = QDrag(self)
        drag.setMimeData(self.model().mimeData([index]))
        # The swatch beside the cursor: Qt's default, the whole row, hides the line that shows the target.
        drag.setPixmap(index.data(Qt.ItemDataRole.DecorationRole).pixmap(SWATCH_SIDE))
        drag.setHotSpot(_BESIDE)
        drag.exec(supportedActions, Qt.DropAction.MoveAction)
        at = self.indexAt(self.viewport().mapFromGlobal(QCursor.pos()))
        if at.isValid() and at.row() == row:
            self.clicked.emit(at)
        else:
            self.drag_ended.emit()
