"""The menu Model: which encoder, and what refines."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from boxrefine_gui import opening
from boxrefine_gui.action_row import ActionRow
from boxrefine_gui.operations import Parts
from boxrefine_gui.session import Session
from core.encoders.official import TRAITS

REFINE_BY_TITLES = {
    "auto": "Refine by what the encoder &has",
    "refiner": "Refine by the &refiner alone",
    "mask": "Refine by the &mask alone",
    "both": "Refine by &both, the mask first",
}
"""The ways of core.refiner.checkpoint, which cannot be asked here because it brings torch."""


def model_rows(parts: Parts) -> list[ActionRow]:
    """Encoders, then ways to refine."""
    encoders = [
        ActionRow(
            f"encoder_{traits.name}",
            traits.title,
            partial(opening.choose_models, parts, partial(replace, encoder=traits.name)),
            menu="&Model",
            checked=partial(_has_encoder, traits.name),
        )
        for traits in TRAITS
    ]
    ways = [
        ActionRow(
            f"refine_by_{name}",
            title,
            partial(opening.choose_models, parts, partial(replace, refine_by=name)),
            menu="&Model",
            checked=partial(_refines_by, name),
            starts_group=name == "auto",
        )
        for name, title in REFINE_BY_TITLES.items()
    ]
    return encoders + ways


def _has_encoder(name: str, session: Session) -> bool:
    return session.settings.encoder == name


def _refines_by(name: str, session: Session) -> bool:
    return session.settings.refine_by == name
