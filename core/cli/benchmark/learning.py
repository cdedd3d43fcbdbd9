"""Measure the gain in IoU after N corrections, set by set, and the loss on other sets.

DIR holds one folder a set: images/ and annotations.json (COCO detection). The shipped refiner is fine-tuned on the
first N boxes of a set, drawn with HQ-SAM's box noise, and measured on the remaining pictures. `others` is the change on
the other set that loses most, if the refiner is used as in a project: boxes of categories that were not taught go to
the refiner that training started from. `weights` is the same if all boxes go to the fine-tuned weights. In the summary,
`by_set` has that change for each other set, with the number of its boxes and one-sided confidence bounds (90 % each):
the worst of several sets with a dozen boxes each is below zero by chance alone. `blend` is the share of the learned
change that the weights keep. `s` is the time of a whole run with features cached (margins, training, gate), `training`
that of its loop. The curves (PNG) go to --out.

examples:
  boxrefine benchmark learning --data dev
  boxrefine benchmark learning --data dev --sizes 0 50 --only raccoon --json
  boxrefine benchmark learning --data dev --sizes 50 --device cuda
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.options import add_cache_options, add_encoder_options, open_source, source_figures
from core.cli.terminal import Figure, say, summarize, table, watch
from core.errors import BadInputError

if TYPE_CHECKING:
    from core.evaluation.learning_curve import LearningRow

SIZES = (0, 10, 20, 50, 100, 200)
HEADER = ["set", "corrections", "rest", "drawn", "shipped", "taught", "gain", "promoted", "others", "weights"]
TIMES = ["s", "training"]
MEANS_HEADER = ["corrections", "sets", "mean gain", "promoted", "most lost by others", "by weights", "slowest s"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --data, --only, --sizes, --noise, --others, --config, --out and the options of encoder and cache."""
    from core.cli.train import DEFAULT_CONFIG

    parser.add_argument("--data", metavar="DIR", type=Path, required=True, help="folder of labelled sets")
    parser.add_argument("--only", metavar="SET", nargs="+", help="fine-tune on these sets only; all are measured")
    parser.add_argument("--sizes", metavar="N", type=int, nargs="+", default=SIZES, help="numbers of corrections")
    parser.add_argument("--noise", default="hq0.4", help="how boxes are drawn, default %(default)s")
    parser.add_argument("--others", metavar="N", type=int, default=20, help="pictures of each other set, default 20")
    parser.add_argument("--config", metavar="YAML", type=Path, default=DEFAULT_CONFIG, help="as for boxrefine train")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", metavar="PNG", type=Path, default=Path("learning-curve.png"))
    add_encoder_options(parser)
    add_cache_options(parser, optional=False)


def run(options: argparse.Namespace) -> int:
    """Fine-tune and measure, print the table, draw the curves."""
    import torch

    from core.cli.train import old_lessons
    from core.evaluation.accuracy import find_sets
    from core.evaluation.learning_curve import learning_curve, read_drawn_set
    from core.training.config_file import read_config
    from core.training.teach_config import TeachConfig

    folders = find_sets(options.data)
    chosen = options.only or [folder.name for folder in folders]
    unknown = set(chosen) - {folder.name for folder in folders}
    if unknown or min(options.sizes) < 0:
        raise BadInputError(
            f"{options.data} has no set {', '.join(sorted(unknown)) or 'of a negative size'}: check it."
        )
    config = read_config(options.config, TeachConfig)
    with open_source(options) as source:
        sets = [
            watch(read_drawn_set(folder, source, noise=options.noise, seed=options.seed), unit="image")
            for folder in folders
        ]
        job = learning_curve(
            sets, chosen, options.sizes, config, source=source, old=old_lessons(), other_pictures=options.others
        )
        rows = watch(job, unit="step")
        draw(options.out, rows)
        if not options.json:
            say(table([*HEADER, *TIMES], [cells(row) for row in rows]) + "\n")
            say(table(MEANS_HEADER, by_size(rows)))
        figures: list[Figure] = [asdict(row) for row in rows]
        about: dict[str, Figure] = {
            "plot": str(options.out),
            "threads": torch.get_num_threads(),
            **source_figures(source),
        }
        summarize({"rows": figures, "means": means(rows), **about})
    return 0


def cells(row: LearningRow) -> list[str]:
    """Format one row of the table."""
    ious = [f"{value:.3f}" for value in (row.drawn, row.before, row.after)]
    changes = [f"{value:+.3f}" for value in (row.others, row.weights)]
    promoted = "yes" if row.promoted else "no"
    start = [row.set, str(row.corrections), str(row.rest)]
    return [*start, *ious, f"{row.gain:+.3f}", promoted, *changes, f"{row.seconds:.1f}", f"{row.training:.1f}"]


def means(rows: Sequence[LearningRow]) -> dict[str, Figure]:
    """The mean gain over sets for each number of corrections."""
    sizes = dict.fromkeys(row.corrections for row in rows)
    gains = {size: [row.gain for row in rows if row.corrections == size] for size in sizes}
    return {str(size): round(sum(found) / len(found), 4) for size, found in gains.items()}


def by_size(rows: Sequence[LearningRow]) -> list[list[str]]:
    """Build a row for each number of corrections, over all sets that have enough."""
    found = []
    for size in dict.fromkeys(row.corrections for row in rows):
        mine = [row for row in rows if row.corrections == size]
        gain = sum(row.gain for row in mine) / len(mine)
        lost = [f"{min(values):+.3f}" for values in ([row.others for row in mine], [row.weights for row in mine])]
        promoted = f"{sum(row.promoted for row in mine)} of {len(mine)}" if size else ""
        slowest = f"{max(row.seconds for row in mine):.1f}"
        found.append([str(size), str(len(mine)), f"{gain:+.3f}", promoted, *lost, slowest])
    return found


def draw(path: Path, rows: Sequence[LearningRow]) -> None:
    """Draw the mean IoU of each set by number of corrections."""
    from core.evaluation.plot import draw_lines

    sets = dict.fromkeys(row.set for row in rows)
    lines = {name: [(float(row.corrections), row.after) for row in rows if row.set == name] for name in sets}
    draw_lines(path, lines, title="Mean IoU on the rest of the set, by number of corrections")
