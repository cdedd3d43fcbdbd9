"""Configuration of the training of the suggestion network: a frozen dataclass, read from YAML."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from core.pretraining.config import MOST_WEIGHT
from core.training.ranges import COUNT, COUNT_OR_NONE, RATE, SEED, SHARE, WEIGHT, Ranges, check_values


@dataclass(frozen=True)
class SuggestConfig:
    """How the suggestion network that ships is trained.

    trunk: whether cells have more than the features themselves, from a part of the network that costs more time
    start_pictures: pictures of each set from which the network starts in closed form
    stiffness, unknown: the values of `core.suggest.network.Prior` that training starts from
    steps: optimizer steps of the whole schedule, 0 for the start alone
    episodes: episodes a step; pictures: pictures of an episode
    same_picture_share: share of the episodes in which a few objects of one picture are the only examples
    cutout_share: share of the episodes whose category is a cut-out, pasted up to `pastes` times among others
    style_share: share of frames that take the style of another one; the same share gets its color channels mixed
    held_out: share of each set's pictures that is left out
    picture_side, set_power, set_weights: see PretrainConfig
    reach_weight: weight of the boxes' loss; that of finding is 1
    """

    seed: int = 0
    trunk: bool = False
    start_pictures: int = 14
    stiffness: float = 1.0
    unknown: float = -4.0
    steps: int = 4000
    episodes: int = 12
    pictures: int = 6
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warmup_steps: int = 150
    max_norm: float = 1.0
    use_amp: bool = True
    ema_decay: float = 0.998
    feature_drop: float = 0.05
    same_picture_share: float = 0.4
    cutout_share: float = 0.35
    pastes: int = 10
    style_share: float = 0.08
    held_out: float = 0.04
    picture_side: int = 448
    set_power: float = 0.5
    set_weights: dict[str, float] = field(default_factory=dict)
    reach_weight: float = 1.0
    report_every: int = 50
    save_every: int = 500

    def validate(self) -> None:
        """Check every value. Raises ValueError, which names the key, if one is out of its range."""
        check_values(self, RANGES, {})
        weights: dict[str, object] = dict(self.set_weights)  # read from a file, so values may have any type
        for name, weight in weights.items():
            if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= MOST_WEIGHT:
                raise ValueError(f"set_weights must be numbers from 0 to {MOST_WEIGHT:g}, not {name}: {weight!r}")


RANGES: Ranges = {
    "seed": SEED,
    "start_pictures": COUNT,
    "stiffness": (-20.0, 20.0),
    "unknown": (-20.0, 20.0),
    "steps": COUNT_OR_NONE,
    "episodes": (1, 1024),
    "pictures": (2, 64),
    "learning_rate": RATE,
    "weight_decay": (0.0, 1e6),
    "warmup_steps": COUNT_OR_NONE,
    "max_norm": (1e-12, math.inf),
    "ema_decay": (0.0, 0.999999),
    "feature_drop": (0.0, 0.99),
    "same_picture_share": SHARE,
    "cutout_share": SHARE,
    "pastes": (1, 64),
    "style_share": SHARE,
    "held_out": (0.0, 0.95),
    "picture_side": (32, 4096),
    "set_power": (-10.0, 10.0),
    "reach_weight": WEIGHT,
    "report_every": COUNT,
    "save_every": COUNT,
}
