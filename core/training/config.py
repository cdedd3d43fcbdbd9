"""YAML configuration of the training commands: a frozen dataclass, checked key by key."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TypeVar

import yaml

from core.errors import BadFileError, BadInputError, reason

T = TypeVar("T")


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


def read_config(path: Path | None, kind: type[T]) -> T:
    """The configuration in a YAML file; keys that it leaves out keep their defaults, None gives all defaults.

    Raises BadFileError where the file is missing or no YAML mapping, BadInputError on a key that does not exist
    (naming the nearest one that does) or a value of the wrong type.
    """
    if path is None:
        return kind()
    try:
        values = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise BadFileError(f"The configuration {path} cannot be read ({reason(error)}): check the path.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadFileError(f"The configuration {path} is not YAML ({reason(error)}): mend it.") from error
    if values is None:
        return kind()
    if not isinstance(values, dict):
        raise BadFileError(f"The configuration {path} must be a list of `key: value` lines: mend it.")
    defaults = {entry.name: getattr(kind(), entry.name) for entry in fields(kind)}  # type: ignore[arg-type]
    return kind(**{str(key): _checked(path, str(key), value, defaults) for key, value in values.items()})


def _checked(path: Path, key: str, value: object, defaults: dict[str, object]) -> object:
    if key not in defaults:
        near = difflib.get_close_matches(key, defaults, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known keys are {', '.join(defaults)}."
        raise BadInputError(f"The configuration {path} has an unknown key {key}: {hint}")
    wanted = type(defaults[key])
    if wanted is float and isinstance(value, str):
        # YAML 1.1 reads 1e-4 as text, which people write all the time.
        try:
            return float(value)
        except ValueError:
            pass
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not wanted:
        raise BadInputError(f"In the configuration {path}, {key} must be of type {wanted.__name__}, not {value!r}.")
    return value
