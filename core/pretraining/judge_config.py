"""Configuration of the training of the judge: a frozen dataclass, read from YAML."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.training.ranges import COUNT, COUNT_OR_NONE, RATE, SEED, SHARE, Ranges, check_values


@dataclass(frozen=True)
class JudgeConfig:
    """How the judge that ships is trained.

    seeds: draws of each set's pictures; tested: pictures of a draw on which finds are recorded
    sizes: numbers of labelled pictures; 0 stands for examples in the picture itself
    undone_share: share of the heads whose labelled pictures are not marked as done
    sets: names of the sets, all by default; families: sets of one kind, which are left out together
    folds: into how many parts the families are divided, each of which is left out once
    units: hidden units; weight_decay, learning_rate, steps: of Adam on all finds at once
    episode_power: a find counts as the number of its episode's finds to the power of minus this
    left_out_weight: of the finds on labelled pictures that were left out, beside 1 for those on other pictures
    """

    seed: int = 0
    seeds: int = 8
    tested: int = 16
    sizes: list[int] = field(default_factory=lambda: [0, 1, 3, 5, 10, 20])
    undone_share: float = 0.2
    sets: list[str] = field(default_factory=list)
    families: list[str] = field(default_factory=lambda: ["coco", "voc"])
    folds: int = 5
    units: int = 24
    steps: int = 600
    learning_rate: float = 0.01
    weight_decay: float = 1e-3
    episode_power: float = 0.5
    left_out_weight: float = 0.5

    def validate(self) -> None:
        """Check every value. Raises ValueError, which names the key, if one is out of its range."""
        check_values(self, RANGES, {})
        sizes: list[object] = list(self.sizes)  # read from a file, so they may have any type
        if not sizes or any(type(size) is not int or not 0 <= size <= 1000 for size in sizes):
            raise ValueError("sizes must be numbers from 0 to 1000")
        for name, values in {"sets": self.sets, "families": self.families}.items():
            if any(type(each) is not str for each in values):
                raise ValueError(f"{name} must be names")


RANGES: Ranges = {
    "seed": SEED,
    "seeds": (1, 1000),
    "tested": COUNT,
    "undone_share": SHARE,
    "folds": (2, 100),
    "units": (1, 1024),
    "steps": COUNT_OR_NONE,
    "learning_rate": RATE,
    "weight_decay": (0.0, 1e6),
    "episode_power": (0.0, 1.0),
    "left_out_weight": (0.0, 100.0),
}
