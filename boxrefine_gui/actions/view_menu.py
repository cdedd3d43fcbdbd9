"""The rows of the menu View."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtWidgets import QWidget

from boxrefine_gui.actions.layout_menu import LayoutVerbs, layout_rows
from boxrefine_gui.actions.menus import VIEW
from boxrefine_gui.actions.see_menu import see_rows, switch_row
from boxrefine_gui.canvas.canvas import Canvas
from boxrefine_gui.dialogs.ask import Ask
from boxrefine_gui.dialogs.help import show_once
from boxrefine_gui.dialogs.pace_dialog import PaceDialog
from boxrefine_gui.operations import (
    box_verbs,
)
from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets.action_row import ActionRow
from core.encoders.traits import traits_of
from core.translation import LANGUAGES, tr

ZOOM_STEP = 1.25


def view_rows(
    parts: Parts, canvas: Canvas, layout: LayoutVerbs, open_palette: Callable[[], None], *, window: QWidget, ask: Ask
) -> list[ActionRow]:
    """Return the rows: zoom, what is shown, the pace of labelling, the palette, colors and language."""

    def show_pace() -> None:
        found = window.findChild(PaceDialog)
        if found is not None:
            found.read()
        show_once(found or PaceDialog(window, parts, ask=ask))

    def tell_if_no_masks() -> None:
        if not _has_masks(parts.session):
            parts.session.tell(
                tr("There is no mask to show: the light encoder makes none, those of HQ-SAM do (Ctrl+M).")
            )

    masks = switch_row(parts, "show_masks", tr("Show &masks"), ("M",), then=tell_if_no_masks)
    return [
        ActionRow("fit", tr("&Fit the picture"), canvas.fit, ("F",), VIEW, "fit", in_toolbar=True),
        ActionRow("pixels", "&1:1", canvas.show_pixels, ("Ctrl+1",), VIEW, "pixels", in_toolbar=True),
        ActionRow("zoom_to_box", tr("Zoom to the selected &box, and back"), canvas.zoom_to_box, ("Z",), VIEW),
        ActionRow("zoom_in", tr("Zoom &in"), partial(canvas.zoom, ZOOM_STEP), ("Ctrl++", "Ctrl+="), VIEW),
        ActionRow("zoom_out", tr("Zoom &out"), partial(canvas.zoom, 1 / ZOOM_STEP), ("Ctrl+-",), VIEW),
        *_keep_view_rows(parts),
        replace(masks, starts_group=True),
        switch_row(parts, "show_names", tr("Show &names"), ("L",)),
        *see_rows(parts, canvas),
        ActionRow(
            "pace", tr("&Pace: boxes an hour, seconds a box…"), show_pace, ("Ctrl+Shift+H",), VIEW,
            enabled=lambda session: session.project_path is not None,
        ),
        switch_row(parts, "space_pans", tr("Pan by &Space and a drag")),
        ActionRow(
            "palette", tr("Find a &command, a category or a picture…"), open_palette, ("Ctrl+K", "Ctrl+Shift+P"), VIEW,
        ),
        *layout_rows(layout, window),
        *_scheme_rows(parts),
        *_language_rows(parts),
    ]  # fmt: skip


def _keep_view_rows(parts: Parts) -> list[ActionRow]:
    titles = {
        "frames": tr("Keep the zoom between numbered f&rames"),
        "always": tr("Keep the zoom between images of &equal size"),
        "never": tr("Fit e&very image"),
    }
    return _choice_rows(parts, "keep_view", titles)


def _scheme_rows(parts: Parts) -> list[ActionRow]:
    titles = {"system": tr("Colours of the &system"), "light": tr("&Light colours"), "dark": tr("&Dark colours")}
    return _choice_rows(parts, "theme", titles)


def _language_rows(parts: Parts) -> list[ActionRow]:
    titles = {code: tr("Language: {name}", name=name) for code, name in LANGUAGES.items()}
    note = tr("The language changes at the next start of BoxRefine.")
    return _choice_rows(parts, "language", {"system": tr("Lan&guage of the system"), **titles}, note=note)


def _choice_rows(parts: Parts, setting: str, titles: Mapping[str, str], *, note: str = "") -> list[ActionRow]:
    """A row for each value of a setting, of which one is checked; `note` is shown after a choice."""

    def choose(value: str) -> None:
        changed: dict[str, Any] = {setting: value}
        box_verbs.choose_settings(parts, replace(parts.session.settings, **changed))
        if note:
            parts.session.tell(note)

    def is_chosen(value: str, session: Session) -> bool:
        return bool(getattr(session.settings, setting) == value)

    return [
        ActionRow(
            f"{setting}_{value}", title, partial(choose, value), menu=VIEW, starts_group=number == 0, one_of=setting,
            checked=partial(is_chosen, value),
        )
        for number, (value, title) in enumerate(titles.items())
    ]  # fmt: skip


def _has_masks(session: Session) -> bool:
    """Whether the image has masks, or the encoder can make some."""
    drawn = session.draft.refinement if session.draft is not None else None
    stored = any(correction.outline for correction in session.corrections)
    return stored or bool(drawn and drawn.outline) or traits_of(session.settings.encoder).makes_masks
