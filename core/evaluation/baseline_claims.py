"""Checks of the baseline refiner's claims: training before and after its repair, and without parts of the repair."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, median
from typing import Any

import torch

from core.errors import BadInputError
from core.pretraining.config import PretrainConfig
from core.pretraining.pool import load_pool
from core.pretraining.pretrain import is_step, train
from core.progress import Job, Progress, told_as
from core.resources import RESOURCES
from core.training.config_file import read_config
from core.training.precision import Precision
from core.training.run_files import LOG_FILE, STATE_FILE, RunSummary

BEFORE, AFTER = "before", "after"
CONFIGS: Mapping[str, Path] = {
    BEFORE: RESOURCES / "configs" / "baseline_before.yaml",
    AFTER: RESOURCES / "configs" / "baseline.yaml",
}
PARTS: Mapping[str, Mapping[str, Any]] = {
    "clipping": {"max_norm": math.inf},
    "initialisation": {"initialisation": "default"},
    "AMP": {"use_amp": False},
}
"""The parts of the repair, and the configuration values that undo each of them."""

CLAIMED_START, CLAIMED_END, CLAIMED_SPEED = 200.0, 10.0, 0.2
NOTICED = 0.05
"""A relative change below this counts as none."""


@dataclass(frozen=True)
class BaselineCurve:
    """The curves of one training run, with a value for each step.

    loss: weighted total; l1: mean distance of the refined edges from the true ones, in frame pixels
    drawn: the same distance of the drawn edges; iou: 1 - IoU
    norm: gradient norm before clipping; seconds: since the start
    figures: mean IoU and other figures on held-out pictures, by name; precision: number format of the forward pass
    memory_mib: peak GPU memory beyond the pool (0 on a CPU)
    """

    loss: list[float]
    l1: list[float]
    drawn: list[float]
    iou: list[float]
    norm: list[float]
    seconds: list[float]
    figures: Mapping[str, float]
    precision: str = "float32"
    memory_mib: float = 0.0

    @property
    def start(self) -> float:
        """Mean loss of the first twentieth of the run."""
        return fmean(self.loss[: max(1, len(self.loss) // 20)])

    @property
    def end(self) -> float:
        """Mean loss of the last tenth."""
        return last_tenth(self.loss)

    @property
    def left(self) -> list[float]:
        """Refined error divided by drawn error of each step, which does not depend on how hard the step's boxes are.

        Steps without a box are left out.
        """
        return [l1 / drawn for l1, drawn in zip(self.l1, self.drawn, strict=True) if drawn > 0]

    @property
    def unrest(self) -> float:
        """Mean absolute change of `left` from one step to the next."""
        changes = [abs(after - before) for before, after in zip(self.left, self.left[1:], strict=False)]
        return fmean(changes) if changes else 0.0

    @property
    def seconds_per_step(self) -> float:
        """The median, which ignores the slow first step and short loads of the machine."""
        steps = [after - before for before, after in zip(self.seconds, self.seconds[1:], strict=False)]
        return median(steps) if steps else 0.0


def last_tenth(values: Sequence[float]) -> float:
    """The mean of the last tenth of a run; 0 if there are no values."""
    return fmean(values[-max(1, len(values) // 10) :]) if values else 0.0


def running_mean(values: Sequence[float], window: int) -> list[float]:
    """The moving average over `window` values, or the mean of all values if there are fewer."""
    width = max(1, min(window, len(values)))
    return [fmean(values[at : at + width]) for at in range(len(values) - width + 1)] if values else []


def without(part: str) -> str:
    """The name of the run without a part of the repair, which is also the name of its folder."""
    return f"without-{part.lower()}"


RUNS = (BEFORE, AFTER, *map(without, PARTS))


def config_of(name: str) -> PretrainConfig:
    """Read the configuration of one of RUNS. Raises BadInputError for another name."""
    if name in CONFIGS:
        return read_config(CONFIGS[name], PretrainConfig)
    for part, change in PARTS.items():
        if name == without(part):
            return replace(read_config(CONFIGS[AFTER], PretrainConfig), **change)
    raise BadInputError(f"There is no run {name} of the baseline: use one of {', '.join(RUNS)}.")


def baseline_curves(
    data: Path,
    out: Path,
    device: torch.device,
    *,
    start_from: Path,
    steps: int,
    batch_images: int | None = None,
    runs: Sequence[str] = RUNS,
) -> Job[dict[str, BaselineCurve]]:
    """Train each of `runs` for `steps` on the same frames, and return its curve by its name.

    Each run leaves its weights and log in a folder of its own below `out`, where `load_refiner` can read them. The
    encoder of `start_from` is used and not trained. Raises what `pretrain` raises, and BadInputError for an unknown
    run.
    """
    configs = {name: _shorten(config_of(name), steps, batch_images) for name in dict.fromkeys(runs)}
    first = next(iter(configs.values()))
    pool = yield from load_pool(data, side=first.picture_side, held_out=first.held_out)
    pool = pool.to(device)  # once for all runs, so that no run's memory includes it
    curves: dict[str, BaselineCurve] = {}
    for name, config in configs.items():
        (out / name / LOG_FILE).unlink(missing_ok=True)  # training appends to an existing log
        done, memory = yield from _measure_memory(
            train(config, pool, out / name, device, start_from=start_from), device
        )
        (out / name / STATE_FILE).unlink(missing_ok=True)  # the finished run needs no state, which is its largest file
        precision = Precision.best(device, use_amp=config.use_amp).name
        curves[name] = replace(
            _read(out / name / LOG_FILE, done.figures), precision=precision, memory_mib=memory / 2**20
        )
    return curves


def verdicts(before: BaselineCurve, after: BaselineCurve) -> dict[str, str]:
    """Judge each of the baseline's claims: a sentence that begins with `holds` or `does not hold`."""
    fell = after.start > CLAIMED_START and after.end < CLAIMED_END
    steadier = after.unrest < (1 - NOTICED) * before.unrest
    saved = 1 - after.seconds_per_step / max(before.seconds_per_step, 1e-9)
    reached = {name: _when_reached(curve) for name, curve in ((BEFORE, before), (AFTER, after))}
    return {
        "loss from over 200 to under 10": (
            f"{_judge(fell)}: it goes from {after.start:.1f} to {after.end:.1f} "
            f"in {len(after.loss)} steps (before the repair from {before.start:.1f} to {before.end:.1f}); "
            f"boxes that never move have {fmean(after.drawn):.1f} pixels of it"
        ),
        "more stable": (
            f"{_judge(steadier)}: from step to step the share of the error that is left changes by {after.unrest:.3f}, "
            f"before the repair by {before.unrest:.3f}; largest gradient norm {max(after.norm):.3g}, then clipped, "
            f"before the repair {max(before.norm):.3g}"
        ),
        "20 to 30 % faster": (
            f"{_judge(saved >= CLAIMED_SPEED)}: {1000 * after.seconds_per_step:.0f} ms a step, before the repair "
            f"{1000 * before.seconds_per_step:.0f}; a tenth of the error is gone {reached[AFTER]}, "
            f"before the repair {reached[BEFORE]}"
        ),
    }


def contributions(curves: Mapping[str, BaselineCurve]) -> dict[str, str]:
    """Compare training with and without each part of the repair that has a run: a sentence for each part."""
    after = curves.get(AFTER)
    if after is None:
        return {}
    pairs = {part: curves[without(part)] for part in PARTS if without(part) in curves}
    return {part: _contribution(part, after, bare) for part, bare in pairs.items()}


def _contribution(part: str, kept: BaselineCurve, bare: BaselineCurve) -> str:
    if part == "AMP" and kept.precision == bare.precision:
        return f"not judged: this device computes both in {kept.precision}, so the two runs are the same"
    norms = f"largest gradient norm {max(kept.norm):.3g} with it (before clipping), {max(bare.norm):.3g} without"
    ends = f"share of the error left at the end {last_tenth(kept.left):.3f} and {last_tenth(bare.left):.3f}"
    sentence = (
        f"{_compare(kept.unrest, bare.unrest, 'steadier', 'less steady')}: the share of the error that is left "
        f"changes by {kept.unrest:.3f} a step with it, {bare.unrest:.3f} without; {norms}; {ends}"
    )
    if part != "AMP":
        return sentence
    speed = _compare(kept.seconds_per_step, bare.seconds_per_step, "faster", "slower")
    return (
        f"{speed}: {1000 * kept.seconds_per_step:.1f} ms a step in {kept.precision}, "
        f"{1000 * bare.seconds_per_step:.1f} without; GPU memory at most {kept.memory_mib:.0f} MiB beyond the pool, "
        f"{bare.memory_mib:.0f} without; {sentence}"
    )


def _compare(kept: float, bare: float, less: str, more: str) -> str:
    if kept < (1 - NOTICED) * bare:
        return f"{less} with it"
    return f"{more} with it" if bare < (1 - NOTICED) * kept else f"no {less} with it"


def _judge(holds: bool) -> str:
    return "holds" if holds else "does not hold"


def _when_reached(curve: BaselineCurve, *, window: int = 20) -> str:
    """The number of steps after which the moving average of `left` is first below 0.9, in words."""
    means = running_mean(curve.left, window) if len(curve.left) >= window else []
    step = next((at for at, value in enumerate(means) if value < 0.9), None)
    return "never" if step is None else f"after {step + window} steps"


def _shorten(config: PretrainConfig, steps: int, batch_images: int | None) -> PretrainConfig:
    short = replace(config, steps=steps, report_every=1, measure_every=steps)
    return short if batch_images is None else replace(short, batch_images=batch_images)


def _measure_memory(job: Job[RunSummary], device: torch.device) -> Job[tuple[RunSummary, int]]:
    """Run the training job, and also return the peak GPU memory of its steps beyond that allocated before, in bytes."""
    held = torch.cuda.memory_allocated(device) if device.type == "cuda" else 0
    most = held

    def measure(progress: Progress) -> Progress:
        nonlocal most
        if device.type == "cuda" and is_step(progress):
            # In the first steps cuDNN tries algorithms that use all free memory.
            if progress.done > 1:
                most = max(most, torch.cuda.max_memory_allocated(device))
            torch.cuda.reset_peak_memory_stats(device)
        return progress

    done = yield from told_as(job, measure)
    return done, most - held


def _read(path: Path, figures: Mapping[str, float]) -> BaselineCurve:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))

    def column(name: str) -> list[float]:
        return [float(row[name]) for row in rows]

    return BaselineCurve(
        loss=column("total"),
        l1=column("l1"),
        drawn=column("drawn"),
        iou=column("iou"),
        norm=column("norm"),
        seconds=column("seconds"),
        figures=figures,
    )
