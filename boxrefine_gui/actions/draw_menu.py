"""Rows of the menu Box on drawing: how boxes are drawn, what refines them, and what accepts them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from boxrefine_gui.actions.menus import BOX
from boxrefine_gui.canvas.canvas import Canvas
from boxrefine_gui.operations import box_verbs
from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.widgets.action_row import ActionRow
from core.translation import tr

DRAWING: tuple[tuple[str, str], ...] = (
    (
        tr("Two clicks"),
        tr("With Draw by two clicks: click two opposite corners; a drag draws, too"),
    ),
    (
        tr("Four clicks"),
        tr("With Draw by four outermost points: click where the object reaches farthest; Backspace takes one back"),
    ),
    (tr("Ctrl + click"), tr("Select a box while you draw by clicks")),
    (
        tr("Arrow keys on a box by keys"),
        tr("Move it (Shift: farther); with Ctrl, move its right or lower edge; the refinement follows"),
    ),
)
"""Input that the canvas handles itself when boxes are not drawn by drags, for the shortcut help."""


def draw_rows(parts: Parts, canvas: Canvas) -> list[ActionRow]:
    session = parts.session

    def toggle_auto() -> None:
        box_verbs.choose_settings(parts, replace(session.settings, auto_accept=not session.settings.auto_accept))

    def toggle_going_on() -> None:
        wanted = not session.settings.accept_when_going_on
        box_verbs.choose_settings(parts, replace(session.settings, accept_when_going_on=wanted))

    return [
        ActionRow(
            "snapping", tr("Refine &while drawing"), lambda: session.set_snapping(not session.snapping), ("S",), BOX,
            "refine", in_toolbar=True, toolbar_text=tr("Refine"), starts_group=True,
            checked=lambda session: session.snapping,
        ),
        ActionRow(
            "auto_accept", tr("&Accept when the mouse is released"), toggle_auto, ("Ctrl+Return",), BOX, "auto",
            in_toolbar=True, toolbar_text=tr("Auto-accept"), checked=lambda session: session.settings.auto_accept,
        ),
        ActionRow(
            "accept_going_on", tr("Accept a drawn box when the next one is drawn or the ima&ge changes"),
            toggle_going_on, menu=BOX, checked=lambda session: session.settings.accept_when_going_on,
        ),
        ActionRow(
            "draw_here", tr("Draw a &box at the pointer by keys"), canvas.draw_at_pointer, ("B",), BOX,
            on_canvas=True, starts_group=True, repeats=False, enabled=lambda session: session.image is not None,
        ),
        *(
            _way_row(parts, name, title)
            for name, title in (
                ("drag", tr("Draw by &dragging")),
                ("two_clicks", tr("Draw by &two clicks on opposite corners")),
                ("four_points", tr("Draw by four outermost &points of the object")),
            )
        ),
    ]  # fmt: skip


def _way_row(parts: Parts, name: str, title: str) -> ActionRow:
    def choose() -> None:
        box_verbs.choose_settings(parts, replace(parts.session.settings, draw_by=name))

    return ActionRow(
        f"draw_by_{name}", title, choose, menu=BOX, one_of="draw_by",
        checked=lambda session: session.settings.draw_by == name,
    )  # fmt: skip


def unless_in_hand(canvas: Canvas, call: Callable[[], None]) -> Callable[[], None]:
    """Return a call that takes back the last click or cancels the drag, if there is one, instead of calling `call`."""

    def called() -> None:
        if not canvas.take_back():
            call()

    return called


def after_drag(canvas: Canvas, call: Callable[[Parts], None], parts: Parts) -> Callable[[], None]:
    """Return a call that first ends the drag where it is; it does nothing if the dragged box is too small yet."""
    return partial(_after_drag, canvas, partial(call, parts))


def _after_drag(canvas: Canvas, call: Callable[[], None]) -> None:
    if canvas.end_drag():
        call()
