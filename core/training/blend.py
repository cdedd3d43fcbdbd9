"""Blending: how far the taught weights may go from those they started with (Wortsman et al., WiSE-FT, 2022)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from core.refiner.network import RefinerNetwork

SHARES = (0.0, 0.15, 0.3, 0.5, 0.7, 1.0)
"""Of the way from the start to the taught weights; at 0 the margins are all that is learned."""

ENOUGH = 0.95
"""Share of the greatest gain on held-out boxes that will do: the rest is not worth what it may cost elsewhere."""

Judge = Callable[[RefinerNetwork], float]
"""Mean IoU of a network's boxes."""


@dataclass(frozen=True)
class Blend:
    """A network that lies `share` of the way from the start to the taught one, and its mean IoU on old data."""

    share: float
    network: RefinerNetwork
    old: float


def least_blend(start: RefinerNetwork, taught: RefinerNetwork, *, held: Judge, old: Judge, least_old: float) -> Blend:
    """The one that goes least far of those that do (nearly) best on held-out boxes; less far where that one forgets.

    It forgets where `old` of it is below `least_old`; at a share of 0 it is the start, which forgets nothing.
    """
    networks = {share: between(start, taught, share) for share in SHARES}
    found = {share: held(network) for share, network in networks.items()}
    least = found[0.0] + ENOUGH * (max(found.values()) - found[0.0])
    enough = min(share for share in SHARES if found[share] >= least)
    for share in sorted((share for share in SHARES if share <= enough), reverse=True):
        kept = old(networks[share])
        if kept >= least_old:
            break
    return Blend(share, networks[share], kept)


def between(start: RefinerNetwork, end: RefinerNetwork, share: float) -> RefinerNetwork:
    """A network of its own between two."""
    network = copy.deepcopy(start)
    network.load_state_dict(mixed(start.state_dict(), end.state_dict(), share))
    return network


def mixed(start: dict[str, Tensor], end: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """Weights between two networks: 0 gives the start's, 1 the end's; counters are the end's."""
    return {
        name: value.float().cpu().lerp(end[name].float().cpu(), share) if value.is_floating_point() else end[name].cpu()
        for name, value in start.items()
    }
