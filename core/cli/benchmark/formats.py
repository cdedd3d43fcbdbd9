"""Measure imports and exports of large sets: seconds, peak of memory, and how long another write has to wait.

The sets are made up in a temporary folder; their pictures do not exist. Each import, undo and export runs in a process
of its own; `cpu` is the time that the processor worked on an import or export. `wait` is the longest time that another
write, such as accepting a box, waits while boxes are stored. datumaro and supervision read the same COCO file where
they are installed, or with --peers, for which uv gets them; datumaro writes it, too, from its own memory.

examples:
  boxrefine benchmark formats
  boxrefine benchmark formats --pictures 100000 --boxes 1000000 --formats coco yolo
  boxrefine benchmark formats --formats coco --peers
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from core.cli.benchmark.labelled_benchmark import at_least_one
from core.cli.terminal import Figure, complain, say, summarize, table
from core.errors import BadInputError

_NAMES = ("coco", "yolo", "voc", "csv")
_HEADER = (
    *("read", "store", "import", "cpu", "wait ms", "import MB"),
    *("undo", "undo MB", "export", "export cpu", "export MB"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --pictures, --boxes, --formats, --undo, --peers and --seed."""
    parser.add_argument("--pictures", metavar="N", type=at_least_one, default=10_000, help="(default: %(default)s)")
    parser.add_argument("--boxes", metavar="N", type=at_least_one, default=100_000, help="(default: %(default)s)")
    parser.add_argument("--formats", nargs="+", choices=_NAMES, default=_NAMES, help="only these formats")
    parser.add_argument("--undo", action="store_true", help="undo and redo each import, too")
    parser.add_argument(
        "--peers", action="store_true", help="let uv get datumaro and supervision, and measure them, too"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the made-up boxes")


def run(options: argparse.Namespace) -> int:
    """Import and export a set of each format, print the table."""
    from core.evaluation.format_speed import SetSize

    if options.peers and shutil.which("uv") is None:
        raise BadInputError("uv is not on the PATH: install it, or leave out --peers.")

    size = SetSize(options.pictures, options.boxes, options.seed)
    rows: list[dict[str, Figure]] = []
    for format in options.formats:
        with tempfile.TemporaryDirectory(prefix="boxrefine-formats-") as folder:
            for name, figures in measure(size, format, Path(folder), undo=options.undo, peers=options.peers).items():
                rounded: dict[str, Figure] = {each: round(value, 3) for each, value in figures.items()}
                rows.append({"format": format, "by": name, **rounded})
        if not options.json:
            say(f"{format} is measured")
    if not options.json:
        say(table(["format", "by", *_HEADER], [[str(row["format"]), str(row["by"]), *cells(row)] for row in rows]))
    summarize({"pictures": size.pictures, "boxes": size.boxes, "seed": size.seed, "rows": [*rows]})
    return 0


def measure(size: object, format: str, folder: Path, *, undo: bool, peers: bool) -> dict[str, dict[str, float]]:
    """The figures of BoxRefine, and of the peers that are installed, or of all `peers`, for one format.

    A peer that does not run is left out, with a sentence.
    """
    from core.evaluation import format_peers as others
    from core.evaluation import format_speed as speed
    from core.formats import EXPORTERS

    assert isinstance(size, speed.SetSize)
    (folder / "labels").mkdir()
    labels = speed.write_set(size, format, folder / "labels")
    speed.make_project(size, folder)
    project = folder / speed.PROJECT
    own = speed.in_fresh_process(speed.measure_import, project, labels)
    if undo:
        own |= speed.in_fresh_process(speed.measure_undo, project)
    if format in EXPORTERS:
        own |= speed.in_fresh_process(speed.measure_export, project, format, folder / "out")
    found = {"BoxRefine": own}
    for peer in others.peers_of(format) if peers else others.installed_peers(format):
        values = format, labels, folder / peer
        try:
            found[peer] = (
                others.measure_by_uv(peer, *values) if peers else speed.in_fresh_process(others.PEERS[peer][0], *values)
            )
        except RuntimeError as error:
            complain(f"{peer} is left out, because it cannot be measured: {error}")
    return found


def cells(row: Mapping[str, Figure]) -> list[str]:
    """The cells of one row; empty for what was not measured."""
    values = {**row, "wait ms": row["longest"] * 1000} if isinstance(row.get("longest"), float) else row  # type: ignore[operator]
    shown = (values.get(name) for name in _HEADER)
    return ["" if not isinstance(value, int | float) else f"{value:.1f}" for value in shown]
