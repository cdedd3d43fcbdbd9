"""Measure calibration: the expected calibration error (ECE) of edge confidences and of refine_score.

An edge is close where it is within 5 % of the true side or 2 pixels; its confidence predicts how likely that is.
refine_score predicts the IoU with the true box. ECE is the gap between prediction and truth over 15 bins of equal
width, weighted by their counts. The second table has the edges that the window marks as doubtful: of bad ones, which
are off by more than 10 % of the side, and of good ones, within 3 % or a pixel. DIR holds one folder a set: images/ and
annotations.json (COCO detection).

examples:
  boxrefine benchmark calibration --data dev
  boxrefine benchmark calibration --data dev --noise hq0.4 --limit 20 --json
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from core.cli.benchmark import labelled_benchmark
from core.cli.benchmark.labelled_benchmark import ALL, cells, measure_sets, report, rows_of, with_means
from core.cli.options import add_drawn_option, drawing_of
from core.cli.terminal import table

if TYPE_CHECKING:
    from core.evaluation.calibration import CalibrationRow

NOISES = ("hq0.2", "hq0.4", "hq0.6", "drag")
HEADER = ["set", "noise", "boxes", "confidence", "edges close", "edge ECE", "refine_score", "mean IoU", "score ECE"]
MARK_HEADER = ["set", "noise", "bad edges", "marked", "good edges", "marked wrongly"]
BIN_HEADER = ["noise", "claim", "edges", "confidence", "edges close", "boxes", "refine_score", "mean IoU"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --noise and the options of all benchmarks on labelled sets."""
    parser.add_argument("--noise", nargs="+", default=list(NOISES), help=f"default: {' '.join(NOISES)}")
    labelled_benchmark.add_arguments(parser)
    add_drawn_option(parser)


def run(options: argparse.Namespace) -> int:
    """Refine drawn boxes of every set, compare predictions with the truth."""
    from core.evaluation.calibration import calibration_row
    from core.evaluation.labelled_set import Answers, refined_set

    answers, about = measure_sets(
        options,
        lambda labelled, source, refiner: refined_set(
            labelled,
            source=source,
            refiner=refiner,
            noises=options.noise,
            drawing=drawing_of(options),
            seed=options.seed,
        ),
    )
    rows = rows_of(answers, calibration_row, Answers.concatenate)
    lines = with_means([line(row) for row in rows])
    bins = [cell for row in rows if row.set == ALL for cell in bin_lines(row)]
    marked = with_means([mark_line(row) for row in rows])
    tables = [table(HEADER, cells(lines)), table(MARK_HEADER, cells(marked)), table(BIN_HEADER, cells(bins))]
    report(options, tables, rows, about)
    return 0


def line(row: CalibrationRow) -> list[str | float]:
    """List the cells of one line of the table of sets."""
    edges, score = row.edges, row.score
    figures = [edges.claimed, edges.observed, edges.error, score.claimed, score.observed, score.error]
    return [row.set, row.noise, score.count, *figures]


def mark_line(row: CalibrationRow) -> list[str | float]:
    """List the cells of one line of the table of marks."""
    marks = row.marks
    return [row.set, row.noise, marks.bad, marks.bad_marked, marks.good, marks.good_marked]


def bin_lines(row: CalibrationRow) -> list[list[str | float]]:
    """List the lines of the reliability table: edges and scores of the same bin side by side."""
    edges, scores = ({bin.low: bin for bin in part.bins} for part in (row.edges, row.score))
    lines: list[list[str | float]] = []
    for low in sorted(edges.keys() | scores.keys()):
        found: list[str | float] = [row.noise, f"{low:.2f} to {(edges.get(low) or scores[low]).high:.2f}"]
        for part in (edges.get(low), scores.get(low)):
            found += [part.count, part.claimed, part.observed] if part else [0, "", ""]
        lines.append(found)
    return lines
