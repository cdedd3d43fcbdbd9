"""Measure what Ray costs on one machine, and how a cluster scales that is simulated on it.

The first table has the seconds of boxrefine encode alone and with --engine ray, by turns, on the same pictures in empty
caches: the shortest of each, and the ratio of each pair. The pictures are generated 1920 x 1080 JPEGs, unless --data
names others. The second one has rows a second of workers that sleep instead of encoding, on as many simulated machines
of one CPU, while all of them work; gain is how many times that of the first line it is.

examples:
  boxrefine benchmark engine --pictures 2000
  boxrefine benchmark engine --pictures 0 --workers 1 2 4
  boxrefine benchmark engine --pictures 2000 --rounds 3 --device cuda --workers
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.encode import pictures_in
from core.cli.terminal import Figure, say, summarize, table, watch
from core.errors import BadInputError

if TYPE_CHECKING:
    from core.evaluation.engine_speed import Overhead, Scaling


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the pictures, and the workers of the simulated cluster."""
    parser.add_argument("--data", metavar="DIR", type=Path, help="pictures of your own")
    parser.add_argument(
        "--pictures", metavar="N", type=int, default=200, help="pictures to generate; 0: no encoding (%(default)s)"
    )
    parser.add_argument("--rounds", metavar="N", type=int, default=1, help="runs of each way (default: %(default)s)")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where to encode (%(default)s)")
    parser.add_argument("--workers", metavar="N", type=int, nargs="*", default=[1, 2, 4], help="of the cluster")
    parser.add_argument("--sleep", metavar="MS", type=float, default=100.0, help="time of a row (%(default)s ms)")
    parser.add_argument("--rows", metavar="N", type=int, default=80, help="for each worker (default: %(default)s)")


def run(options: argparse.Namespace) -> int:
    """Measure, print the tables."""
    from core.evaluation.engine_speed import measure_scaling

    if options.pictures < 0 or options.rounds < 1 or min([1, *options.workers]) < 1 or options.rows < 8:
        raise BadInputError("Name 0 or more --pictures, 1 or more --rounds and --workers, and 8 or more --rows.")
    figures: dict[str, Figure] = {}
    if options.data is not None or options.pictures:
        overhead = time_overhead(options)
        figures |= {"pictures": overhead.pictures, "alone_s": overhead.alone_s, "engine_s": overhead.engine_s}
        figures["ratios"] = [round(each, 4) for each in overhead.times]
        if not options.json:
            say(table(["pictures", "alone, s", "engine, s", "ratios"], [line(overhead)]) + "\n")
    if options.workers:
        job = measure_scaling(options.workers, milliseconds=options.sleep, rows=options.rows)
        rows: list[Scaling] = watch(job, unit="cluster")
        figures["scaling"] = {str(row.workers): round(row.gain, 3) for row in rows}
        if not options.json:
            cells = [[str(row.workers), f"{row.per_s:.2f}", f"{row.gain:.3f}"] for row in rows]
            say(table(["workers", "rows/s", "gain"], cells))
    summarize(figures)
    return 0


def time_overhead(options: argparse.Namespace) -> Overhead:
    """Encode the pictures that the options name in both ways."""
    from core.evaluation.engine_speed import measure_overhead
    from core.sample_project import make_pictures

    with tempfile.TemporaryDirectory(prefix="boxrefine-") as name:
        if options.data is None:
            make_pictures(Path(name), options.pictures)
        folder = options.data or Path(name)
        count = len(pictures_in(folder))
        return watch(measure_overhead(folder, count=count, rounds=options.rounds, device=options.device), unit="run")


def line(overhead: Overhead) -> list[str]:
    """The cells of the first table."""
    ratios = " ".join(f"{each:.3f}" for each in overhead.times)
    return [str(overhead.pictures), f"{overhead.alone_s:.1f}", f"{overhead.engine_s:.1f}", ratios]
