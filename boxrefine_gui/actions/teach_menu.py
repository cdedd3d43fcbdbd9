"""Rows of the menu Model that are about teaching."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from boxrefine_gui.actions.menus import MODEL
from boxrefine_gui.widgets.action_row import ActionRow
from core.translation import tr


@dataclass(frozen=True)
class TeachVerbs:
    """Callbacks of the rows about teaching; the window provides them because it owns the panel."""

    start: Callable[[], None]
    show_or_hide: Callable[[], None]
    is_shown: Callable[[], bool]
    when_idle: Callable[[], None]


def teach_rows(teach: TeachVerbs) -> list[ActionRow]:
    """Return the rows that start teaching, show its panel and let it start by itself."""
    return [
        ActionRow(
            "teach", tr("&Teach the refiner by your boxes"), teach.start, ("Ctrl+T",), MODEL, "teach",
            in_toolbar=True, toolbar_text=tr("Teach"), starts_group=True,
            enabled=lambda session: not session.teaching.is_running,
        ),
        ActionRow(
            "teach_panel", tr("&Show teaching and what was learned"), teach.show_or_hide, ("Ctrl+Shift+T",), MODEL,
            checked=lambda _: teach.is_shown(),
        ),
        ActionRow(
            "teach_when_idle", tr("Teach by &itself after every ten boxes"), teach.when_idle, menu=MODEL,
            checked=lambda session: session.settings.teach_when_idle,
        ),
    ]  # fmt: skip
