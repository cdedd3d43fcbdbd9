"""The kit for suggestions: heads go into a project as bytes and come back, and nothing else comes out of bytes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save

from boxrefine_gui.operations import learning_heads, suggesting
from core.errors import BadWeightsError
from core.geometry import Box
from core.suggest import learner, suggester, trust
from core.suggest.kit import SuggestKit
from core.suggest.network import SuggestNetwork
from core.suggest.suggester import Suggester
from tests.core.suggest.features import ENCODER, features_of


@pytest.fixture(scope="module")
def kit() -> SuggestKit:
    torch.manual_seed(0)
    return SuggestKit(SuggestNetwork().eval().requires_grad_(False), encoder=ENCODER)


@pytest.fixture(scope="module")
def learned(kit: SuggestKit) -> Suggester:
    found = kit.from_examples(features_of(), [(Box(40, 40, 120, 120), "cat"), (Box(300, 200, 400, 300), "dög")])
    return Suggester(
        found.network,
        found.head,
        replace(found.trust, shifts={"cat": 0.5}, probabilities=(0.9, 0.4), right=(True, False), objects=3),
        encoder=found.encoder,
        identity=found.identity,
    )


def test_a_head_comes_back_as_it_was(kit: SuggestKit, learned: Suggester) -> None:
    back = kit.unpack(kit.pack(learned))
    assert back.names == ("cat", "dög") and back.identity == learned.identity
    assert back.trust == learned.trust and back.encoder == ENCODER
    assert torch.equal(back.head.learned.planes, learned.head.learned.planes)
    assert torch.equal(back.head.learned.reaches, learned.head.learned.reaches)


def test_a_head_is_of_one_network(kit: SuggestKit, learned: Suggester) -> None:
    network = SuggestNetwork().eval().requires_grad_(False)
    network.prior.plane += 1.0
    other = SuggestKit(network, encoder=ENCODER)
    assert other.identity != kit.identity and kit.identity.startswith(ENCODER)
    with pytest.raises(BadWeightsError, match="it is learned again"):
        other.unpack(kit.pack(learned))


@pytest.mark.parametrize("packed", [b"", b"\0" * 100, b"{}", save({"planes": torch.zeros(1)})])
def test_no_bytes_crash_it(kit: SuggestKit, packed: bytes) -> None:
    with pytest.raises(BadWeightsError, match="it is learned again"):
        kit.unpack(packed)


def test_the_window_knows_the_same_limits() -> None:
    assert suggesting.MOST == suggester.MOST
    assert learning_heads.MOST_IMAGES == learner.MOST_PICTURES
    assert learning_heads.GOOD_PRECISION == trust.GOOD_PRECISION
