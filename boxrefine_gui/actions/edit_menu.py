"""Rows of the menu Edit: select, copy, paste, and take the boxes of the previous image; the preferences."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QWidget

from boxrefine_gui.actions.menus import EDIT
from boxrefine_gui.dialogs.ask import Ask
from boxrefine_gui.dialogs.preferences_dialog import PreferencesDialog
from boxrefine_gui.operations import clipboard, many
from boxrefine_gui.operations.batch_refine import RefineAll
from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.panels.job_list import JobList
from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets.action_row import ActionRow
from core.translation import tr


def many_rows(parts: Parts, refine_all: RefineAll, jobs: JobList) -> list[ActionRow]:
    """Return the rows; their keys work on the canvas alone, because fields and lists have such keys of their own."""

    def propagate() -> None:
        clipboard.copy_previous(parts, then=lambda ids: refine_all.image(watch=jobs.new, only=ids))

    def copy() -> None:
        clipboard.copy(parts)

    return [
        ActionRow(
            "select_all", tr("&Select all boxes of this image"), partial(many.select_all, parts), ("Ctrl+A",), EDIT,
            on_canvas=True, starts_group=True, enabled=_has_image,
        ),
        ActionRow(
            "cut", tr("C&ut the selected boxes"), partial(clipboard.cut, parts), ("Ctrl+X",), EDIT, on_canvas=True,
        ),
        ActionRow(
            "copy", tr("&Copy the selected boxes"), copy, ("Ctrl+C",), EDIT,
            on_canvas=True,
        ),
        ActionRow(
            "paste", tr("&Paste boxes"), partial(clipboard.paste, parts), ("Ctrl+V",), EDIT, on_canvas=True,
            enabled=_has_image,
        ),
        ActionRow(
            "duplicate", tr("&Duplicate the selected boxes"), partial(clipboard.duplicate, parts), ("Ctrl+D",), EDIT,
            on_canvas=True,
        ),
        ActionRow(
            "copy_previous", tr("Take the boxes of the pre&vious image"), partial(clipboard.copy_previous, parts),
            ("Ctrl+Shift+V",), EDIT, starts_group=True, enabled=_has_image,
        ),
        ActionRow(
            "propagate", tr("Take them, and refine the&m here"), propagate, ("P",), EDIT, on_canvas=True,
            enabled=_has_image,
        ),
    ]  # fmt: skip


def preferences_row(parts: Parts, *, window: QWidget, ask: Ask) -> ActionRow:
    """The row that opens the preferences."""

    def show() -> None:
        PreferencesDialog(window, parts, ask=ask).open()

    return ActionRow("preferences", tr("Pr&eferences…"), show, ("Ctrl+,",), EDIT, starts_group=True)


def _has_image(session: Session) -> bool:
    return session.image is not None
