"""The view of the categories: rows can be dragged, deleted and moved by keys."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QCursor, QDrag, QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView

from boxrefine_gui.widgets.list_with_hint import ListWithHint
from boxrefine_gui.widgets.theme import SWATCH_SIDE
from core.translation import tr

_STEPS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
_BESIDE = QPoint(-14, -6)


class CategoryView(ListWithHint):
    """A list whose rows can be dragged. Its keys are not shortcuts: an action with the same key precedes them."""

    delete_pressed = Signal()
    step_pressed = Signal(int)  # -1: up, 1: down
    drag_ended = Signal()
    keyboard_left = Signal()

    def __init__(self, hint: Callable[[], str]) -> None:
        super().__init__(hint)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setAccessibleName(tr("Categories"))
        # Not by a double click, because its first click relabels the selected box.
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier  # macOS sets it for every arrow key
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and modifiers == Qt.KeyboardModifier.NoModifier:
            if not event.isAutoRepeat():
                self.delete_pressed.emit()
        elif event.key() in _STEPS and modifiers == Qt.KeyboardModifier.AltModifier:
            self.step_pressed.emit(_STEPS[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

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
