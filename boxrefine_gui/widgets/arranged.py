"""Arranging widgets: one over another, and one below its title."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from boxrefine_gui.widgets.plain_text import PlainLabel


def overlay(below: QWidget, page: QWidget, above: QWidget) -> QWidget:
    """Lay `above` over the top edge of `below`, which keeps its place and size so that nothing moves during a drag.

    `page` covers all of `below` while it is visible.
    """
    both = QWidget()
    layout = QGridLayout(both)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(below, 0, 0)
    layout.addWidget(page, 0, 0)
    layout.addWidget(above, 0, 0, Qt.AlignmentFlag.AlignTop)
    above.raise_()
    return both


def titled(title: str, widget: QWidget) -> QWidget:
    """Put a bold title above a widget, with its mnemonic."""
    label = PlainLabel(title)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    label.setContentsMargins(4, 6, 4, 4)
    label.setBuddy(widget)
    column = QWidget()
    layout = QVBoxLayout(column)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    layout.addWidget(label)
    layout.addWidget(widget, 1)
    return column
