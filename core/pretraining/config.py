"""Configuration of pretraining: a frozen dataclass, read from YAML."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.training.ranges import (
    COUNT,
    COUNT_OR_NONE,
    RATE,
    SEED,
    SHARE,
    WEIGHT,
    Choices,
    Ranges,
    check_values,
)


@dataclass(frozen=True)
class PretrainConfig:
    """How the shipped weights are trained.

    refiner: `box`, the refiner that ships; `candidates`, which proposes several boxes and needs the features of a
        trained encoder (train_encoder False); `baseline`, for comparison, whose losses are l1 and iou alone, in pixels
    backbone: of the light encoder, `lite0` or `lite2`
    `initialisation`: of the baseline refiner, `xavier` or `default`
    steps: optimizer steps of the whole schedule; 0 only measures and calibrates
    stop_after: stop after this step of the schedule, to resume later; 0 never
    batch_images: pictures a step; boxes_per_image: drawn boxes of each of them
    learning_rate: of refiner and pyramid; that of the backbone is `backbone_rate` times it
    train_encoder: False freezes the encoder, so that only the refiner learns
    blend: share of the way to the weights of another run, if they are given, at which training starts
    drawing_strength: after a blend, the vectors for how boxes were drawn are multiplied by this
    freeze_norms: freeze the statistics of the backbone's batch normalization
    drop_path: stochastic depth, the share of the backbone's blocks skipped in a step
    feature_drop: dropout of feature channels, the share hidden from the refiner in a step
    style_share: share of frames that take the style of another one; the same share gets its color channels mixed
    held_out: share of each set's pictures that is only measured on
    left_out: names of sets of which all pictures are only measured on
    picture_side: longest side of a picture in the pool, in pixels
    set_power: sets are drawn by (number of pictures) ** set_power, times set_weights[name], 1 if it is not named
    paste_share: share of frames with a pasted object
    shape_share, cutout_share: shares of the pasted objects that are random shapes and cut-outs; the rest are masked
        objects of the pool
    touch_share: share of the pasted objects that are placed against another object, in front of it or behind it
    drag_share, coarse_share, placed_share: shares of the frames whose boxes are all drawn in one way, which the refiner
        knows; see core.training.drawing_noise
    keep_margin, caution, sure_side, least_move: see refiner.box_refiner.Calibration
    drawing_caution: the caution for boxes that were drawn in one way, by the name of the drawing; default: `caution`
    """

    seed: int = 0
    refiner: str = "box"
    backbone: str = "lite0"
    initialisation: str = "xavier"
    steps: int = 12000
    stop_after: int = 0
    batch_images: int = 64
    boxes_per_image: int = 8
    learning_rate: float = 1e-3
    backbone_rate: float = 0.3
    train_encoder: bool = True
    freeze_norms: bool = False
    blend: float = 0.5
    drawing_strength: float = 1.0
    drop_path: float = 0.0
    feature_drop: float = 0.0
    style_share: float = 0.0
    weight_decay: float = 0.03
    warmup_steps: int = 300
    max_norm: float = 1.0
    use_amp: bool = True
    ema_decay: float = 0.9995
    held_out: float = 0.04
    left_out: list[str] = field(default_factory=list)
    picture_side: int = 448
    set_power: float = 0.5
    paste_share: float = 0.5
    shape_share: float = 0.4
    cutout_share: float = 0.0
    touch_share: float = 0.0
    drag_share: float = 0.0
    coarse_share: float = 0.0
    placed_share: float = 0.0
    set_weights: dict[str, float] = field(default_factory=dict)
    distribution_weight: float = 1.0
    l1_weight: float = 1.0
    iou_weight: float = 2.0
    mask_weight: float = 0.5
    confidence_weight: float = 0.25
    score_weight: float = 0.25
    keep_margin: float = -0.1
    caution: float = 0.75
    sure_side: float = 24.0
    least_move: float = 0.015
    drawing_caution: dict[str, float] = field(default_factory=dict)
    report_every: int = 50
    measure_every: int = 2000

    def validate(self) -> None:
        """Check every value. Raises ValueError, which names the key, if one is out of its range."""
        check_values(self, RANGES, CHOICES)
        if self.drag_share + self.coarse_share + self.placed_share > 1 + 1e-9:
            raise ValueError("drag_share, coarse_share and placed_share must sum up to 1 at most")
        if not all(isinstance(name, str) for name in self.left_out):  # read from a file, so values may have any type
            raise ValueError(f"left_out must be names of sets, not {self.left_out}")
        _check_table("set_weights", self.set_weights, most=MOST_WEIGHT)
        _check_table("drawing_caution", self.drawing_caution, most=MOST_CAUTION)
        for name in self.drawing_caution:
            if name not in DRAWINGS:
                raise ValueError(f"drawing_caution must be by drawing, {', '.join(DRAWINGS)}, not {name}")


def _check_table(key: str, table: Mapping[str, object], *, most: float) -> None:
    for name, value in table.items():  # read from a file, so values may have any type
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
            raise ValueError(f"{key} must be numbers from 0 to {most:g}, not {name}: {value!r}")


DRAWINGS = ("drag", "coarse", "placed")
MOST_CAUTION = 100.0
MOST_WEIGHT = 1000.0

CHOICES: Choices = {
    "refiner": ("box", "baseline", "candidates"),
    "backbone": ("lite0", "lite2"),
    "initialisation": ("xavier", "default"),
}
RANGES: Ranges = {
    "seed": SEED,
    "steps": COUNT_OR_NONE,
    "stop_after": COUNT_OR_NONE,
    "batch_images": (1, 4096),
    "boxes_per_image": (1, 1024),
    "learning_rate": RATE,
    "backbone_rate": (0.0, 1e6),
    "blend": SHARE,
    "drawing_strength": (0.0, 100.0),
    "drop_path": (0.0, 0.99),
    "feature_drop": (0.0, 0.99),
    "style_share": SHARE,
    "weight_decay": (0.0, 1e6),
    "warmup_steps": COUNT_OR_NONE,
    "max_norm": (1e-12, math.inf),
    "ema_decay": (0.0, 0.999999),
    "held_out": (0.0, 0.95),
    "picture_side": (32, 4096),
    "set_power": (-10.0, 10.0),
    "paste_share": SHARE,
    "shape_share": SHARE,
    "cutout_share": SHARE,
    "touch_share": SHARE,
    "drag_share": SHARE,
    "coarse_share": SHARE,
    "placed_share": SHARE,
    "distribution_weight": WEIGHT,
    "l1_weight": WEIGHT,
    "iou_weight": WEIGHT,
    "mask_weight": WEIGHT,
    "confidence_weight": WEIGHT,
    "score_weight": WEIGHT,
    "keep_margin": (-1.0, 1.0),
    "caution": (0.0, MOST_CAUTION),
    "sure_side": (0.0, 1024.0),
    "least_move": SHARE,
    "report_every": COUNT,
    "measure_every": COUNT,
}
