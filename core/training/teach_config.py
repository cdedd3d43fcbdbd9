"""TeachConfig: every key of resources/configs/box_refinement_config.yaml."""

from __future__ import annotations

import math
from dataclasses import dataclass

from core.training.ranges import COUNT, COUNT_OR_NONE, RATE, SEED, SHARE, WEIGHT, Choices, Ranges, check_values


@dataclass(frozen=True)
class TeachConfig:
    """How a refiner is fine-tuned on corrections. All keys of the YAML file and their defaults.

    epochs: passes over the corrections; more if they make fewer steps than least_steps, or than images with one box
        each would; fewer if they make more than most_steps
    batch_images: images a step; boxes_per_image: drawn boxes of each of them
    learning_rate: at the peak of its schedule, after warmup_steps; fresh_learning_rate: the same for a fresh refiner
    schedule: `cosine` or `constant`
    real_share: share of the user's own drawn boxes; the others are simulated around the accepted box
    views: augmented views of an image, the first mirrored, the others random parts of it; only of the first
        viewed_images images, since each view costs an encoding and room in the cache, and only if encoding is quick (on
        a GPU, or with the light encoder)
    train_parts: `all`, or `edges` for the last layers alone
    `initialisation`: of a fresh refiner, `xavier` (with small last layers) or `default`
    l2_sp: weight of the squared distance from the initial weights (Li et al., 2018)
    replay_weight: weight of the loss that keeps the answers on images of the sample project; replay_images: of so many
        a step
    ema_decay: decay of the averaged weights, which become the result
    held_out: share of the images that are held out; gate_draws: simulated drawn boxes for each of their boxes
    gate_confidence: confidence of the bootstrap's one-sided bound of the gain, which must be above zero
    old_tolerance: how much the mean IoU on the sample project may fall
    margin_shrink: a margin of this many corrections is shrunk by half; 0 shrinks none, negative learns no margins
    sample_ratio, fast_sample_ratio: share of the images that are used; debug_images: at most so many with --debug
    num_workers: processes that read features, at most one a core; none if a CPU computes, or all features are in memory
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
        """Raise a ValueError that names the key if a value is out of its range."""
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
