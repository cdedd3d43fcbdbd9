"""Measure the jitter of refined boxes during a drag: movement of their edges from step to step, and jumps.

Coarse boxes are dragged from half their size to the whole in 30 steps, from the top left or the bottom right corner,
and shaken by up to 2 % of their sides. Movements are medians over steps of the mean over the four edges, in pixels at a
long side of 1024; a jump is a step whose two refined boxes have an IoU below 0.5. DIR holds one folder a set: images/
and annotations.json (COCO detection).

examples:
  boxrefine benchmark jitter --data dev
  boxrefine benchmark jitter --data dev --limit 20 --boxes 1 --json
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from core.cli.benchmark import labelled_benchmark
from core.cli.benchmark.labelled_benchmark import cells, measure_sets, report, rows_of, with_means
from core.cli.terminal import table

if TYPE_CHECKING:
    from core.evaluation.jitter import JitterRow

HEADER = ["set", "path", "boxes", "drawn px", "refined px", "ratio", "refined px, 95 %", "jumps"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --boxes, --noise and the options of all benchmarks on labelled sets."""
    parser.add_argument(
        "--boxes",
        metavar="N",
        type=labelled_benchmark.at_least_one,
        default=2,
        help="boxes of each picture, chosen at random",
    )
    parser.add_argument("--noise", default="drag", help="noise of the coarse boxes, default: drag")
    labelled_benchmark.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Drag and shake boxes of every set."""
    from core.evaluation.jitter import Steps, jitter_of_set, jitter_row

    answers, about = measure_sets(
        options,
        lambda labelled, source, refiner: jitter_of_set(
            labelled,
            source=source,
            refiner=refiner,
            boxes_a_picture=options.boxes,
            noise=options.noise,
            seed=options.seed,
        ),
    )
    rows = rows_of(answers, jitter_row, Steps.concatenate)
    report(options, [table(HEADER, cells(with_means([line(row) for row in rows])))], rows, about)
    return 0


def line(row: JitterRow) -> list[str | float]:
    """List the cells of one line of the table."""
    return [row.set, row.path, row.boxes, row.drawn_px, row.refined_px, row.ratio, row.refined_px_95, row.jumps]
