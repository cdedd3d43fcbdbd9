"""The identities of the encoders that ship, without torch: the window reads them by itself."""

from __future__ import annotations

import json
from functools import cache

from core.encoders.traits import SHIPPED
from core.resources import RESOURCES

SHIPPED_NAME = "shipped"
"""The name of every refiner that ships; logic and files use it, so it is not translated."""


@cache
def shipped_identities() -> dict[str, str]:
    """Name of each shipped encoder -> identity of its weights, as the card of the refiner beside them has it."""
    cards = {name: RESOURCES / "weights" / name / "refiner.json" for name in SHIPPED}
    return {name: str(json.loads(card.read_text("utf-8"))["encoder"]) for name, card in cards.items() if card.exists()}
