"""Measure the cost of the feature cache's codecs: IoU of boxes refined on decoded features, bytes and time.

lost is the mean IoU that a codec costs compared with the encoder's own features, moved the distance between refined
edges as a share of the side, MB the bytes that a picture takes. DIR holds one folder a set: images/ and
annotations.json (COCO detection).

examples:
  boxrefine benchmark codec --data dev
  boxrefine benchmark codec --data dev --limit 20 --noise drag
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from core.cli.benchmark import labelled_benchmark
from core.cli.benchmark.labelled_benchmark import measure_sets, report, rows_of, with_means
from core.cli.terminal import table

if TYPE_CHECKING:
    from core.evaluation.codec_cost import CodecRow

HEADER = ["set", "codec", "boxes", "IoU refined", "lost", "moved", "MB", "ms to decode"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --noise and the options of all benchmarks on labelled sets."""
    labelled_benchmark.add_arguments(parser)
    parser.add_argument("--noise", default="hq0.4", help="how boxes are drawn: hq0.2, hq0.4, drag, ...")


def run(options: argparse.Namespace) -> int:
    """Refine on features that were encoded and decoded by each codec."""
    from core.evaluation.codec_cost import Found, codec_row, cost_in_set

    answers, about = measure_sets(
        options,
        lambda labelled, source, refiner: cost_in_set(
            labelled, source=source, refiner=refiner, noise=options.noise, seed=options.seed
        ),
    )
    rows = rows_of(answers, codec_row, Found.concatenate)
    lines = [
        [f"{value:.5f}" if isinstance(value, float) else str(value) for value in entry]
        for entry in with_means([line(row) for row in rows])
    ]
    report(options, [table(HEADER, lines)], rows, {"noise": options.noise, **about})
    return 0


def line(row: CodecRow) -> list[str | float]:
    """List the cells of one line of the table."""
    return [row.set, row.codec, row.boxes, row.iou, row.lost, row.moved, row.megabytes, row.decode_ms]
