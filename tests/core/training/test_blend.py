"""Blending: as far from the start as it pays on held-out boxes, and no farther."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from core.refiner.network import RefinerNetwork
from core.training.blend import SHARES, Blend, interpolate, least_blend


@pytest.fixture(scope="module")
def ends() -> tuple[RefinerNetwork, RefinerNetwork]:
    """Two networks, the second one's weights all one more than the first one's."""
    torch.manual_seed(0)
    start = RefinerNetwork().eval()
    end = interpolate(start, start, 1.0)
    with torch.no_grad():
        for parameter in end.parameters():
            parameter.add_(1.0)
    return start, end


def blended(
    ends: tuple[RefinerNetwork, RefinerNetwork],
    held: Callable[[float], float],
    old: Callable[[float], float] = lambda _: 0.8,
) -> Blend:
    start, end = ends
    origin = next(start.parameters())

    def share_of(network: RefinerNetwork) -> float:
        return float((next(network.parameters()) - origin).detach().mean())

    return least_blend(start, end, held=lambda it: held(share_of(it)), old=lambda it: old(share_of(it)), least_old=0.79)


def test_it_goes_all_the_way_where_every_step_pays(ends: tuple[RefinerNetwork, RefinerNetwork]) -> None:
    assert blended(ends, held=lambda share: 0.7 + 0.1 * share).share == 1.0


def test_it_goes_no_farther_than_pays(ends: tuple[RefinerNetwork, RefinerNetwork]) -> None:
    found = blended(ends, held=lambda share: 0.7 + 0.1 * min(share, 0.5) + 0.005 * share)
    assert found.share == 0.5
    expected = interpolate(*ends, 0.5).state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in found.network.state_dict().items())


def test_it_stays_where_nothing_pays(ends: tuple[RefinerNetwork, RefinerNetwork]) -> None:
    assert blended(ends, held=lambda share: 0.7 - 0.1 * share).share == 0.0


def test_it_goes_less_far_where_it_would_forget(ends: tuple[RefinerNetwork, RefinerNetwork]) -> None:
    found = blended(ends, held=lambda share: 0.7 + 0.1 * share, old=lambda share: 0.8 - 0.02 * share)
    assert found.share == 0.5 and found.old == pytest.approx(0.79)
    assert blended(ends, held=lambda share: 0.7 + 0.1 * share, old=lambda share: 0.8 - share).share == SHARES[0]
