"""Measure the harm to boxes that are already tight: the true ones, and true ones with very little noise.

moved is the share of boxes with an edge that moved by more than 2 % of its side, harmed the share that lost more than
0.02 IoU. DIR holds one folder a set: images/ and annotations.json (COCO detection).

examples:
  boxrefine benchmark harm --data dev
  boxrefine benchmark harm --data dev --limit 20 --json
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from core.cli.benchmark import labelled_benchmark
from core.cli.benchmark.labelled_benchmark import cells, measure_sets, report, rows_of, with_means
from core.cli.options import add_drawn_option, drawing_of
from core.cli.terminal import table

if TYPE_CHECKING:
    from core.evaluation.harm import HarmRow

NOISES = ("true", "hq0.1")
HEADER = ["set", "noise", "boxes", "IoU before", "IoU after", "moved", "harmed"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of all benchmarks on labelled sets."""
    labelled_benchmark.add_arguments(parser)
    add_drawn_option(parser)


def run(options: argparse.Namespace) -> int:
    """Refine boxes that need no refining."""
    from core.evaluation.harm import harm_row
    from core.evaluation.labelled_set import Answers, refined_set

    answers, about = measure_sets(
        options,
        lambda labelled, source, refiner: refined_set(
            labelled,
            source=source,
            refiner=refiner,
            noises=NOISES,
            drawing=drawing_of(options),
            seed=options.seed,
        ),
    )
    rows = rows_of(answers, harm_row, Answers.concatenate)
    report(options, [table(HEADER, cells(with_means([line(row) for row in rows])))], rows, about)
    return 0


def line(row: HarmRow) -> list[str | float]:
    """List the cells of one line of the table."""
    return [row.set, row.noise, row.boxes, row.iou_before, row.iou_after, row.moved, row.harmed]
