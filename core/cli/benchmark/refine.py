"""Measure how many boxes a second the verb refine refines of pictures whose features are cached on the disk.

The pictures are generated 1920 x 1080 JPEGs with boxes of 40 to 400 pixels at random places. What counts is the time of
refining them all, without the start of the process: reading features, refining, and with a second look decoding
pictures and encoding crops. The first ways keep the features of one picture in memory: what is left is the refiner. On
a CPU that computes in bfloat16, batches do so; the second way does not. Each way runs --rounds times, by turns; the
fastest counts. Boxes per CPU second are disturbed less by other programs. The second table is of the crops of second
looks at all boxes of up to 16 of these pictures, which are decoded before: encoded one by one, each with its features
brought to the CPU, and in batches, whose features stay where they are made.

examples:
  boxrefine benchmark refine
  boxrefine benchmark refine --pictures 50 --boxes 20 --json
  boxrefine benchmark refine --device cuda --pictures 200 --boxes 32
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from core.cli.terminal import say, summarize, table, watch
from core.errors import BadInputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the pictures, their boxes, rounds and device."""
    parser.add_argument("--pictures", metavar="N", type=int, default=20, help="pictures (default: %(default)s)")
    parser.add_argument("--boxes", metavar="N", type=int, default=16, help="of each picture (default: %(default)s)")
    parser.add_argument("--rounds", metavar="N", type=int, default=3, help="runs of each way (default: %(default)s)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="cpu", help="where to compute")


def run(options: argparse.Namespace) -> int:
    """Measure, print the table."""
    from core.evaluation.refine_speed import measure_refining

    if min(options.pictures, options.boxes, options.rounds) < 1:
        raise BadInputError("Name 1 or more --pictures, --boxes and --rounds.")
    with tempfile.TemporaryDirectory(prefix="boxrefine-") as name:
        job = measure_refining(
            Path(name),
            pictures=options.pictures,
            boxes=options.boxes,
            rounds=options.rounds,
            device=options.device,
        )
        found = watch(job, unit="run")
    rows = found.refining
    cells = [[row.looks, f"{row.per_s:.0f}", f"{row.per_cpu_s:.0f}", str(row.second_looks)] for row in rows]
    if not options.json:
        say(table(["way", "boxes/s", "boxes/CPU s", "second looks"], cells) + "\n")
        say(table(["way", "crops", "crops/s"], [[row.way, str(row.crops), f"{row.per_s:.0f}"] for row in found.crops]))
    summarize(
        {
            "pictures": options.pictures,
            "boxes": options.pictures * options.boxes,
            "boxes_per_s": {row.looks: round(row.per_s, 1) for row in rows},
            "boxes_per_cpu_s": {row.looks: round(row.per_cpu_s, 1) for row in rows},
            "second_looks": {row.looks: row.second_looks for row in rows},
            "crops": found.crops[0].crops,
            "crops_per_s": {row.way: round(row.per_s, 1) for row in found.crops},
        }
    )
    return 0
