"""How good boxes become on labelled sets: as drawn, by OpenCV's GrabCut, by the refiner.

DIR holds one folder a set: images/ and annotations.json (COCO detection). Drawn boxes are made from the true ones:
hqS is HQ-SAM's own box noise at scale S, drag a hasty mouse drag. harmed is the share of boxes that lost more than
0.02 IoU; ms a box is without decoding and encoding.

examples:
  boxrefine benchmark accuracy --data dev
  boxrefine benchmark accuracy --data dev --noise hq0.4 --limit 20 --json
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.options import add_cache_options, add_encoder_options, open_source, source_figures
from core.cli.terminal import Figure, say, summarise, table, watch

if TYPE_CHECKING:
    from core.training.accuracy import AccuracyRow

NOISES = ("hq0.2", "hq0.4", "hq0.6", "drag")
HEADER = ["set", "noise", "method", "boxes", "mean IoU", ">= 0.9", "harmed", "ms a box"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--data, --noise, --limit, --no-grabcut, --refiner and the options of encoder and cache."""
    parser.add_argument("--data", metavar="DIR", type=Path, required=True, help="folder of labelled sets")
    parser.add_argument("--noise", nargs="+", default=list(NOISES), help=f"default: {' '.join(NOISES)}")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", metavar="N", type=int, help="only the first N pictures of each set")
    parser.add_argument("--no-grabcut", action="store_true", help="leave out GrabCut, which takes longest")
    parser.add_argument("--refiner", metavar="DIR", type=Path, help="a refiner of your own instead of the shipped one")
    add_encoder_options(parser)
    add_cache_options(parser)


def run(options: argparse.Namespace) -> int:
    """Measure set by set, print the table."""
    from core.refiner.checkpoint import load_refiner
    from core.training.accuracy import find_sets, measure_set

    rows: list[AccuracyRow] = []
    sets = find_sets(options.data)
    with open_source(options) as source:
        refiner = load_refiner(options.refiner, source.encoder)
        for folder in sets:
            job = measure_set(
                folder,
                source=source,
                refiner=refiner,
                noises=options.noise,
                grab_cut=not options.no_grabcut,
                limit=options.limit,
                seed=options.seed,
            )
            rows += watch(job, unit="image")
        if not options.json:
            say(table(HEADER, [cells(row) for row in rows]))
        figures: list[Figure] = [asdict(row) for row in rows]
        summarise({"rows": figures, "seed": options.seed, "refiner": refiner.name, **source_figures(source)})
    return 0


def cells(row: AccuracyRow) -> list[str]:
    """One row of the table."""
    metrics = row.metrics
    shares = [f"{value:.3f}" for value in (metrics.iou_after, metrics.share_090, metrics.harmed)]
    return [row.set, row.noise, row.method, str(metrics.boxes), *shares, f"{row.ms_per_box:.1f}"]
