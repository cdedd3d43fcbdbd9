"""Measure Parquet tables: a made-up project of many boxes to a table, the table read, and imported into a project.

The pictures of the project do not exist. Each step runs in a process of its own, whose peak of memory is measured.

examples:
  boxrefine benchmark tables
  boxrefine benchmark tables --rows 10000000 --no-import
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from core.cli.benchmark.labelled_benchmark import at_least_one
from core.cli.terminal import Figure, say, summarize, table

_HEADER = ("rows", "seconds", "rows/s", "file MB", "memory MB")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --rows, --boxes-a-picture, --folder and --no-import."""
    parser.add_argument("--rows", metavar="N", type=at_least_one, default=100_000, help="(default: %(default)s)")
    parser.add_argument("--boxes-a-picture", metavar="N", type=at_least_one, default=20, help="(default: %(default)s)")
    parser.add_argument("--folder", metavar="DIR", type=Path, help="where the project and the table are made")
    parser.add_argument("--no-import", action="store_true", help="read the table, and import it into no project")


def run(options: argparse.Namespace) -> int:
    """Write, read and import, print the table."""
    from core.arrow import load_pyarrow
    from core.evaluation import table_speed as speed
    from core.evaluation.format_speed import in_fresh_process

    load_pyarrow()
    size = {"rows": options.rows, "boxes_a_picture": options.boxes_a_picture}
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="boxrefine-tables-", dir=options.folder) as name:
        folder, other = Path(name), Path(name, "other")
        other.mkdir()
        speed.make_project(folder, **size)
        found["write"] = in_fresh_process(speed.measure_writing, folder)
        found["read"] = in_fresh_process(speed.measure_reading, folder)
        if not options.no_import:
            speed.make_project(other, **size, empty=True)
            found["import"] = in_fresh_process(speed.measure_import, folder, other)
    for figures in found.values():
        figures["rows/s"] = figures["rows"] / figures["seconds"]
    if not options.json:
        say(table(["step", *_HEADER], [[step, *_cells(figures)] for step, figures in found.items()]))
    steps: dict[str, Figure] = {
        step: {name: round(value, 3) for name, value in figures.items()} for step, figures in found.items()
    }
    summarize({**size, "steps": steps})
    return 0


def _cells(figures: dict[str, float]) -> list[str]:
    return ["" if name not in figures else f"{figures[name]:.0f}" for name in _HEADER]
