"""The rows of the menu Model about teaching."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from boxrefine_gui.widgets.action_row import ActionRow


@dataclass(frozen=True)
class TeachVerbs:
    """What the rows about teaching call; the panel is the window's."""

    start: Callable[[], None]
    show_or_hide: Callable[[], None]
    is_shown: Callable[[], bool]
    when_idle: Callable[[], None]


def teach_rows(teach: TeachVerbs) -> list[ActionRow]:
    """Teach, and the panel that shows how it goes."""
    return [
        ActionRow(
            "teach", "&Teach the refiner by your boxes", teach.start, ("Ctrl+T",), "&Model", "teach",
            in_toolbar=True, toolbar_text="Teach", starts_group=True,
            enabled=lambda session: not session.teaching.is_running,
        ),
        ActionRow(
            "teach_panel", "&Show teaching and earlier refiners", teach.show_or_hide, ("Ctrl+Shift+T",), "&Model",
            checked=lambda _: teach.is_shown(),
        ),
        ActionRow(
            "teach_when_idle", "Teach by &itself when the hand rests", teach.when_idle, menu="&Model",
            checked=lambda session: session.settings.teach_when_idle,
        ),
    ]  # fmt: skip
