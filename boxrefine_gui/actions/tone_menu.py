"""The rows of the menu Tones: how bright the picture is shown; the picture itself stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from boxrefine_gui.actions.menus import TONES
from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets.action_row import ActionRow
from core.tones import AS_IT_IS, MOST, Channel
from core.translation import tr

STEP = 10


def tone_rows(session: Session, show_looks: Callable[[], None]) -> list[ActionRow]:
    """Return the rows; `show_looks` shows the sliders."""

    def step(name: str, by: int) -> None:
        changed: dict[str, Any] = {name: min(max(getattr(session.tones, name) + by, -MOST), MOST)}
        session.set_tones(replace(session.tones, **changed))

    def invert() -> None:
        session.set_tones(replace(session.tones, inverted=not session.tones.inverted))

    def next_channel() -> None:
        channels = list(Channel)
        following = channels[(channels.index(session.tones.channel) + 1) % len(channels)]
        session.set_tones(replace(session.tones, channel=following))

    steps = (
        ("brighter", tr("&Brighter"), "brightness", STEP, "Alt+Up"),
        ("darker", tr("&Darker"), "brightness", -STEP, "Alt+Down"),
        ("more_contrast", tr("&More contrast"), "contrast", STEP, "Alt+Right"),
        ("less_contrast", tr("&Less contrast"), "contrast", -STEP, "Alt+Left"),
        ("more_gamma", tr("Lighter &shadows (gamma)"), "gamma", STEP, "Alt+PgUp"),
        ("less_gamma", tr("Darker sh&adows (gamma)"), "gamma", -STEP, "Alt+PgDown"),
    )
    return [
        *(
            ActionRow(id, title, partial(step, name, by), (key,), TONES, on_canvas=True)
            for id, title, name, by, key in steps
        ),
        ActionRow(
            "invert", tr("&Invert"), invert, ("J",), TONES, on_canvas=True, starts_group=True, repeats=False,
            checked=lambda session: session.tones.inverted,
        ),
        ActionRow(
            "next_channel", tr("Next &channel: red, green, blue, all"), next_channel, ("Shift+J",), TONES,
            on_canvas=True, repeats=False,
        ),
        ActionRow(
            "as_it_is", tr("The picture as it &is"), partial(session.set_tones, AS_IT_IS), ("Alt+End",), TONES,
            on_canvas=True, starts_group=True,
        ),
        ActionRow("looks", tr("Lines, names and &tones…"), show_looks, ("Ctrl+L",), TONES),
    ]  # fmt: skip
