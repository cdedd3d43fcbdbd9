"""Rows of the menus Box and Model that are about suggestions."""

from __future__ import annotations

from functools import partial

from boxrefine_gui.actions.menus import BOX, MODEL
from boxrefine_gui.operations import suggesting
from boxrefine_gui.operations.learning_heads import LearningHeads
from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.operations.suggesting import Suggesting
from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets.action_row import ActionRow
from core.translation import tr


def suggest_rows(parts: Parts, suggester: Suggesting) -> list[ActionRow]:
    """Return the rows that ask for the rest of the open image, and reject what is left."""
    return [
        ActionRow(
            "suggest_rest", tr("&Find the others like it on this image"), suggester.find_rest, ("G",), BOX, "find",
            in_toolbar=True, toolbar_text=tr("Find others"), on_canvas=True, starts_group=True, enabled=_has_image,
        ),
        ActionRow(
            "reject_rest", tr("Re&ject the suggestions that are left on this image"),
            partial(suggesting.reject_rest, parts), ("Shift+Delete",), BOX, on_canvas=True,
        ),
    ]  # fmt: skip


def learning_rows(parts: Parts, learning: LearningHeads) -> list[ActionRow]:
    """Return the rows that switch suggestions on or off, and ask for them at once."""
    return [
        ActionRow(
            "suggest", tr("Su&ggest boxes on the next images"), partial(suggesting.switch, parts), menu=MODEL,
            checked=lambda session: session.settings.suggest, starts_group=True,
        ),
        ActionRow(
            "suggest_now", tr("Learn to suggest n&ow"), learning.start, menu=MODEL,
            enabled=lambda session: session.project_path is not None,
        ),
    ]  # fmt: skip


def _has_image(session: Session) -> bool:
    return session.image is not None
