"""Rows of the menu View that arrange the window: panels and the full screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtWidgets import QWidget

from boxrefine_gui.actions.menus import VIEW
from boxrefine_gui.widgets.action_row import ActionRow
from boxrefine_gui.widgets.sides import LEFT, RIGHT, toggle_full_screen
from core.translation import tr


@dataclass(frozen=True)
class LayoutVerbs:
    """Callbacks of these rows; the window provides them because it owns the panels. A side is `left` or `right`."""

    toggle_side: Callable[[str], None]
    shows_side: Callable[[str], bool]
    toggle_both: Callable[[], None]
    next_panel: Callable[[], None]


def layout_rows(layout: LayoutVerbs, window: QWidget) -> list[ActionRow]:
    """Return the rows."""
    return [
        ActionRow(
            "left_panel", tr("Panel of &images"), partial(layout.toggle_side, LEFT), ("Ctrl+B",), VIEW,
            starts_group=True, checked=lambda _: layout.shows_side(LEFT),
        ),
        ActionRow(
            "right_panel", tr("Panel of &categories and boxes"), partial(layout.toggle_side, RIGHT),
            ("Ctrl+Alt+B",), VIEW, checked=lambda _: layout.shows_side(RIGHT),
        ),
        ActionRow("both_panels", tr("Hide both panels, and sh&ow them again"), layout.toggle_both, ("F12",), VIEW),
        ActionRow(
            "full_screen", tr("F&ull screen"), partial(toggle_full_screen, window), ("F11",), VIEW,
            checked=lambda _: window.isFullScreen(),
        ),
        ActionRow("next_panel", tr("Move the keyboard to the next &panel"), layout.next_panel, ("F6",), VIEW),
    ]  # fmt: skip
