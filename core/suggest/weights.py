"""The files of the suggestion network: its weights, and a card with the encoder whose features it reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from torch import Tensor

from core.bounded import read_text
from core.encoders.weights.files import in_float32, load_state, load_strictly
from core.errors import BadWeightsError, reason
from core.refiner.checkpoint import save_text, save_weights
from core.suggest.network import SuggestNetwork
from core.translation import tr

WEIGHTS_FILE = "suggest.safetensors"
CARD_FILE = "suggest.json"
FORMAT = 1
_LARGEST_CARD = 1_000_000


@dataclass(frozen=True)
class SuggestCard:
    """The identity of the encoder whose features the network reads, and how it was made."""

    encoder: str
    made_by: Mapping[str, object] = field(default_factory=dict)
    format: int = FORMAT


def save_suggester(folder: Path, state: Mapping[str, Tensor], card: SuggestCard) -> None:
    """Write weights (as fp16) and card into `folder`, each atomically. Raises StorageError."""
    save_weights(state, folder / WEIGHTS_FILE)
    save_text(json.dumps(asdict(card), indent=2) + "\n", folder / CARD_FILE)


def read_suggest_card(folder: Path) -> SuggestCard:
    """Read the card in a folder. Raises BadWeightsError if it is missing, damaged or of a newer version."""
    path = folder / CARD_FILE
    try:
        values = json.loads(read_text(path, limit=_LARGEST_CARD))
        card = SuggestCard(values["encoder"], values["made_by"], values["format"])
        if type(card.encoder) is not str or type(card.format) is not int or type(card.made_by) is not dict:
            raise ValueError(tr("it is no card of suggestions"))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadWeightsError(
            tr("{path} is damaged ({why}): install BoxRefine again.", path=path, why=reason(error))
        ) from error
    if card.format > FORMAT:
        raise BadWeightsError(tr("{path} was made by a newer BoxRefine: update BoxRefine.", path=path))
    return card


def load_suggest_network(folder: Path) -> SuggestNetwork:
    """Load the network in a folder, in evaluation mode on the CPU. Raises BadWeightsError."""
    path = folder / WEIGHTS_FILE
    state = load_state(path)
    network = SuggestNetwork(trunk=any(name.startswith("trunk.") for name in state))
    load_strictly(network, in_float32(state), path=path)
    return network.eval().requires_grad_(False)
