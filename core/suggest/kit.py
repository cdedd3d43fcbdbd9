"""SuggestKit: the network that ships for an encoder's features, and what is made of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from core.encoders.image_features import Encoder, ImageFeatures
from core.errors import BadWeightsError
from core.refiner.protocol import Refiner
from core.suggest.head_file import from_bytes, to_bytes
from core.suggest.judge import Judge, load_judge
from core.suggest.learner import HeadLearner, learn_from_examples
from core.suggest.network import SuggestNetwork
from core.suggest.shipped import no_network, suggest_folder
from core.suggest.suggester import Known, Suggester
from core.suggest.weights import load_suggest_network
from core.translation import tr


class SuggestKit:
    """Makes suggesters for the features of one encoder; threads may share it."""

    def __init__(
        self,
        network: SuggestNetwork,
        *,
        encoder: str,
        judge: Judge | None = None,
        refiner: Refiner | None = None,
    ) -> None:
        """`encoder` is the identity of the encoder whose features the network reads.

        With a judge, it predicts which finds are right; `refiner` refines finds on labelled pictures for it.
        """
        self.network, self.encoder, self.judge, self._refiner = network, encoder, judge, refiner
        digest = hashlib.sha256()
        for name, values in sorted(network.state_dict().items()):
            digest.update(name.encode() + values.cpu().numpy().tobytes())
        self.identity = f"{encoder} suggest-{digest.hexdigest()[:12]}"
        """Of the encoder and the network: a head means nothing to another network."""

    def from_examples(self, features: ImageFeatures, examples: Known, *, rejected: Known = ()) -> Suggester:
        """Learn from some objects of one picture, to find the others in it; see `learn_from_examples`."""
        return learn_from_examples(
            self.network, features, examples, encoder=self.encoder, rejected=rejected, judge=self.judge
        )

    def learner(self) -> HeadLearner:
        """A learner for one project, which one thread may use."""
        return HeadLearner(self.network, encoder=self.encoder, refiner=self._refiner, judge=self.judge)

    def pack(self, suggester: object) -> bytes:
        """What one of its suggesters has learned, as a project stores it."""
        assert isinstance(suggester, Suggester)
        return to_bytes(suggester, network=self.identity)

    def unpack(self, weights: bytes) -> Suggester:
        """A suggester from what `pack` made. Raises BadWeightsError if it is damaged or of another version."""
        return from_bytes(weights, self.network, identity=self.identity, encoder=self.encoder, judge=self.judge)


def load_suggest_kit(
    encoder: Encoder, refiner: Refiner | None = None, *, network: Path | None = None, judge: Path | None = None
) -> SuggestKit | None:
    """The kit for an encoder's features; None if no network for them ships.

    `network` and `judge` are folders of others than the shipped ones. Without a refiner, or if no judge was trained for
    the network, suggestions are judged by the head's own scores. Raises BadWeightsError, also if `judge` holds none
    for the network.
    """
    shipped = suggest_folder(encoder)
    folder = network or shipped
    if folder is None:
        return None
    plain = SuggestKit(load_suggest_network(folder), encoder=encoder.identity)
    found = load_judge(judge or folder, network=plain.identity) if refiner is not None else None
    if judge is not None and refiner is not None and found is None:
        raise BadWeightsError(
            tr("{path} holds no judge for this suggestion network: train one with pretrain-judge.", path=judge)
        )
    return SuggestKit(plain.network, encoder=encoder.identity, judge=found, refiner=refiner)


def kit_for(
    encoder: Encoder,
    refiner: Refiner,
    *,
    network: Path | None = None,
    judge: Path | None = None,
    plain: bool = False,
) -> SuggestKit:
    """As `load_suggest_kit`, `plain`: without a judge. Raises BadInputError if no network for the encoder ships."""
    kit = load_suggest_kit(encoder, None if plain else refiner, network=network, judge=judge)
    if kit is None:
        raise no_network(encoder)
    return kit
