"""The seed's refiner trained as it was before and after its repair, and what its curves say of the repair's claims."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, median

import torch

from core.progress import Job
from core.resources import RESOURCES
from core.training.config import PretrainConfig, read_config
from core.training.pool import load_pool
from core.training.pretrain import train
from core.training.run_files import LOG_FILE

CONFIGS: Mapping[str, Path] = {
    "before": RESOURCES / "configs" / "seed_before.yaml",
    "after": RESOURCES / "configs" / "seed.yaml",
}
CLAIMED_START, CLAIMED_END, CLAIMED_SPEED = 200.0, 10.0, 0.2


@dataclass(frozen=True)
class SeedCurve:
    """One run, a value a step: loss as weighted, frame pixels an edge is off (l1) and was off as drawn, 1 - IoU,
    gradient norm, seconds so far.

    figures: mean IoU and so on on held-out pictures, by name
    """

    loss: list[float]
    l1: list[float]
    drawn: list[float]
    iou: list[float]
    norm: list[float]
    seconds: list[float]
    figures: Mapping[str, float]

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
        """The share of the drawn boxes' error that is left: how hard a step's boxes happen to be cancels out.

        Steps whose pictures showed no box are left out.
        """
        return [l1 / drawn for l1, drawn in zip(self.l1, self.drawn, strict=True) if drawn > 0]

    @property
    def unrest(self) -> float:
        """How much the share that is left changes from one step to the next, in the mean."""
        changes = [abs(after - before) for before, after in zip(self.left, self.left[1:], strict=False)]
        return fmean(changes) if changes else 0.0

    @property
    def seconds_per_step(self) -> float:
        """Median, so that neither the first step nor a busy machine counts."""
        steps = [after - before for before, after in zip(self.seconds, self.seconds[1:], strict=False)]
        return median(steps) if steps else 0.0


def last_tenth(values: Sequence[float]) -> float:
    """The mean of the last tenth of a run; 0 where there are no values."""
    return fmean(values[-max(1, len(values) // 10) :]) if values else 0.0


def seed_curves(
    data: Path, out: Path, device: torch.device, *, start_from: Path, steps: int, batch_images: int | None = None
) -> Job[dict[str, SeedCurve]]:
    """Train both for `steps` on the same frames; each leaves weights and log in a folder of its own below `out`.

    The encoder is that of `start_from` and does not learn. Raises what `pretrain` raises.
    """
    configs = {name: _shortened(path, steps, batch_images) for name, path in CONFIGS.items()}
    first = configs["after"]
    pool = yield from load_pool(data, side=first.picture_side, held_out=first.held_out)
    curves: dict[str, SeedCurve] = {}
    for name, config in configs.items():
        (out / name / LOG_FILE).unlink(missing_ok=True)  # a log goes on where it ended
        done = yield from train(config, pool, out / name, device, start_from=start_from)
        curves[name] = _read(out / name / LOG_FILE, done.figures)
    return curves


def verdicts(before: SeedCurve, after: SeedCurve) -> dict[str, str]:
    """A sentence for each of the seed's claims, which begins with `holds` or `does not hold`."""
    fell = after.start > CLAIMED_START and after.end < CLAIMED_END
    steadier = after.unrest < 0.95 * before.unrest
    saved = 1 - after.seconds_per_step / max(before.seconds_per_step, 1e-9)
    reached = {name: _reached(curve) for name, curve in (("before", before), ("after", after))}
    return {
        "loss from over 200 to under 10": (
            f"{_word(fell)}: it goes from {after.start:.1f} to {after.end:.1f} "
            f"in {len(after.loss)} steps (before the repair from {before.start:.1f} to {before.end:.1f}); "
            f"boxes that never move have {fmean(after.drawn):.1f} pixels of it"
        ),
        "more stable": (
            f"{_word(steadier)}: from step to step the share of the error that is left changes by {after.unrest:.3f}, "
            f"before the repair by {before.unrest:.3f}; largest gradient norm {max(after.norm):.3g}, then clipped, "
            f"before the repair {max(before.norm):.3g}"
        ),
        "20 to 30 % faster": (
            f"{_word(saved >= CLAIMED_SPEED)}: {1000 * after.seconds_per_step:.0f} ms a step, before the repair "
            f"{1000 * before.seconds_per_step:.0f}; a tenth of the error is gone {reached['after']}, "
            f"before the repair {reached['before']}"
        ),
    }


def _word(holds: bool) -> str:
    return "holds" if holds else "does not hold"


def _reached(curve: SeedCurve, *, window: int = 20) -> str:
    """When the running mean of the share that is left first lies below nine tenths."""
    left = curve.left
    means = [fmean(left[at : at + window]) for at in range(len(left) - window + 1)]
    step = next((at for at, value in enumerate(means) if value < 0.9), None)
    return "never" if step is None else f"after {step + window} steps"


def _shortened(path: Path, steps: int, batch_images: int | None) -> PretrainConfig:
    config = replace(read_config(path, PretrainConfig), steps=steps, report_every=1, measure_every=steps)
    return config if batch_images is None else replace(config, batch_images=batch_images)


def _read(path: Path, figures: Mapping[str, float]) -> SeedCurve:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    columns = {name: [float(row[name]) for row in rows] for name in ("total", "l1", "drawn", "iou", "norm", "seconds")}
    return SeedCurve(loss=columns.pop("total"), **columns, figures=figures)
