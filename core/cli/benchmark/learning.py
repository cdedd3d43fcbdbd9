"""Measure the gain in IoU after N corrections, set by set, and the loss on other sets.

DIR holds one folder a set: images/ and annotations.json (COCO detection). The shipped refiner is fine-tuned on the
first N boxes of a set, drawn with HQ-SAM's box noise, and measured on the remaining pictures. `others` is the change on
the other set that loses most, if the refiner is used as in a project: boxes of categories that were not taught go to
the refiner that training started from. `weights` is the same if all boxes go to the fine-tuned weights. In the summary,
`by_set` has that change for each other set, with the number of its boxes and one-sided confidence bounds (90 % each):
the worst of several sets with a dozen boxes each is below zero by chance alone. `blend` is the share of the learned
change that the weights keep. `s` is the time of a whole run with features cached (margins, training, gate), `training`
that of its loop. The curves (PNG) go to --out.

The second table is of margins alone, which the window learns at once from accepted boxes, without training: the first
N true boxes are accepted picture by picture, and the remaining pictures are measured, drawn with each of two noises.
`with margin` counts the set's categories that get one, `worst` is the least gain of a category with ten boxes.

examples:
  boxrefine benchmark learning --data dev
  boxrefine benchmark learning --data dev --sizes --limit 40
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
    from core.evaluation.learning_curve import DrawnSet, LearningRow
    from core.evaluation.margin_curve import MarginRow
    from core.features.feature_source import FeatureSource

SIZES = (0, 10, 20, 50, 100, 200)
MARGIN_SIZES = (5, 10, 20)
MARGIN_NOISES = ("hq0.4", "drag")
HEADER = ["set", "corrections", "rest", "drawn", "shipped", "taught", "gain", "promoted", "others", "weights"]
TIMES = ["s", "training"]
MARGIN_HEADER = ["set", "noise", "accepted", "rest", "drawn", "shipped", "margins", "gain", "worst", "with margin"]
MARGIN_MEANS_HEADER = ["noise", "accepted", "sets", "mean gain", "least gain"]
MEANS_HEADER = ["corrections", "sets", "mean gain", "promoted", "most lost by others", "by weights", "slowest s"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of data, sizes and files, and those of encoder and cache."""
    from core.cli.train import DEFAULT_CONFIG

    parser.add_argument("--data", metavar="DIR", type=Path, required=True, help="folder of labelled sets")
    parser.add_argument("--only", metavar="SET", nargs="+", help="fine-tune on these sets only; all are measured")
    parser.add_argument("--sizes", metavar="N", type=int, nargs="*", default=SIZES, help="corrections to fine-tune on")
    margins = "accepted boxes to learn margins from, default 5 10 20"
    parser.add_argument("--margins", metavar="N", type=int, nargs="*", default=MARGIN_SIZES, help=margins)
    parser.add_argument("--limit", metavar="N", type=int, help="pictures of each set at most")
    parser.add_argument("--noise", default="hq0.4", help="how boxes are drawn, default %(default)s")
    parser.add_argument("--others", metavar="N", type=int, default=20, help="pictures of each other set, default 20")
    parser.add_argument("--config", metavar="YAML", type=Path, default=DEFAULT_CONFIG, help="as for boxrefine train")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", metavar="PNG", type=Path, default=Path("learning-curve.png"))
    add_encoder_options(parser)
    add_cache_options(parser, optional=False)


def run(options: argparse.Namespace) -> int:
    """Fine-tune and measure, print the tables, draw the curves."""
    import torch

    from core.evaluation.accuracy import find_sets

    folders = find_sets(options.data)
    chosen = options.only or [folder.name for folder in folders]
    unknown = set(chosen) - {folder.name for folder in folders}
    if unknown or min((*options.sizes, *options.margins, options.limit or 0)) < 0:
        raise BadInputError(
            f"{options.data} has no set {', '.join(sorted(unknown)) or 'of a negative size'}: check it."
        )
    with open_source(options) as source:
        rows = measure_teaching(options, folders, chosen, source) if options.sizes else []
        by_margins = measure_margins(options, [folder for folder in folders if folder.name in chosen], source)
        if rows:
            draw(options.out, rows)
        if rows and not options.json:
            say(table([*HEADER, *TIMES], [cells(row) for row in rows]) + "\n")
            say(table(MEANS_HEADER, by_size(rows)) + ("\n" if by_margins else ""))
        if by_margins and not options.json:
            say(table(MARGIN_HEADER, [margin_cells(row) for row in by_margins]) + "\n")
            say(table(MARGIN_MEANS_HEADER, margin_means(by_margins)))
        figures: list[Figure] = [asdict(row) for row in rows]
        margin_figures: list[Figure] = [asdict(row) for row in by_margins]
        about: dict[str, Figure] = {
            "plot": str(options.out) if rows else None,
            "threads": torch.get_num_threads(),
            **source_figures(source),
        }
        summarize({"rows": figures, "means": means(rows), "by_margins": margin_figures, **about})
    return 0


def measure_teaching(
    options: argparse.Namespace, folders: Sequence[Path], chosen: Sequence[str], source: FeatureSource
) -> list[LearningRow]:
    """Teach by each of the sizes."""
    from core.cli.train import old_lessons
    from core.evaluation.learning_curve import learning_curve
    from core.training.config_file import read_config
    from core.training.teach_config import TeachConfig

    config = read_config(options.config, TeachConfig)
    sets = read_sets(options, folders, source, noise=options.noise)
    job = learning_curve(
        sets, chosen, options.sizes, config, source=source, old=old_lessons(), other_pictures=options.others
    )
    return watch(job, unit="step")


def measure_margins(options: argparse.Namespace, folders: Sequence[Path], source: FeatureSource) -> list[MarginRow]:
    """Learn margins alone, from each of the sizes and with each noise."""
    from core.evaluation.margin_curve import margin_curve
    from core.refiner.checkpoint import load_refiner

    rows: list[MarginRow] = []
    refiner = load_refiner(None, source.encoder)
    for noise in MARGIN_NOISES if options.margins else ():
        sets = read_sets(options, folders, source, noise=noise)
        rows += watch(margin_curve(sets, options.margins, noise=noise, refiner=refiner, source=source), unit="set")
    return rows


def read_sets(
    options: argparse.Namespace, folders: Sequence[Path], source: FeatureSource, *, noise: str
) -> list[DrawnSet]:
    """Read, encode and draw sets."""
    from core.evaluation.learning_curve import read_drawn_set

    jobs = (read_drawn_set(folder, source, noise=noise, seed=options.seed, limit=options.limit) for folder in folders)
    return [watch(job, unit="image") for job in jobs]


def margin_cells(row: MarginRow) -> list[str]:
    """Format one row of the table of margins."""
    ious = [f"{value:.3f}" for value in (row.drawn, row.before, row.after)]
    start = [row.set, row.noise, str(row.corrections), str(row.rest)]
    return [*start, *ious, f"{row.gain:+.3f}", f"{row.worst:+.3f}", f"{row.margins} of {row.categories}"]


def margin_means(rows: Sequence[MarginRow]) -> list[list[str]]:
    """Build a row for each noise and number of accepted boxes, over all sets that have so many."""
    found = []
    for noise, size in dict.fromkeys((row.noise, row.corrections) for row in rows):
        gains = [row.gain for row in rows if (row.noise, row.corrections) == (noise, size)]
        found.append([noise, str(size), str(len(gains)), f"{sum(gains) / len(gains):+.4f}", f"{min(gains):+.3f}"])
    return found


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
