"""Arranging widgets: a page over another, a strip below both, and a widget below its title."""

from __future__ import annotations

from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from boxrefine_gui.widgets import scale
from boxrefine_gui.widgets.plain_text import PlainLabel


def with_strip(below: QWidget, page: QWidget, strip: QWidget) -> QWidget:
    """Put `strip` under `below`; `page` covers all of `below` while it is visible."""
    both = QWidget()
    layout = QGridLayout(both)
    scale.margins(layout, scale.NONE)
    layout.setSpacing(scale.NONE)
    layout.addWidget(below, 0, 0)
    layout.addWidget(page, 0, 0)
    layout.addWidget(strip, 1, 0)
    layout.setRowStretch(0, 1)
    return both


def stacked(card: QWidget, widget: QWidget) -> QWidget:
    """Put a card above a widget, which gets the rest of the room."""
    column = QWidget()
    layout = QVBoxLayout(column)
    scale.margins(layout, scale.NONE)
    layout.setSpacing(scale.NONE)
    layout.addWidget(card)
    layout.addWidget(widget, 1)
    return column


def titled(title: str, widget: QWidget) -> QWidget:
    """Put a bold title above a widget, with its mnemonic."""
    label = PlainLabel(title)
    scale.set_type(label, is_bold=True)
    label.setContentsMargins(scale.SMALL, scale.SMALL, scale.TIGHT, scale.TIGHT)
    label.setBuddy(widget)
    column = QWidget()
    layout = QVBoxLayout(column)
    scale.margins(layout, scale.NONE)
    layout.setSpacing(scale.NONE)
    layout.addWidget(label)
    layout.addWidget(widget, 1)
    return column
