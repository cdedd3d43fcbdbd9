"""A list that shows a hint while it is empty."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QListView, QStyledItemDelegate, QStyleOptionViewItem

from boxrefine_gui.widgets.empty_hint import paint_empty_hint

_APART = 4


class _AsWideAsTheList(QStyledItemDelegate):
    """Requests no width: rows too long for the list are elided, not scrolled.

    Rows include the space between them, because a click there would hit no row.
    """

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(0, super().sizeHint(option, index).height() + _APART)


class ListWithHint(QListView):
    """`hint` returns the text to show while there are no rows."""

    def __init__(self, hint: Callable[[], str]) -> None:
        super().__init__()
        self._hint = hint
        self.setItemDelegate(_AsWideAsTheList(self))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # the size of a box is at the end of its row

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.model().rowCount() == 0:
            paint_empty_hint(self, self._hint())
