"""The rows of the menu View."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from boxrefine_gui.actions.menus import VIEW
from boxrefine_gui.canvas.canvas import Canvas
from boxrefine_gui.operations import (
    box_verbs,
)
from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets.action_row import ActionRow
from core.encoders.traits import traits_of
from core.translation import LANGUAGES, tr

ZOOM_STEP = 1.25


def view_rows(parts: Parts, canvas: Canvas, next_panel: Callable[[], None]) -> list[ActionRow]:
    def scheme_row(name: str, title: str, starts_group: bool = False) -> ActionRow:
        return ActionRow(
            f"theme_{name}", title,
            lambda: box_verbs.choose_settings(parts, replace(parts.session.settings, theme=name)),
            menu=VIEW, starts_group=starts_group, one_of="theme",
            checked=lambda session: session.settings.theme == name,
        )  # fmt: skip

    def choose_language(code: str) -> None:
        box_verbs.choose_settings(parts, replace(parts.session.settings, language=code))
        parts.session.tell(tr("The language changes at the next start of BoxRefine."))

    def language_row(code: str, title: str, starts_group: bool = False) -> ActionRow:
        return ActionRow(
            f"language_{code}", title, partial(choose_language, code),
            menu=VIEW, starts_group=starts_group, one_of="language",
            checked=lambda session: session.settings.language == code,
        )  # fmt: skip

    def toggle_masks() -> None:
        settings = parts.session.settings
        box_verbs.choose_settings(parts, replace(settings, show_masks=not settings.show_masks))
        if not _has_masks(parts.session):
            parts.session.tell(
                tr("There is no mask to show: the light encoder makes none, those of HQ-SAM do (Ctrl+M).")
            )

    def toggle_names() -> None:
        settings = parts.session.settings
        box_verbs.choose_settings(parts, replace(settings, show_names=not settings.show_names))

    return [
        ActionRow("fit", tr("&Fit the picture"), canvas.fit, ("F",), VIEW, "fit", in_toolbar=True),
        ActionRow("pixels", "&1:1", canvas.show_pixels, ("Ctrl+1",), VIEW, "pixels", in_toolbar=True),
        ActionRow("zoom_to_box", tr("Zoom to the selected &box, and back"), canvas.zoom_to_box, ("Z",), VIEW),
        ActionRow("zoom_in", tr("Zoom &in"), partial(canvas.zoom, ZOOM_STEP), ("Ctrl++", "Ctrl+="), VIEW),
        ActionRow("zoom_out", tr("Zoom &out"), partial(canvas.zoom, 1 / ZOOM_STEP), ("Ctrl+-",), VIEW),
        ActionRow(
            "show_masks", tr("Show &masks"), toggle_masks, ("M",), VIEW, starts_group=True,
            checked=lambda session: session.settings.show_masks,
        ),
        ActionRow(
            "show_names", tr("Show &names"), toggle_names, ("L",), VIEW,
            checked=lambda session: session.settings.show_names,
        ),
        _space_row(parts),
        ActionRow("next_panel", tr("Move the keyboard to the next &panel"), next_panel, ("F6",), VIEW),
        scheme_row("system", tr("Colours of the &system"), starts_group=True),
        scheme_row("light", tr("&Light colours")),
        scheme_row("dark", tr("&Dark colours")),
        language_row("system", tr("Lan&guage of the system"), starts_group=True),
        *(language_row(code, tr("Language: {name}", name=name)) for code, name in LANGUAGES.items()),
    ]  # fmt: skip


def _space_row(parts: Parts) -> ActionRow:
    def toggle() -> None:
        settings = parts.session.settings
        box_verbs.choose_settings(parts, replace(settings, space_pans=not settings.space_pans))

    return ActionRow(
        "space_pans", tr("Pan by &Space and a drag"), toggle, menu=VIEW,
        checked=lambda session: session.settings.space_pans,
    )  # fmt: skip


def _has_masks(session: Session) -> bool:
    """Whether the image has masks, or the encoder can make some."""
    drawn = session.draft.refinement if session.draft is not None else None
    stored = any(correction.outline for correction in session.corrections)
    return stored or bool(drawn and drawn.outline) or traits_of(session.settings.encoder).makes_masks
