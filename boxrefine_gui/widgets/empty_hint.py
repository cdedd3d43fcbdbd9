"""The words in an empty list: what will stand there, and what to do."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPalette
from PySide6.QtWidgets import QAbstractItemView

from boxrefine_gui.widgets import scale


def paint_empty_hint(view: QAbstractItemView, words: str) -> None:
    """Paint words at the top of a view without rows; call it at the end of the view's paint event."""
    painter = QPainter(view.viewport())
    painter.setPen(view.palette().color(QPalette.ColorRole.PlaceholderText))
    room = view.viewport().rect().adjusted(scale.MEDIUM, scale.MEDIUM, -scale.MEDIUM, -scale.MEDIUM)
    painter.drawText(room, int(Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap), words)
    painter.end()
