"""The suggestion network that ships with an encoder."""

from __future__ import annotations

from pathlib import Path

from core.encoders.image_features import Encoder
from core.errors import BadInputError
from core.refiner.checkpoint import shipped_folder
from core.suggest.network import SuggestNetwork
from core.suggest.weights import CARD_FILE, load_suggest_network, read_suggest_card
from core.translation import tr


def suggest_folder(encoder: Encoder) -> Path | None:
    """The folder of the network that reads this encoder's features; None if none ships for it."""
    folder = shipped_folder(encoder)
    if not (folder / CARD_FILE).is_file() or read_suggest_card(folder).encoder != encoder.identity:
        return None
    return folder


def load_shipped_network(encoder: Encoder) -> SuggestNetwork:
    """Load the suggestion network for an encoder. Raises BadInputError if none ships for it, BadWeightsError."""
    folder = suggest_folder(encoder)
    if folder is None:
        raise no_network(encoder)
    return load_suggest_network(folder)


def no_network(encoder: Encoder) -> BadInputError:
    """The error if no network for the encoder ships."""
    return BadInputError(
        tr("There are no suggestions for the encoder {encoder}: choose the encoder light.", encoder=encoder.name)
    )
