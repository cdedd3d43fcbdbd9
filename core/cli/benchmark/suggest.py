"""Measure suggestions: what is found after K labelled pictures, and in the rest of a picture from one example.

DIR holds one folder a set: images/ and annotations.json (COCO detection). `saved` is (right - wrong) / boxes, at the
automatic threshold, as are `precision` and `recall`; right is a find with the category and an IoU of 0.5. 0 labelled
pictures stand for one labelled object in each picture that has four of its category. `ms` is the mean time of a picture
for all finds that have a chance of 2 %. `shown ms` is the time from cached features to what is shown at the automatic
threshold, the 95th percentile; with 0 labelled pictures it includes learning. The curves (PNG) go to --out.

examples:
  boxrefine benchmark suggest --data dev
  boxrefine benchmark suggest --data dev --k 5 20 --limit 40 --json
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, astuple
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.benchmark.labelled_benchmark import MEAN, at_least_one
from core.cli.options import add_cache_options, add_encoder_options, open_source, source_figures
from core.cli.terminal import Figure, say, summarize, table, watch

if TYPE_CHECKING:
    from core.evaluation.suggesting import SuggestRow

SIZES = (0, 1, 5, 10, 20)
HEADER = [
    "set",
    "labelled",
    "tested",
    "boxes",
    "AP50",
    "AP75",
    "F1",
    "saved",
    "precision",
    "recall",
    "learning s",
    "ms",
    "shown ms",
]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --data, --k, --limit, --seed, --out, what else than what ships to measure, and encoder and cache options."""
    parser.add_argument("--data", metavar="DIR", type=Path, required=True, help="folder of labelled sets")
    parser.add_argument("--k", metavar="K", type=int, nargs="+", default=SIZES, help="labelled pictures")
    parser.add_argument(
        "--limit", metavar="N", type=at_least_one, default=30, help="pictures to look for objects in, default 30"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--network", metavar="DIR", type=Path, help="a suggestion network of your own")
    parser.add_argument("--judge", metavar="DIR", type=Path, help="a judge of your own")
    parser.add_argument("--no-judge", action="store_true", help="judge suggestions by the head's own scores")
    parser.add_argument("--refiner", metavar="DIR", type=Path, help="a refiner of your own instead of the shipped one")
    parser.add_argument("--out", metavar="PNG", type=Path, default=Path("suggestions.png"))
    add_encoder_options(parser)
    add_cache_options(parser)


def run(options: argparse.Namespace) -> int:
    """Measure every set, print the table, draw the curves."""
    from core.evaluation.accuracy import find_sets
    from core.evaluation.suggesting import suggest_on_set
    from core.refiner.checkpoint import load_refiner
    from core.suggest.kit import kit_for

    rows: list[SuggestRow] = []
    with open_source(options) as source:
        refiner = load_refiner(options.refiner, source.encoder)
        kit = kit_for(source.encoder, refiner, network=options.network, judge=options.judge, plain=options.no_judge)
        for folder in find_sets(options.data):
            job = suggest_on_set(
                folder,
                sorted(set(options.k)),
                kit=kit,
                source=source,
                refiner=refiner,
                limit=options.limit,
                seed=options.seed,
            )
            rows += watch(job, unit="step")
        draw(options.out, rows)
        if not options.json:
            say(table(HEADER, [*map(cells, rows), *means(rows)]))
        figures: list[Figure] = [asdict(row) for row in rows]
        summarize({"rows": figures, "plot": str(options.out), "seed": options.seed, **source_figures(source)})
    return 0


def cells(row: SuggestRow) -> list[str]:
    """Format one row of the table."""
    return [f"{value:.2f}" if isinstance(value, float) else str(value) for value in astuple(row)]


def means(rows: Sequence[SuggestRow]) -> list[list[str]]:
    """The means over sets, a row for each number of labelled pictures; of seconds and milliseconds, too."""
    lines = []
    for size in dict.fromkeys(row.pictures for row in rows):
        mine = [astuple(row)[4:] for row in rows if row.pictures == size]
        figures = [f"{sum(column) / len(mine):.2f}" for column in zip(*mine, strict=True)]
        counts = [sum(getattr(row, name) for row in rows if row.pictures == size) for name in ("tested", "boxes")]
        lines.append([MEAN, str(size), *map(str, counts), *figures])
    return lines


def draw(path: Path, rows: Sequence[SuggestRow]) -> None:
    """Draw what each set saves by number of labelled pictures."""
    from core.evaluation.plot import draw_lines

    sets = dict.fromkeys(row.set for row in rows)
    later = [row for row in rows if row.pictures]
    lines = {name: [(float(row.pictures), row.saved) for row in later if row.set == name] for name in sets}
    lines = {name: line for name, line in lines.items() if line}
    if lines:
        draw_lines(path, lines, title="Boxes saved, by number of labelled pictures")
