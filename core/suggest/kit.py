"""SuggestKit: the network that ships for an encoder's features, and what is made of it."""

from __future__ import annotations

import hashlib

from core.encoders.image_features import Encoder, ImageFeatures
from core.suggest.head_file import from_bytes, to_bytes
from core.suggest.learner import HeadLearner, learn_from_examples
from core.suggest.network import SuggestNetwork
from core.suggest.shipped import suggest_folder
from core.suggest.suggester import Known, Suggester
from core.suggest.weights import load_suggest_network


class SuggestKit:
    """Makes suggesters for the features of one encoder; threads may share it."""

    def __init__(self, network: SuggestNetwork, *, encoder: str) -> None:
        """`encoder` is the identity of the encoder whose features the network reads."""
        self.network, self.encoder = network, encoder
        digest = hashlib.sha256()
        for name, values in sorted(network.state_dict().items()):
            digest.update(name.encode() + values.cpu().numpy().tobytes())
        self.identity = f"{encoder} suggest-{digest.hexdigest()[:12]}"
        """Of the encoder and the network: a head means nothing to another network."""

    def from_examples(self, features: ImageFeatures, examples: Known, *, rejected: Known = ()) -> Suggester:
        """Learn from some objects of one picture, to find the others in it; see `learn_from_examples`."""
        return learn_from_examples(self.network, features, examples, encoder=self.encoder, rejected=rejected)

    def learner(self) -> HeadLearner:
        """A learner for one project, which one thread may use."""
        return HeadLearner(self.network, encoder=self.encoder)

    def pack(self, suggester: object) -> bytes:
        """What one of its suggesters has learned, as a project stores it."""
        assert isinstance(suggester, Suggester)
        return to_bytes(suggester, network=self.identity)

    def unpack(self, weights: bytes) -> Suggester:
        """A suggester from what `pack` made. Raises BadWeightsError if it is damaged or of another version."""
        return from_bytes(weights, self.network, identity=self.identity, encoder=self.encoder)


def load_suggest_kit(encoder: Encoder) -> SuggestKit | None:
    """The kit for an encoder's features; None if no network for them ships. Raises BadWeightsError."""
    folder = suggest_folder(encoder)
    return SuggestKit(load_suggest_network(folder), encoder=encoder.identity) if folder is not None else None
