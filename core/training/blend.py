"""Weight interpolation between the start and the taught network (Wortsman et al., WiSE-FT, 2022)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from core.refiner.network import RefinerNetwork

SHARES = (0.0, 0.15, 0.3, 0.5, 0.7, 1.0)
"""Interpolation weights to try: 0 is the start (only margins are learned then), 1 the taught network."""

ENOUGH = 0.95
"""This share of the largest gain on held-out boxes is enough: a higher weight risks more loss on other images."""

Judge = Callable[[RefinerNetwork], float]
"""Computes the mean IoU of a network's boxes."""


@dataclass(frozen=True)
class Blend:
    """A network at interpolation weight `share`, and `old`, its mean IoU on old data."""

    share: float
    network: RefinerNetwork
    old: float


def least_blend(start: RefinerNetwork, taught: RefinerNetwork, *, held: Judge, old: Judge, least_old: float) -> Blend:
    """Choose the smallest interpolation weight that gains enough on held-out boxes, and lower it if old data suffer.

    A network is rejected if its `old` is below `least_old`, except at weight 0, which is the start itself.
    """
    networks = {share: interpolate(start, taught, share) for share in SHARES}
    found = {share: held(network) for share, network in networks.items()}
    least = found[0.0] + ENOUGH * (max(found.values()) - found[0.0])
    enough = min(share for share in SHARES if found[share] >= least)
    for share in sorted((share for share in SHARES if share <= enough), reverse=True):
        kept = old(networks[share])
        if kept >= least_old:
            break
    return Blend(share, networks[share], kept)


def interpolate(start: RefinerNetwork, end: RefinerNetwork, share: float) -> RefinerNetwork:
    """A new network whose weights lie between those of two networks."""
    network = copy.deepcopy(start)
    network.load_state_dict(interpolate_weights(start.state_dict(), end.state_dict(), share))
    return network


def interpolate_weights(start: dict[str, Tensor], end: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """Interpolate float weights linearly: `share` 0 gives the start's, 1 the end's. Integer counters are the end's."""
    return {
        name: value.float().cpu().lerp(end[name].float().cpu(), share) if value.is_floating_point() else end[name].cpu()
        for name, value in start.items()
    }
