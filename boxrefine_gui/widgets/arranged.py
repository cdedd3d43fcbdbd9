"""Arranging widgets: a page over another, a strip below both, and a widget below its title."""

from __future__ import annotations

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from boxrefine_gui.widgets import scale, theme
from boxrefine_gui.widgets.plain_text import PlainLabel, set_tooltip


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


def titled(title: str, widget: QWidget, *, close: CloseButton | None = None) -> QWidget:
    """Put a bold title above a widget, with its mnemonic, and a button that closes it."""
    label = PlainLabel(title)
    scale.set_type(label, is_bold=True)
    label.setContentsMargins(scale.SMALL, scale.SMALL, scale.TIGHT, scale.TIGHT)
    label.setBuddy(widget)
    column = QWidget()
    layout = QVBoxLayout(column)
    scale.margins(layout, scale.NONE)
    layout.setSpacing(scale.NONE)
    head = QHBoxLayout()
    head.addWidget(label, 1)
    if close is not None:
        head.addWidget(close)
    layout.addLayout(head)
    layout.addWidget(widget, 1)
    return column


class CloseButton(QToolButton):
    """A flat button with a cross."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAutoRaise(True)
        self.setAccessibleName(name)
        set_tooltip(self, name)
        self._draw()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._draw()

    def _draw(self) -> None:
        self.setIcon(theme.icon("close"))
