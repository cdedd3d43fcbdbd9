"""Rows of the menu Box for the review of boxes, and for the history of one."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from boxrefine_gui.actions.menus import BOX
from boxrefine_gui.dialogs.audit_dialog import AuditDialog
from boxrefine_gui.dialogs.help import show_once
from boxrefine_gui.dialogs.history_dialog import HistoryDialog
from boxrefine_gui.dialogs.review_dialog import ReviewDialog
from boxrefine_gui.lanes.lane import QueueLane
from boxrefine_gui.operations.parts import JobWatcher, Parts
from boxrefine_gui.widgets.action_row import ActionRow
from core.translation import tr

IN_REVIEW: tuple[tuple[str, str], ...] = (
    ("1", tr("Good: accept the box, and end its doubt")),
    ("2", tr("Mark it to fix")),
    (tr("3 or Delete"), tr("Wrong: delete it")),
    (tr("Space, held"), tr("Show the boxes as they were before: drawn, or refined and then changed by hand")),
    (tr("Arrow keys"), tr("Go to another box; with Shift, select several")),
    ("C", tr("Comment on the box; Return stores it")),
    ("H", tr("History of the box")),
    (tr("Return or double click"), tr("Show the box on its image")),
    ("F5", tr("Read the boxes again")),
)
"""Input that the review handles itself, for the shortcut help."""


IN_AUDIT: tuple[tuple[str, str], ...] = (
    ("R", tr("Repair the selected findings, as one step that undo takes back")),
    ("I", tr("Ignore them until the next audit")),
    (tr("Return or double click"), tr("Show the box on its image")),
    ("F5", tr("Look through the labels again")),
)
"""Input that the audit handles itself, for the shortcut help."""


def review_rows(parts: Parts, *, window: QWidget, lane: QueueLane, watch: Callable[[], JobWatcher]) -> list[ActionRow]:
    """Return the rows; `lane` cuts the crops, `watch` shows an audit that goes on."""

    def show_review() -> None:
        show_once(window.findChild(ReviewDialog) or ReviewDialog(window, parts, lane))

    def show_audit() -> None:
        show_once(window.findChild(AuditDialog) or AuditDialog(window, parts, watch))

    def show_history() -> None:
        selected = parts.session.selected
        if selected is not None:
            show_once(HistoryDialog(window, parts, selected.id))

    return [
        ActionRow(
            "review", tr("Re&view boxes…"), show_review, ("Ctrl+Shift+B",), BOX, starts_group=True,
            enabled=lambda session: session.project_path is not None,
        ),
        ActionRow(
            "audit", tr("A&udit of labels…"), show_audit, ("Ctrl+Shift+A",), BOX,
            enabled=lambda session: session.project_path is not None,
        ),
        ActionRow(
            "history", tr("&History of the selected box…"), show_history, ("I",), BOX, on_canvas=True,
            enabled=lambda session: session.selected is not None,
        ),
    ]  # fmt: skip
