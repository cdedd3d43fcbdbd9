"""The table of encoders: each has weights, can be loaded, and takes batches."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.encoders import catalogue
from core.encoders.batched import BatchedEncoder
from core.encoders.catalogue import load_encoder
from core.encoders.traits import ENCODERS, SHIPPED, TRAITS, title_of, traits_of
from core.encoders.weights.published import OFFICIAL
from core.errors import BadInputError, BadWeightsError
from core.refiner.checkpoint import has_shipped_refiner

BATCHED = ("input_side", "is_exact_in_half", "resize", "batch_network")


def test_each_encoder_has_weights_that_are_shipped_or_published() -> None:
    without = set(ENCODERS) - set(OFFICIAL) - set(SHIPPED)
    assert without == set(), "add a row to core/encoders/weights/published.py, or say shipped=True in TRAITS"
    unknown = set(OFFICIAL) - set(ENCODERS)
    assert unknown == set(), "add a row to TRAITS of core/encoders/traits.py"
    assert set(OFFICIAL) & set(SHIPPED) == set(), "an encoder is shipped or published, not both"


def test_the_loader_knows_each_family_and_no_name_beside_the_table() -> None:
    folder = Path(catalogue.__file__).parent
    loader = Path(catalogue.__file__).read_text("utf-8")
    families = {path.parent.name for path in folder.glob("*/encoder.py")}
    unread = {family for family in families if f"core.encoders.{family}.encoder" not in loader}
    assert unread == set(), "load the family in _load of core/encoders/catalogue.py"
    unlisted = set(re.findall(r'name == "(\w+)"', loader)) - set(ENCODERS)
    assert unlisted == set(), "add a row to TRAITS of core/encoders/traits.py"


def test_the_quickest_encoder_comes_first() -> None:
    assert [traits.work for traits in TRAITS] == sorted(traits.work for traits in TRAITS)


@pytest.mark.parametrize("name", ENCODERS)
def test_each_encoder_can_be_loaded_or_says_where_its_weights_are(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOXREFINE_WEIGHTS", str(tmp_path))
    if name in SHIPPED:
        try:
            encoder = load_encoder(name, "cpu")
        except BadInputError as error:
            pytest.fail(f"load {name} in _load of core/encoders/catalogue.py: {error}")
        assert encoder.name == name, f"the class must have the name of its row in TRAITS, {name}"
        lacking = [part for part in BATCHED if not hasattr(encoder, part)]
        assert lacking == [], "define them as BatchedEncoder of core/encoders/batched.py asks"
        assert isinstance(encoder, BatchedEncoder)
        can_refine = traits_of(name).makes_masks or has_shipped_refiner(encoder)
        assert can_refine, f"{name} makes no masks and no refiner is shipped for it, so that it refines nothing"
    else:
        with pytest.raises(BadWeightsError, match=f"boxrefine models download {name}"):
            load_encoder(name, "cpu")


def test_an_encoder_that_is_in_no_table_goes_by_its_name() -> None:
    assert title_of("mine") == "mine"
    assert not traits_of("mine").makes_masks
