"""Rows of the menu Box that act on many boxes: refine them in the background, and review them."""

from __future__ import annotations

from functools import partial

from boxrefine_gui.actions.menus import BOX
from boxrefine_gui.operations import checking
from boxrefine_gui.operations.batch_refine import RefineAll
from boxrefine_gui.operations.box_verbs import Parts
from boxrefine_gui.panels.job_list import JobList
from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets.action_row import ActionRow
from core.translation import tr


def check_rows(parts: Parts, refine_all: RefineAll, jobs: JobList) -> list[ActionRow]:
    """Return the rows that refine all boxes of an image or the folder, then those for the review."""
    return [
        ActionRow(
            "refine_image", tr("Refine &all boxes of this image"), lambda: refine_all.image(watch=jobs.new),
            ("Shift+R",), BOX, starts_group=True, enabled=_has_image,
        ),
        ActionRow(
            "refine_folder", tr("Refine all boxes of the &folder"), lambda: refine_all.folder(watch=jobs.new),
            ("Ctrl+Shift+R",), BOX, enabled=_has_image,
        ),
        ActionRow(
            "next_to_check", tr("&Next box to check"), partial(checking.next_to_check, parts), ("N",), BOX,
            starts_group=True, on_canvas=True,
        ),
        ActionRow(
            "keep", tr("&Keep the selected box as it is"), partial(checking.keep, parts), ("K",), BOX, on_canvas=True,
            repeats=False,
            enabled=lambda session: any(checking.is_to_look_at(session, entry) for entry in session.selection),
        ),
        ActionRow(
            "next_doubtful", tr("Next box with an edge in do&ubt"), partial(checking.next_doubtful, parts),
            ("Shift+N",), BOX, on_canvas=True,
        ),
        ActionRow(
            "next_to_fix", tr("Next box marked to fi&x"), partial(checking.next_to_fix, parts), ("Ctrl+Shift+N",), BOX,
            on_canvas=True,
        ),
        ActionRow(
            "accept_all", tr("Accept all that is to &check on this image"), partial(checking.accept_all_here, parts),
            ("Shift+Return", "Shift+Enter"), BOX, on_canvas=True, repeats=False,
        ),
        ActionRow(
            "accept_sure", tr("Accept the proposals that the refiner is &sure of"),
            partial(checking.accept_sure_proposals, parts), menu=BOX, enabled=_has_to_check,
        ),
        ActionRow(
            "accept_proposals", tr("Accept all &proposals of the folder"),
            partial(checking.accept_all_proposals, parts), menu=BOX, enabled=_has_to_check,
        ),
        ActionRow(
            "discard_proposals", tr("&Discard all proposals of the folder"),
            partial(checking.discard_all_proposals, parts), menu=BOX, enabled=_has_to_check,
        ),
    ]  # fmt: skip


def _has_image(session: Session) -> bool:
    return session.image is not None


def _has_to_check(session: Session) -> bool:
    return bool(session.to_check)
