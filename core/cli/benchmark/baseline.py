"""Draw the loss curve of the baseline refiner before and after its repair, and check its claims.

DIR holds one folder a set: images/ and annotations.json (COCO detection). All runs train on the same frames, on the
shipped encoder: `before` by resources/configs/baseline_before.yaml, `after` by baseline.yaml, and `after` without one
part of the repair (gradient clipping, Xavier initialization, AMP), each cut to N steps. The loss is in the baseline's
units: the edges' error in frame pixels, plus IoU weight times 1 - IoU; `last left` is the share of the error that is
left at the end, `unrest` how much that share changes from step to step. --out gets the curves (loss.png, and
error-left.png, smoothed) and a folder for each run: its log (CSV) and its weights, which other benchmarks can take. A
CPU computes everything in fp32, so only a GPU can judge speed and AMP.

examples:
  boxrefine benchmark baseline --data pool
  boxrefine benchmark baseline --data pool --steps 2300 --device cuda --json
  boxrefine benchmark baseline --data pool --runs after without-amp
  boxrefine benchmark accuracy --data dev --beside baseline-curves/after
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.terminal import Figure, say, summarize, table, watch

if TYPE_CHECKING:
    from core.evaluation.baseline_claims import BaselineCurve

LOSS_HEADER = ["first loss", "last loss", "last px", "last left", "last 1 - IoU", "unrest", "largest norm"]
HEADER = ["run", *LOSS_HEADER, "ms a step", "GPU MiB", "IoU hq0.4", "after"]
SMOOTHED = 20
"""The window of a smoothed curve is its length divided by this."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --data, --out, --runs, --steps, --batch and --device."""
    parser.add_argument("--data", metavar="DIR", type=Path, required=True, help="folder of labelled sets")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, default=Path("baseline-curves"), help="default: baseline-curves"
    )
    parser.add_argument(
        "--runs",
        metavar="NAME",
        nargs="+",
        help="default: before after without-clipping without-initialisation without-amp",
    )
    parser.add_argument("--steps", metavar="N", type=int, default=600, help="optimizer steps of each run, default 600")
    parser.add_argument("--batch", metavar="N", type=int, help="pictures a step instead of the configuration's")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to compute")


def run(options: argparse.Namespace) -> int:
    """Train each run, draw the curves, print the verdicts on the claims."""
    from core.encoders.catalogue import choose_device
    from core.errors import BadInputError
    from core.evaluation.baseline_claims import AFTER, BEFORE, RUNS, baseline_curves, contributions, verdicts
    from core.evaluation.plot import sparkline
    from core.refiner.checkpoint import SHIPPED

    if options.steps < 2 or (options.batch is not None and options.batch < 1):
        raise BadInputError("A curve needs --steps of 2 or more, and --batch of 1 or more.")
    device = choose_device(options.device)
    job = baseline_curves(
        options.data,
        options.out,
        device,
        start_from=SHIPPED,
        steps=options.steps,
        batch_images=options.batch,
        runs=options.runs or RUNS,
    )
    curves = watch(job, unit="step")
    judged = verdicts(curves[BEFORE], curves[AFTER]) if {BEFORE, AFTER} <= curves.keys() else {}
    parts = contributions(curves)
    plots = draw(options.out, curves)
    if not options.json:
        say(table(HEADER, [cells(name, curve) for name, curve in curves.items()]) + "\n")
        width = max(map(len, curves))
        for name, curve in curves.items():
            say(f"{name:>{width}} {sparkline(curve.loss)}")
        say("\n" + "\n".join(f"{claim}: {verdict}" for claim, verdict in {**judged, **parts}.items()))
    runs: dict[str, Figure] = {name: figures(curve) for name, curve in curves.items()}
    claims: dict[str, Figure] = dict(judged)
    of_parts: dict[str, Figure] = dict(parts)
    about: dict[str, Figure] = {"steps": options.steps, "device": str(device), "plots": [str(path) for path in plots]}
    summarize({**about, "runs": runs, "claims": claims, "parts": of_parts})
    return 0


def draw(out: Path, curves: Mapping[str, BaselineCurve]) -> list[Path]:
    """Draw the losses of all runs into one picture, and the remaining share of the error, smoothed, into another."""
    from core.evaluation.baseline_claims import running_mean
    from core.evaluation.plot import draw_curves

    loss, left = out / "loss.png", out / "error-left.png"
    draw_curves(
        loss, {name: curve.loss for name, curve in curves.items()}, title="Loss of the baseline refiner, by step"
    )
    window = max(1, max(len(curve.left) for curve in curves.values()) // SMOOTHED)
    draw_curves(
        left,
        {name: running_mean(curve.left, window) for name, curve in curves.items()},
        title=f"Share of the error left, mean of {window} steps",
        from_zero=False,
        points=400,
    )
    return [loss, left]


def cells(name: str, curve: BaselineCurve) -> list[str]:
    """Format one row of the table; the last columns are of held-out pictures."""
    from core.evaluation.baseline_claims import last_tenth

    iou = [f"{curve.figures.get(f'hq0.4 {when}', 0.0):.3f}" for when in ("before", "after")]
    pixels, left, missed = (last_tenth(values) for values in (curve.l1, curve.left, curve.iou))
    losses = [f"{curve.start:.1f}", f"{curve.end:.1f}", f"{pixels:.1f}", f"{left:.3f}", f"{missed:.3f}"]
    calm = [f"{curve.unrest:.4f}", f"{max(curve.norm):.3g}"]
    return [name, *losses, *calm, f"{1000 * curve.seconds_per_step:.1f}", f"{curve.memory_mib:.0f}", *iou]


def figures(curve: BaselineCurve) -> dict[str, Figure]:
    """The figures of one run for the JSON summary."""
    from core.evaluation.baseline_claims import last_tenth

    return {
        "start": round(curve.start, 3),
        "end": round(curve.end, 3),
        "left": round(last_tenth(curve.left), 4),
        "unrest": round(curve.unrest, 4),
        "largest_norm": round(max(curve.norm), 3),
        "ms_per_step": round(1000 * curve.seconds_per_step, 1),
        "precision": curve.precision,
        "gpu_mib": round(curve.memory_mib),
        **{name: round(value, 4) for name, value in curve.figures.items()},
    }
