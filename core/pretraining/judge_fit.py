"""Fitting a judge to records of finds: a small perceptron by Adam, all finds at once."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from core.pretraining.judge_config import JudgeConfig
from core.pretraining.judge_records import Records
from core.suggest.judge import Judge, shapes

_LEAST_SPREAD = 1e-3
_LIMIT = 4.0


def find_weights(records: Records, config: JudgeConfig) -> NDArray[np.float64]:
    """How much each find counts: (N,), so that a set with many finds is not all that counts."""
    per_set = records.set[records.episode]
    count = np.bincount(records.episode, minlength=len(records.size))
    weight = np.where(records.left_out, config.left_out_weight, 1.0)
    weight = weight / np.maximum(count[records.episode], 1.0) ** config.episode_power
    # All sets count the same, however often they were drawn.
    total = np.bincount(per_set, weight, minlength=len(records.sets))
    weight = weight / np.sqrt(np.maximum(total[per_set], 1e-9))
    found: NDArray[np.float64] = weight / max(weight.mean(), 1e-12)
    return found


def fit_judge(records: Records, rows: NDArray[np.bool_], config: JudgeConfig) -> Judge:
    """Fit a judge to the finds at `rows` (N,) bool, on the CPU."""
    generator = torch.Generator().manual_seed(config.seed)
    known = records.known[rows].astype(np.float64)
    mean, spread = known.mean(axis=0), known.std(axis=0)
    # A number that never changes has no weight.
    spread = np.where(spread < _LEAST_SPREAD, 1e3, spread)
    level = torch.from_numpy(((known - mean) / spread).clip(-_LIMIT, _LIMIT)).float()
    right = torch.from_numpy(records.right[rows]).float()
    weight = torch.from_numpy(find_weights(records, config)[rows]).float()
    parts: dict[str, Tensor] = {name: torch.zeros(shape) for name, shape in shapes(config.units).items()}
    wide = parts["enter"].shape[0]
    parts["enter"] = torch.randn(parts["enter"].shape, generator=generator) * wide**-0.5
    parts["leave"] = torch.randn(parts["leave"].shape, generator=generator) * config.units**-0.5 * 0.1
    trained = [parts[name].requires_grad_(True) for name in ("enter", "enter_bias", "leave", "plane", "bias")]
    optimizer = torch.optim.Adam(trained, lr=config.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=config.learning_rate, total_steps=max(config.steps, 1)
    )
    for _ in range(config.steps):
        optimizer.zero_grad()
        hidden = torch.relu(level @ parts["enter"] + parts["enter_bias"])
        logits = hidden @ parts["leave"] + level @ parts["plane"] + parts["bias"]
        loss = (F.binary_cross_entropy_with_logits(logits, right, reduction="none") * weight).mean()
        large = sum((parts[name] ** 2).sum() for name in ("enter", "leave", "plane"))
        (loss + config.weight_decay * large).backward()
        optimizer.step()
        schedule.step()
    whole = {name: value.detach() for name, value in parts.items()}
    whole |= {"mean": torch.from_numpy(mean).float(), "spread": torch.from_numpy(spread).float()}
    return Judge({name: value.half().float() for name, value in whole.items()})


def folds_of(records: Records, config: JudgeConfig) -> NDArray[np.int64]:
    """The part (S,) that each set belongs to; sets of one family are in one part."""
    family = [next((name for name in config.families if each.startswith(name)), each) for each in records.sets]
    order = np.random.default_rng(config.seed).permutation(sorted(set(family)))
    place = {str(name): at % config.folds for at, name in enumerate(order)}
    return np.array([place[name] for name in family], np.int64)


def logits_left_out(records: Records, config: JudgeConfig) -> NDArray[np.float64]:
    """The logits (N,) of all finds, each by a judge that has seen no set of the same part."""
    part = folds_of(records, config)[records.set[records.episode]]
    found = np.zeros(len(part))
    for number in np.unique(part):
        judge = fit_judge(records, part != number, config)
        found[part == number] = judge.logits(records.known[part == number].astype(np.float64))
    return found
