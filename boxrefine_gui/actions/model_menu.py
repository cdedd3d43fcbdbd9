"""Rows of the menu Model: choose the encoder, the way to refine, and whether the folder is prepared."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from PySide6.QtWidgets import QWidget

from boxrefine_gui.actions.menus import MODEL
from boxrefine_gui.dialogs.ask import Ask
from boxrefine_gui.dialogs.help import show_once
from boxrefine_gui.dialogs.models_dialog import ModelsDialog
from boxrefine_gui.operations import opening
from boxrefine_gui.operations.box_verbs import Parts, choose_settings
from boxrefine_gui.operations.encoder_downloads import ModelsFolder
from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets.action_row import ActionRow
from core.encoders.traits import TRAITS, traits_of
from core.errors import BadWeightsError
from core.translation import tr

REFINE_BY_TITLES = {
    "auto": tr("Refine by what the encoder &has"),
    "refiner": tr("Refine by the &refiner alone"),
    "mask": tr("Refine by the &mask alone"),
    "both": tr("Refine by &both, the mask first"),
}
"""One title for each entry of core.refiner.checkpoint.REFINE_BY, which is not imported because it loads torch."""


def model_rows(parts: Parts, *, window: QWidget, folder: ModelsFolder, ask: Ask) -> list[ActionRow]:
    """Return the rows for the dialog of the encoders, the encoders, the ways to refine, and the options."""

    def show_dialog() -> ModelsDialog:
        dialog = window.findChild(ModelsDialog) or ModelsDialog(window, parts.session, folder, ask=ask)
        show_once(dialog)
        return dialog

    def manage_them() -> None:
        show_dialog()

    def choose_encoder(name: str) -> None:
        def failed(error: Exception) -> None:
            if isinstance(error, BadWeightsError):
                show_dialog().choose(name)  # the dialog offers to download them
            parts.session.report(error)

        opening.choose_models(parts, partial(replace, encoder=name, refine_by="auto"), on_error=failed)

    def toggle_folder() -> None:
        settings = parts.session.settings
        choose_settings(parts, replace(settings, encode_folder=not settings.encode_folder))

    manage = ActionRow("models", tr("&Encoders and their weights…"), manage_them, ("Ctrl+M",), MODEL)
    ahead = ActionRow(
        "encode_folder",
        tr("&Prepare the folder when there is nothing else to do"),
        toggle_folder,
        menu=MODEL,
        checked=lambda session: session.settings.encode_folder,
        starts_group=True,
    )
    encoders = [
        ActionRow(
            f"encoder_{traits.name}",
            traits.title,
            partial(choose_encoder, traits.name),
            menu=MODEL,
            checked=partial(_has_encoder, traits.name),
            one_of="encoder",
            starts_group=place == 0,
        )
        for place, traits in enumerate(TRAITS)
    ]
    ways = [
        ActionRow(
            f"refine_by_{name}",
            title,
            partial(opening.choose_models, parts, partial(replace, refine_by=name)),
            menu=MODEL,
            checked=partial(_refines_by, name),
            one_of="refine_by",
            enabled=_makes_masks if name in ("mask", "both") else None,
            starts_group=name == "auto",
        )
        for name, title in REFINE_BY_TITLES.items()
    ]
    return [manage, *encoders, *ways, _care(parts), _margins(parts), ahead]


def _care(parts: Parts) -> ActionRow:
    """Return the row of the conservative mode; the models are reloaded for it."""

    def toggle() -> None:
        opening.choose_models(parts, partial(replace, careful=not parts.session.settings.careful))

    return ActionRow(
        "careful",
        tr("Be &careful: move only boxes that are clearly off"),
        toggle,
        menu=MODEL,
        checked=lambda session: session.settings.careful,
        starts_group=True,
    )


def _margins(parts: Parts) -> ActionRow:
    """Return the row that switches on or off the margins learned from accepted boxes."""

    def toggle() -> None:
        settings = parts.session.settings
        choose_settings(parts, replace(settings, learn_margins=not settings.learn_margins))

    return ActionRow(
        "learn_margins",
        tr("&Learn from accepted boxes how far outside the edges they are"),
        toggle,
        menu=MODEL,
        checked=lambda session: session.settings.learn_margins,
    )


def _has_encoder(name: str, session: Session) -> bool:
    return session.settings.encoder == name


def _makes_masks(session: Session) -> bool:
    return traits_of(session.settings.encoder).makes_masks


def _refines_by(name: str, session: Session) -> bool:
    return session.settings.refine_by == name
