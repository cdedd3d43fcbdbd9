"""Rows of the menus that choose a category at the cursor, and show all that are hidden."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from boxrefine_gui.actions.menus import BOX, VIEW
from boxrefine_gui.operations import box_verbs, category_verbs
from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.widgets.action_row import ActionRow
from core.categories import DIGITS
from core.translation import tr


def category_rows(parts: Parts, choose: Callable[[], None]) -> list[ActionRow]:
    """`choose` opens the pop-up at the cursor."""

    def toggle_asking() -> None:
        settings = parts.session.settings
        box_verbs.choose_settings(parts, replace(settings, ask_category=not settings.ask_category))

    return [
        # Never disabled: right after a drag, a key press could meet an outdated enabled state.
        ActionRow(
            "choose_category", tr("Choose the &category…"), choose, ("C",), BOX, on_canvas=True, starts_group=True,
        ),
        ActionRow(
            "ask_category", tr("As&k for the category after each drag"), toggle_asking, menu=BOX,
            checked=lambda session: session.settings.ask_category,
        ),
    ]  # fmt: skip


def sight_rows(parts: Parts) -> list[ActionRow]:
    """The row that shows and unlocks all categories."""
    return [
        ActionRow(
            "show_all_categories", tr("Sho&w and unlock all categories"), partial(category_verbs.show_all, parts),
            ("Shift+H",), VIEW, enabled=lambda session: not session.sight.is_plain,
        ),
    ]  # fmt: skip


def digit_rows(parts: Parts) -> list[ActionRow]:
    """Rows without a menu: each digit chooses the category that has it as its key."""

    def choose(number: int) -> None:
        category_verbs.type_key(parts, str(number))

    return [
        ActionRow(f"category_{number}", tr("Category {number}", number=number), partial(choose, number), (str(number),))
        for number in range(1, DIGITS + 1)
    ]
