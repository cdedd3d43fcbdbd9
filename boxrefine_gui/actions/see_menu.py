"""The rows of the menu View that choose what the canvas shows besides the picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from boxrefine_gui.actions.menus import VIEW
from boxrefine_gui.canvas.canvas import Canvas
from boxrefine_gui.operations.box_verbs import choose_settings
from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets.action_row import ActionRow
from core.translation import tr


def see_rows(parts: Parts, canvas: Canvas) -> list[ActionRow]:
    """Return the rows."""
    return [
        ActionRow(
            "hide_boxes", tr("Hi&de the boxes while the key is held"), canvas.hiding.start, ("H",), VIEW,
            on_canvas=True,
        ),
        switch_row(parts, "crosshair", tr("Cross&hair")),
        switch_row(parts, "loupe", tr("Loup&e at the edge that you drag")),
        switch_row(parts, "minimap", tr("Minima&p above 200 %")),
    ]  # fmt: skip


def switch_row(
    parts: Parts, setting: str, title: str, keys: tuple[str, ...] = (), *, then: Callable[[], None] | None = None
) -> ActionRow:
    """A row that switches a setting on and off; `then` is called afterwards."""

    def toggle() -> None:
        changed: dict[str, Any] = {setting: not getattr(parts.session.settings, setting)}
        choose_settings(parts, replace(parts.session.settings, **changed))
        if then is not None:
            then()

    def is_on(session: Session) -> bool:
        return bool(getattr(session.settings, setting))

    return ActionRow(setting, title, toggle, keys, VIEW, checked=is_on)
