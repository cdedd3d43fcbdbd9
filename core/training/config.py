"""YAML configuration of the training commands: a frozen dataclass, checked key by key."""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Protocol, TypeVar

from core.errors import BadFileError, BadInputError, reason
from core.plain_yaml import read_yaml
from core.text import name_of
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

_LONGEST_BITS = 1000


class Config(Protocol):
    """A dataclass whose values can be checked together."""

    def validate(self) -> None: ...


T = TypeVar("T", bound=Config)


@dataclass(frozen=True)
class PretrainConfig:
    """How the shipped weights are trained.

    refiner: `box`, ours, or `seed`, the seed's (see refiner.seed_network), whose losses are l1 and iou alone, in pixels
    backbone: of the light encoder, `lite0` or `lite2`
    initialisation: of the seed's refiner, `xavier` or `default`
    steps: optimiser steps of the whole schedule, 0 only measures and calibrates
    stop_after: stop there even so, 0 never
    batch_images: pictures a step; boxes_per_image: drawn boxes of each of them
    learning_rate: of refiner and pyramid, the backbone's is `backbone_rate` times it
    train_encoder: False leaves the encoder as it is, so that only the refiner learns
    freeze_norms: the backbone's batch normalisation keeps its statistics; drop_path: share of its blocks left out
    feature_drop: share of the features' channels that the refiner does not get to see in a step
    style_share: share of frames that borrow another one's look, and of those whose colour channels are mixed
    held_out: share of each set's pictures that only measures; sides of pasted things in pixels of the 512 frame
    set_power: sets are drawn by (number of pictures) ** set_power, times set_weights[name], 1 where it is not named
    paste_share: of frames, things are pasted on; shape_share, cutout_share: of these, random shapes and cut-outs
    touch_share: of pasted things, laid against another one, in front of it or behind it
    keep_margin, caution, sure_side, least_move: see refiner.box_refiner.Calibration
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
    drop_path: float = 0.0
    feature_drop: float = 0.0
    style_share: float = 0.0
    weight_decay: float = 0.03
    warmup_steps: int = 300
    max_norm: float = 1.0
    use_amp: bool = True
    ema_decay: float = 0.9995
    held_out: float = 0.04
    picture_side: int = 448
    set_power: float = 0.5
    paste_share: float = 0.5
    shape_share: float = 0.4
    cutout_share: float = 0.0
    touch_share: float = 0.0
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
    report_every: int = 50
    measure_every: int = 2000

    def validate(self) -> None:
        """Raises ValueError, which names the key, where a value is out of its range."""
        check_values(self, RANGES, CHOICES)
        weights: dict[str, object] = dict(self.set_weights)  # of a file, so of any type
        for name, weight in weights.items():
            if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= MOST_WEIGHT:
                raise ValueError(f"set_weights must be numbers from 0 to {MOST_WEIGHT:g}, not {name}: {weight!r}")


MOST_WEIGHT = 1000.0

CHOICES: Choices = {
    "refiner": ("box", "seed"),
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
    "distribution_weight": WEIGHT,
    "l1_weight": WEIGHT,
    "iou_weight": WEIGHT,
    "mask_weight": WEIGHT,
    "confidence_weight": WEIGHT,
    "score_weight": WEIGHT,
    "keep_margin": (-1.0, 1.0),
    "caution": (0.0, 100.0),
    "sure_side": (0.0, 1024.0),
    "least_move": SHARE,
    "report_every": COUNT,
    "measure_every": COUNT,
}


def read_config(path: Path | None, kind: type[T]) -> T:
    """The configuration in a YAML file; keys that it leaves out keep their defaults, None gives all defaults.

    Raises BadFileError where the file is missing or no YAML mapping, BadInputError on a key that does not exist
    (naming the nearest one that does), a value of the wrong type or one out of its range.
    """
    if path is None:
        return kind()
    try:
        values = read_yaml(path)
    except OSError as error:
        raise BadFileError(f"The configuration {path} cannot be read ({reason(error)}): check the path.") from error
    except ValueError as error:
        raise BadFileError(f"The configuration {path} is not YAML ({reason(error)}): mend it.") from error
    if values is None:
        return kind()
    if not isinstance(values, dict):
        raise BadFileError(f"The configuration {path} must be a list of `key: value` lines: mend it.")
    defaults = {entry.name: getattr(kind(), entry.name) for entry in fields(kind)}  # type: ignore[arg-type]
    config = kind(**{str(key): _checked(path, key, value, defaults) for key, value in values.items()})
    try:
        config.validate()
    except ValueError as error:
        raise BadInputError(f"In the configuration {path}, {error}: correct that line.") from error
    return config


def _checked(path: Path, key: object, value: object, defaults: dict[str, object]) -> object:
    if not isinstance(key, str) or key not in defaults:
        key = name_of(key) or "that is no word"
        near = difflib.get_close_matches(key[:100], defaults, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known keys are {', '.join(defaults)}."
        raise BadInputError(f"The configuration {path} has an unknown key {key[:100]}: {hint}")
    wanted = type(defaults[key])
    if wanted is float and isinstance(value, str):
        # YAML 1.1 reads 1e-4 as text, which people write all the time.
        try:
            return float(value)
        except ValueError:
            pass
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value) if value.bit_length() <= _LONGEST_BITS else math.inf
    if type(value) is not wanted:
        shown = f"{value!r:.60}" if isinstance(value, str | float | bool) else f"a {type(value).__name__}"
        raise BadInputError(f"In the configuration {path}, {key} must be of type {wanted.__name__}, not {shown}.")
    return value
