"""The loss curve of the seed's refiner before and after its repair, and which of its claims hold.

DIR holds one folder a set: images/ and annotations.json (COCO detection). Both train on the same frames, on the
shipped encoder, by resources/configs/seed_before.yaml and seed.yaml cut to N steps. The loss is in the seed's units:
frame pixels an edge is off, plus IoU weight times 1 - IoU; `last left` is the share of the drawn boxes' error that is
left at the end. Curves (PNG) and logs (CSV) go into --out. A CPU computes both in fp32, so only a GPU can judge speed.

examples:
  boxrefine benchmark seed --data pool
  boxrefine benchmark seed --data pool --steps 2300 --device cuda --json
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.terminal import Figure, say, summarise, table, watch

if TYPE_CHECKING:
    from core.training.seed_claims import SeedCurve

HEADER = ["run", "first loss", "last loss", "last px", "last left", "last 1 - IoU", "ms a step", "IoU hq0.4", "after"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--data, --out, --steps, --batch and --device."""
    parser.add_argument("--data", metavar="DIR", type=Path, required=True, help="folder of labelled sets")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("seed-curves"), help="default: seed-curves")
    parser.add_argument("--steps", metavar="N", type=int, default=600, help="optimiser steps of each run, default 600")
    parser.add_argument("--batch", metavar="N", type=int, help="pictures a step instead of the configuration's")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to compute")


def run(options: argparse.Namespace) -> int:
    """Train both, draw the curves, say what they say."""
    from core.encoders.catalogue import choose_device
    from core.errors import BadInputError
    from core.refiner.checkpoint import SHIPPED
    from core.training.plot import draw_curves, sparkline
    from core.training.seed_claims import seed_curves, verdicts

    if options.steps < 2 or (options.batch is not None and options.batch < 1):
        raise BadInputError("A curve needs --steps of 2 or more, and --batch of 1 or more.")
    device = choose_device(options.device)
    job = seed_curves(
        options.data, options.out, device, start_from=SHIPPED, steps=options.steps, batch_images=options.batch
    )
    curves = watch(job, unit="step")
    said = verdicts(**curves)
    plot = options.out / "curves.png"
    losses = {f"{name} the repair": curve.loss for name, curve in curves.items()}
    draw_curves(plot, losses, title="Loss of the seed's refiner, by step")
    if not options.json:
        say(table(HEADER, [cells(name, curve) for name, curve in curves.items()]) + "\n")
        for name, curve in curves.items():
            say(f"{name:>6} {sparkline(curve.loss)}")
        say("\n" + "\n".join(f"{claim}: {verdict}" for claim, verdict in said.items()))
    runs: dict[str, Figure] = {name: figures(curve) for name, curve in curves.items()}
    claims: dict[str, Figure] = dict(said)
    summarise({"steps": options.steps, "device": str(device), "plot": str(plot), "runs": runs, "claims": claims})
    return 0


def cells(name: str, curve: SeedCurve) -> list[str]:
    """One row of the table; the last columns are of held-out pictures."""
    from core.training.seed_claims import last_tenth

    iou = [f"{curve.figures.get(f'hq0.4 {when}', 0.0):.3f}" for when in ("before", "after")]
    pixels, left, missed = (last_tenth(values) for values in (curve.l1, curve.left, curve.iou))
    losses = [f"{curve.start:.1f}", f"{curve.end:.1f}", f"{pixels:.1f}", f"{left:.3f}", f"{missed:.3f}"]
    return [name, *losses, f"{1000 * curve.seconds_per_step:.0f}", *iou]


def figures(curve: SeedCurve) -> dict[str, Figure]:
    """One run for the summary."""
    from core.training.seed_claims import last_tenth

    return {
        "start": round(curve.start, 3),
        "end": round(curve.end, 3),
        "left": round(last_tenth(curve.left), 4),
        "unrest": round(curve.unrest, 4),
        "largest_norm": round(max(curve.norm), 3),
        "ms_per_step": round(1000 * curve.seconds_per_step, 1),
        **{name: round(value, 4) for name, value in curve.figures.items()},
    }
