"""The rows of the menu Image: stepping, the state of an image, and what the list shows."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QWidget

from boxrefine_gui.actions.menus import IMAGE
from boxrefine_gui.dialogs.flag_dialog import FlagDialog
from boxrefine_gui.dialogs.help import show_once
from boxrefine_gui.operations import box_verbs, marking
from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.panels.image_panel import ImagePanel
from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets.action_row import ActionRow
from boxrefine_gui.widgets.picture_name import picture_name
from boxrefine_gui.widgets.plain_text import in_one_line
from core.translation import tr

IN_IMAGES: tuple[tuple[str, str], ...] = (
    (tr("Letters and digits"), tr("Begin a search, by parts of the name or the number of the image")),
    (tr("Return in the search"), tr("Open the best match; the arrow down leads into the list, Escape ends the search")),
    (tr("Right button"), tr("Mark the image as done, or flag it")),
)
"""Input that the list of images and its search handle themselves, for the shortcut help."""


def image_rows(parts: Parts, *, window: QWidget, panel: ImagePanel) -> list[ActionRow]:
    return [
        ActionRow(
            "previous", tr("&Previous image"), partial(box_verbs.step_image, parts, -1), ("A", "PgUp"), IMAGE,
            "previous", in_toolbar=True, enabled=lambda session: session.neighbor(-1) is not None,
        ),
        ActionRow(
            "next", tr("&Next image"), partial(box_verbs.step_image, parts, 1), ("D", "PgDown"), IMAGE, "next",
            in_toolbar=True, enabled=lambda session: session.neighbor(1) is not None,
        ),
        ActionRow(
            "done_next", tr("&Done, and on to the next image"), partial(marking.done_and_next, parts), ("W",), IMAGE,
            "done", in_toolbar=True, toolbar_text=tr("Done"), starts_group=True, enabled=_has_image, repeats=False,
        ),
        ActionRow(
            "done", tr("Don&e, and stay here"), partial(marking.toggle_done, parts), ("Shift+W",), IMAGE,
            enabled=_has_image, checked=lambda session: marking.mark_of(session).done,
        ),
        ActionRow(
            "flag", tr("&Flag with a note…"), partial(_flag, parts, window), ("Q",), IMAGE, enabled=_has_image,
            checked=lambda session: marking.mark_of(session).flag is not None,
        ),
        ActionRow(
            "next_untouched", tr("Next &untouched image"), partial(marking.step_untouched, parts, 1), ("U",), IMAGE,
            starts_group=True, enabled=_has_image,
        ),
        ActionRow(
            "previous_untouched", tr("P&revious untouched image"), partial(marking.step_untouched, parts, -1),
            ("Shift+U",), IMAGE, enabled=_has_image,
        ),
        ActionRow(
            "first_undone", tr("F&irst image that is not done"), partial(marking.first_undone, parts), ("Ctrl+U",),
            IMAGE, enabled=_has_image,
        ),
        ActionRow("find", tr("&Search for an image"), panel.start_search, ("Ctrl+F",), IMAGE, starts_group=True),
        ActionRow("filter", tr("&Choose which images are listed…"), panel.open_filters, ("Ctrl+Shift+F",), IMAGE),
        ActionRow("sort", tr("Choose their &order…"), panel.open_orders, ("Ctrl+Shift+L",), IMAGE),
    ]  # fmt: skip


def _flag(parts: Parts, window: QWidget) -> None:
    session = parts.session
    image = session.image
    if image is None or not marking.may_flag(session):
        return
    notes = sorted({mark.flag for mark in session.tally.marks.values() if mark.flag})
    show_once(
        window.findChild(FlagDialog)
        or FlagDialog(
            window,
            picture=in_one_line(picture_name(session, image)),
            note=marking.mark_of(session).flag,
            notes=notes,
            on_flag=partial(marking.flag, parts, image.id),
        )
    )


def _has_image(session: Session) -> bool:
    return session.image is not None
