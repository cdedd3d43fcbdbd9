"""A list that says in words why it is empty."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QListView, QStyledItemDelegate, QStyleOptionViewItem

_MARGIN, _APART = 10, 4


class _AsWideAsTheList(QStyledItemDelegate):
    """Asks for no width of its own: what is too long for the list is elided, not scrolled.

    The room between rows is theirs: between rows that stand apart, a click would mean nothing.
    """

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(0, super().sizeHint(option, index).height() + _APART)


class ListWithHint(QListView):
    """`hint` gives the words that stand there while there is no row."""

    def __init__(self, hint: Callable[[], str]) -> None:
        super().__init__()
        self._hint = hint
        self.setItemDelegate(_AsWideAsTheList(self))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # a box's size stands at the end

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.model().rowCount() == 0:
            painter = QPainter(self.viewport())
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            room = self.viewport().rect().adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
            painter.drawText(room, int(Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap), self._hint())
            painter.end()
