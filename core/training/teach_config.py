"""TeachConfig: every key of resources/configs/box_refinement_config.yaml."""

from __future__ import annotations

import math
from dataclasses import dataclass

from core.training.ranges import COUNT, COUNT_OR_NONE, RATE, SEED, SHARE, WEIGHT, Choices, Ranges, check_values


@dataclass(frozen=True)
class TeachConfig:
    """How a refiner is taught by corrections.

    epochs: passes over the corrections; more where they would not make least_steps, or fewer steps than pictures with
        one box each would; fewer where they would make more than most_steps
    batch_images: pictures a step; boxes_per_image: drawn boxes of each of them
    learning_rate: at the peak of its schedule, after warmup_steps; fresh_learning_rate: of a refiner that starts
        afresh; schedule: `cosine`, or `constant` as the seed had it
    real_share: share of drawn boxes that are as they were drawn; the others are drawn anew around the accepted box
    views: further views of a picture that are learned from, the first in a mirror, the others parts of it; only of the
        first viewed_images pictures, since each view costs an encode and a place in the cache, and where encoding is
        quick (on a GPU, or with the light encoder)
    train_parts: `all`, or `edges`, the last layers alone
    initialisation: of a refiner that starts afresh, `xavier` (with small last layers) or `default`
    l2_sp: pull of all weights towards those it started from (Li et al., 2018)
    replay_weight, replay_images: answering on the sample project's pictures as before counts this much in the loss
    ema_decay: of the averaged weights, which are the ones kept
    held_out: share of the pictures that only judge; gate_draws: times each of their boxes is drawn anew for that
    gate_confidence: of the bootstrap's one-sided bound, which must lie above zero
    old_tolerance: mean IoU that may be lost on the sample project
    margin_shrink: a margin of this many corrections counts half; 0 learns it as it is, negative learns none
    sample_ratio: share of the pictures that are used; debug_images: at most so many with --debug
    num_workers: processes that read features, at most one a core (none where only the CPU computes, which they would
        take from it, and where all features are in memory)
    """

    seed: int = 0
    epochs: int = 5
    least_steps: int = 240
    most_steps: int = 3000
    batch_images: int = 4
    boxes_per_image: int = 2
    learning_rate: float = 8e-4
    fresh_learning_rate: float = 1e-3
    schedule: str = "cosine"
    warmup_steps: int = 10
    weight_decay: float = 1e-5
    max_norm: float = 1.0
    use_amp: bool = True
    distribution_weight: float = 1.0
    l1_weight: float = 1.0
    iou_weight: float = 2.0
    confidence_weight: float = 0.25
    score_weight: float = 0.25
    real_share: float = 0.6
    views: int = 2
    viewed_images: int = 100
    train_parts: str = "all"
    initialisation: str = "xavier"
    l2_sp: float = 0.01
    replay_weight: float = 1.0
    replay_images: int = 1
    ema_decay: float = 0.97
    held_out: float = 0.25
    gate_draws: int = 4
    gate_confidence: float = 0.9
    old_tolerance: float = 0.01
    margin_shrink: float = 10.0
    sample_ratio: float = 1.0
    fast_sample_ratio: float = 0.1
    debug_images: int = 100
    encode_batch: int = 8
    num_workers: int = 4
    pin_memory: bool = True
    persistent_workers: bool = True

    def validate(self) -> None:
        """Raises ValueError, which names the key, where a value is out of its range."""
        check_values(self, RANGES, CHOICES)


CHOICES: Choices = {
    "schedule": ("cosine", "constant"),
    "train_parts": ("all", "edges"),
    "initialisation": ("xavier", "default"),
}
RANGES: Ranges = {
    "seed": SEED,
    "epochs": (1, 1_000_000),
    "least_steps": COUNT_OR_NONE,
    "most_steps": COUNT,
    "batch_images": (1, 4096),
    "boxes_per_image": (1, 1024),
    "learning_rate": RATE,
    "fresh_learning_rate": RATE,
    "warmup_steps": COUNT_OR_NONE,
    "weight_decay": (0.0, 1e6),
    "max_norm": (1e-12, math.inf),
    "distribution_weight": WEIGHT,
    "l1_weight": WEIGHT,
    "iou_weight": WEIGHT,
    "confidence_weight": WEIGHT,
    "score_weight": WEIGHT,
    "real_share": SHARE,
    "views": (0, 64),
    "viewed_images": COUNT_OR_NONE,
    "l2_sp": WEIGHT,
    "replay_weight": WEIGHT,
    "replay_images": (0, 1024),
    "ema_decay": (0.0, 0.999999),
    "held_out": (0.0, 0.95),
    "gate_draws": (1, 1000),
    "gate_confidence": (0.5, 0.9999),
    "old_tolerance": (0.0, 1.0),
    "margin_shrink": (-1e6, 1e6),
    "sample_ratio": (1e-6, 1.0),
    "fast_sample_ratio": (1e-6, 1.0),
    "debug_images": COUNT,
    "encode_batch": (1, 4096),
    "num_workers": (0, 256),
}
