"""A field over a list, inside the window: type a part of a name, the arrow keys go through the list, Return chooses."""

from __future__ import annotations

from PySide6.QtCore import QAbstractListModel, QEvent, QObject, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import (
    QAbstractItemDelegate,
    QAbstractItemView,
    QFrame,
    QLineEdit,
    QListView,
    QVBoxLayout,
    QWidget,
)

from core.text import LONGEST_NAME

_MARGIN, _APART, _AROUND_ROW = 5, 4, 8


class SearchPopup(QFrame):
    """A subclass fills the list in `search` and acts on a row in `choose`.

    It is a child of the window and no window of its own, so that what goes on below it goes on.
    """

    def __init__(self, window: QWidget, model: QAbstractListModel, *, canvas: QWidget, rows: int) -> None:
        """`canvas` gets the keyboard back; `rows`: how many are seen at once."""
        super().__init__(window)
        self._model, self._canvas, self._rows = model, canvas, rows
        page = rows - 1
        self._steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -page, Qt.Key.Key_PageDown: page}
        self.line = QLineEdit()
        self.line.setMaxLength(LONGEST_NAME)
        self.line.setClearButtonEnabled(True)
        self.view = QListView()
        self.view.setModel(model)
        self.view.setUniformItemSizes(True)
        self.view.setFrameShape(QFrame.Shape.NoFrame)
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.view.setMouseTracking(True)
        layout = QVBoxLayout(self)
        layout.setSpacing(_APART)
        layout.addWidget(self.line)
        layout.addWidget(self.view)
        layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.Window)
        self.setFocusProxy(self.line)
        self.hide()
        self.line.installEventFilter(self)
        self.line.textEdited.connect(self.search_from_top)
        self.view.clicked.connect(lambda index: self.choose(index.row()))

    def describe(self, *, line: str, rows: str, delegate: QAbstractItemDelegate) -> None:
        """Set the accessible names of the field and of the list, and what paints its rows."""
        self.line.setAccessibleName(line)
        self.view.setAccessibleName(rows)
        self.view.setItemDelegate(delegate)

    def search(self, text: str) -> None:
        """Fill the list with what matches a text."""
        raise NotImplementedError

    def choose(self, row: int) -> None:
        """Act on a row, which may be outside the list."""
        raise NotImplementedError

    def place(self) -> None:
        """Put the pop-up inside the window."""
        raise NotImplementedError

    def show_empty(self) -> None:
        """Show the pop-up with an empty field, which gets the keyboard."""
        self.line.clear()
        self.search_from_top("")
        self.place()
        self.show()
        self.raise_()
        self.line.setFocus(Qt.FocusReason.PopupFocusReason)

    def close_unchanged(self) -> None:
        """Hide the pop-up; if it had the keyboard, the canvas gets it."""
        if self.isHidden():
            return
        has_keyboard = self.line.hasFocus() or self.window().focusWidget() is self.line
        self.hide()
        if has_keyboard:
            self._canvas.setFocus()

    def search_from_top(self, text: str) -> None:
        """Search, and choose the first row."""
        self.search(text)
        self.view.setCurrentIndex(self._model.index(0))
        self.view.scrollToTop()

    def height_of(self, rows: int) -> int:
        """The height of the pop-up with so many rows."""
        row = self.view.sizeHintForRow(0)
        if row <= 0:  # the list is empty yet
            row = self.view.fontMetrics().height() + _AROUND_ROW
        return self.line.sizeHint().height() + row * rows + _APART + 2 * _MARGIN

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint a border that is seen on dark pictures, too; the style's own one is as dark as they are."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setPen(self.palette().color(QPalette.ColorRole.Mid))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keys of the field that act on the list; leaving the field closes the pop-up."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._key(Qt.Key(event.key()))
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
                event.accept()
                return True
        elif event.type() == QEvent.Type.FocusOut and isinstance(event, QFocusEvent):
            stays = (Qt.FocusReason.PopupFocusReason, Qt.FocusReason.ActiveWindowFocusReason)
            if event.reason() not in stays:
                self.hide()
        return False

    def _key(self, key: Qt.Key) -> bool:
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.choose(self.view.currentIndex().row())
        elif key is Qt.Key.Key_Escape:
            self.close_unchanged()
        elif key in self._steps:
            row = min(max(self.view.currentIndex().row() + self._steps[key], 0), self._model.rowCount() - 1)
            self.view.setCurrentIndex(self._model.index(row))
        else:
            return key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab)
        return True
