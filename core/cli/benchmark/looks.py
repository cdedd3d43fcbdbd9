"""Measure what second looks cost and gain: how many boxes get one, time in proportion to one look, accuracy.

Features of whole pictures are cached on the disk; one look reads them and refines. A second look also decodes the
picture, encodes crops and refines on them.
"a crop each" is a second look at every box, on a crop of its own and of full size. The other rows are of the rule that
`boxrefine refine` uses, with different bounds: boxes whose expected IoU after the first look is at least the bound get
no second look. looked is the share of boxes with one, crops and encodes count them a box; an encode of a smaller input
counts in proportion to its pixels. times is the wall clock in proportion to one look, cpu the processor time.

examples:
  boxrefine benchmark looks --data dev --limit 12
  boxrefine benchmark looks --data dev --limit 12 --noise hq0.4 --below 0.6 0.7 0.75 0.8 0.85 0.9 1.01
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from core.cli.benchmark import labelled_benchmark
from core.cli.benchmark.labelled_benchmark import cells, measure_sets, report, rows_of, with_means
from core.cli.terminal import table

if TYPE_CHECKING:
    from core.evaluation.look_cost import LookCostRow

HEADER = [
    "set",
    "case",
    "boxes",
    "looked",
    "crops",
    "encodes",
    "ms a picture",
    "times",
    "cpu",
    "IoU",
    ">= 0.9",
    "harmed",
]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --noise and --below, and the options of all benchmarks on labelled sets."""
    labelled_benchmark.add_arguments(parser)
    below = "expected IoU below which a box gets a second look; default: the rule's"
    parser.add_argument("--noise", nargs="+", default=["hq0.4", "drag"], help="default: hq0.4 drag")
    parser.add_argument("--below", metavar="IOU", nargs="+", type=float, help=below)
    parser.add_argument("--no-each", action="store_true", help="leave out the rows of a crop each")


def run(options: argparse.Namespace) -> int:
    """Measure set by set, print the table."""
    from core.evaluation.look_cost import LookCost, look_cost_row, measure_look_cost
    from core.inference.crop_refine import BATCH, Effort

    efforts = {} if options.no_each else {"a crop each": Effort(sure=2.0)}
    efforts |= {f"below {sure:g}": BATCH._replace(sure=sure) for sure in options.below or [BATCH.sure]}
    answers, about = measure_sets(
        options,
        lambda labelled, source, refiner: measure_look_cost(
            labelled, source=source, refiner=refiner, noises=options.noise, efforts=efforts, seed=options.seed
        ),
    )
    rows = rows_of(answers, look_cost_row, LookCost.together)
    report(options, [table(HEADER, cells(with_means([line(row) for row in rows])))], rows, about)
    return 0


def line(row: LookCostRow) -> list[str | float]:
    """List the cells of one line of the table."""
    return list(vars(row).values())
