"""Rows of the menu File for the work of several people: merge their projects, divide one among them."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QWidget

from boxrefine_gui.actions.menus import FILE
from boxrefine_gui.dialogs.ask import Ask
from boxrefine_gui.dialogs.share_dialog import ShareDialog
from boxrefine_gui.operations import merging, sharing
from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.panels.job_list import JobList
from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets.action_row import ActionRow
from core.translation import tr


def merge_rows(parts: Parts, *, window: QWidget, jobs: JobList, ask: Ask) -> list[ActionRow]:
    """Return the rows."""

    def merge() -> None:
        merging.merge_projects(parts, ask.projects(window, start=parts.session.folder), watch=jobs.new)

    def divide() -> None:
        chosen = partial(sharing.make_shares, parts, watch=jobs.new)
        ShareDialog(window, ask=ask, out=_shares_folder(parts.session), on_chosen=chosen).open()

    return [
        ActionRow("merge", tr("&Merge projects…"), merge, menu=FILE, starts_group=True, enabled=_has_project),
        ActionRow("share", tr("&Divide into shares…"), divide, menu=FILE, enabled=_has_project),
    ]


def _has_project(session: Session) -> bool:
    return session.project_path is not None


def _shares_folder(session: Session) -> Path:
    """Beside the folder of pictures, so that the pictures of shares are not found in it."""
    folder = session.folder or Path.home()
    return folder.parent / f"{folder.name}-shares"
