"""The table of encoders: each has weights, can be loaded, and takes batches."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.encoders.batched import BatchedEncoder
from core.encoders.catalogue import load_encoder
from core.encoders.traits import ENCODERS, SHIPPED, TRAITS, title_of, traits_of
from core.encoders.weights.published import OFFICIAL
from core.errors import BadWeightsError


def test_each_encoder_has_weights_that_are_shipped_or_published() -> None:
    assert set(ENCODERS) == set(OFFICIAL) | set(SHIPPED)
    assert set(OFFICIAL) & set(SHIPPED) == set()


def test_the_quickest_encoder_comes_first() -> None:
    assert [traits.work for traits in TRAITS] == sorted(traits.work for traits in TRAITS)


@pytest.mark.parametrize("name", ENCODERS)
def test_each_encoder_can_be_loaded_or_says_where_its_weights_are(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOXREFINE_WEIGHTS", str(tmp_path))
    if name in SHIPPED:
        encoder = load_encoder(name, "cpu")
        assert encoder.name == name
        assert isinstance(encoder, BatchedEncoder)
    else:
        with pytest.raises(BadWeightsError, match=f"boxrefine models download {name}"):
            load_encoder(name, "cpu")


def test_an_encoder_that_is_in_no_table_goes_by_its_name() -> None:
    assert title_of("mine") == "mine"
    assert not traits_of("mine").makes_masks
