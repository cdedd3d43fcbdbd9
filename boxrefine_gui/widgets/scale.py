"""Scales of the window: the distances and the sizes of letters that all panels and dialogs share."""

from __future__ import annotations

from PySide6.QtGui import QFont
from PySide6.QtWidgets import QLayout, QWidget

NONE = 0
HAIR = 2
TIGHT = 4
SMALL = 8
MEDIUM = 12
LARGE = 16
WIDE = 24
HUGE = 32
"""Distances in logical pixels: between a sign and its word TIGHT, between lines SMALL, between groups MEDIUM, around a
dialog LARGE, around a page WIDE."""

CORNER = 4
"""Radius of the corners of buttons and signs, in logical pixels."""

CONTROL = 28
"""Height of a button of the window, in logical pixels."""

SMALL_TYPE = 0.85
PLAIN_TYPE = 1.0
FIGURE_TYPE = 1.7
TITLE_TYPE = 2.0
"""Sizes of letters, as factors of the size that the user's system has."""


LARGE_CONTROL = 36
"""Height of a button that begins something, as on the start page, in logical pixels."""

ROWS = (
    f"QTreeWidget::item, QListWidget::item {{ padding: {TIGHT}px {SMALL}px {TIGHT}px {HAIR}px; }}"  # untranslated: CSS
)
"""Style sheet of the lists in dialogs."""


def margins(layout: QLayout, across: int, down: int | None = None) -> None:
    """Set equal margins at left and right (`across`), and above and below (`down`, or the same)."""
    layout.setContentsMargins(across, across if down is None else down, across, across if down is None else down)


def around_dialog(layout: QLayout) -> None:
    """Set the margins around a dialog, and the distance between its groups."""
    margins(layout, LARGE)
    layout.setSpacing(MEDIUM)


def type_of(base: QFont, size: float = PLAIN_TYPE, *, is_bold: bool = False) -> QFont:
    """A font of the type scale."""
    font = QFont(base)
    font.setPointSizeF(base.pointSizeF() * size)
    font.setBold(is_bold or base.bold())
    return font


def set_type(widget: QWidget, size: float = PLAIN_TYPE, *, is_bold: bool = False) -> None:
    """Give a widget a font of the type scale."""
    widget.setFont(type_of(widget.font(), size, is_bold=is_bold))
