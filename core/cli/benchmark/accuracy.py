"""Measure IoU on labelled sets: drawn boxes, OpenCV's GrabCut, the baseline refiner, the shipped refiner.

DIR holds one folder a set: images/ and annotations.json (COCO detection). The baseline refiner has rows with the
encoder light, for which it was trained. The refiner finds out how boxes were drawn, as `boxrefine refine` does; --drawn
states it. Drawn boxes are made from the true ones: placed moves most by at most some percent;
hqS is HQ-SAM's own box noise at scale S, drag a coarse mouse drag. harmed is the share of boxes that lost more than
0.02 IoU; ms a box leaves out decoding and encoding, except for the crops of second looks, which have a row. small,
medium and large are the mean IoU of boxes by their true shorter side: below 32, below 96, and from 96 pixels. The last
rows are the means over sets.

Where weights of HQ-SAM are installed, each of its encoders has two more rows: the boxes of its masks, and those
refined again by the refiner. --no-masks leaves them out: the larger ones take minutes a picture without a GPU.

With --large K the pictures are laid K by K into large ones, which shows by box size what the second look gains.

examples:
  boxrefine benchmark accuracy --data dev
  boxrefine benchmark accuracy --data dev --noise hq0.4 --limit 20 --json
  boxrefine benchmark accuracy --data dev --noise hq0.4 drag --limit 32 --large 4
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from core.cli.options import (
    add_cache_options,
    add_careful_option,
    add_drawn_option,
    add_encoder_options,
    drawing_of,
    open_source,
    source_figures,
)
from core.cli.terminal import Figure, say, summarize, table, watch
from core.errors import BadInputError

if TYPE_CHECKING:
    from core.encoders.image_features import Encoder
    from core.evaluation.accuracy import AccuracyRow, MaskWay
    from core.evaluation.large_pictures import SecondLookRow
    from core.features.feature_source import FeatureSource
    from core.refiner.protocol import Refiner

NOISES = ("hq0.2", "hq0.4", "hq0.6", "drag")
HEADER = ["set", "noise", "method", "boxes", "mean IoU", ">= 0.9", "harmed", "small", "medium", "large", "ms a box"]
LARGE_HEADER = ["set", "noise", "size", "boxes", "two looks", "drawn", "IoU one", "IoU two", "harmed one", "harmed two"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of data, noise and methods, and those of encoder and cache."""
    parser.add_argument("--data", metavar="DIR", type=Path, required=True, help="folder of labelled sets")
    parser.add_argument("--noise", nargs="+", default=list(NOISES), help=f"default: {' '.join(NOISES)}")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", metavar="N", type=int, help="only the first N pictures of each set")
    parser.add_argument("--no-grabcut", action="store_true", help="leave out GrabCut, which takes longest")
    parser.add_argument("--no-masks", action="store_true", help="leave out HQ-SAM's encoders")
    parser.add_argument("--large", metavar="K", type=int, help="measure second looks on pictures laid K by K")
    parser.add_argument("--refiner", metavar="DIR", type=Path, help="a refiner of your own instead of the shipped one")
    parser.add_argument(
        "--beside", metavar="DIR", type=Path, nargs="*", help="compare with these, not with the baseline's"
    )
    parser.add_argument("--candidates", action="store_true", help="add a row for the best of each box's candidates")
    add_drawn_option(parser)
    add_careful_option(parser)
    add_encoder_options(parser)
    add_cache_options(parser)


def run(options: argparse.Namespace) -> int:
    """Measure set by set, print the table."""
    from core.evaluation.accuracy import find_sets, measure_set
    from core.inference.crop_refine import pays_for
    from core.refiner.candidate_finder import load_candidate_finder
    from core.refiner.checkpoint import load_refiner

    if options.large is not None and options.large < 1:
        raise BadInputError("Pictures are laid K by K: --large must be 1 or more.")
    rows: list[AccuracyRow] = []
    sets = find_sets(options.data)
    with open_source(options) as source:
        refiner = load_refiner(options.refiner, source.encoder, careful=options.careful)
        folders = baseline_folders(source.encoder) if options.beside is None else options.beside
        beside = [load_refiner(folder, source.encoder) for folder in folders]
        if len({each.name for each in (refiner, *beside)}) <= len(beside):
            raise BadInputError(
                "Two of these refiners have one name in the table: give --beside folders of other names."
            )
        if options.large is not None:
            return run_large(options, sets, source.encoder, refiner)
        masks = [] if options.no_masks else load_mask_ways(source)
        finder = load_candidate_finder(source.encoder) if options.candidates else None
        for folder in sets:
            job = measure_set(
                folder,
                source=source,
                refiner=refiner,
                beside=beside,
                masks=masks,
                noises=options.noise,
                grab_cut=not options.no_grabcut,
                second_look=pays_for(source.encoder.name),
                candidates=finder,
                drawing=drawing_of(options),
                limit=options.limit,
                seed=options.seed,
            )
            rows += watch(job, unit="image")
        if not options.json:
            say(table(HEADER, [cells(row) for row in rows] + means(rows)))
        figures: list[Figure] = [asdict(row) for row in rows]
        summarize({"rows": figures, "seed": options.seed, "refiner": refiner.name, **source_figures(source)})
    return 0


def load_mask_ways(source: FeatureSource) -> list[MaskWay]:
    """Load HQ-SAM's encoders whose weights are installed, except for the one of `source`."""
    from core.encoders.catalogue import load_encoder
    from core.encoders.weights.published import OFFICIAL, find_weights
    from core.evaluation.accuracy import MaskWay
    from core.features.feature_source import FeatureSource
    from core.refiner.checkpoint import load_refiner

    ways = []
    for name in OFFICIAL:
        if name != source.encoder.name and find_weights(name) is not None:
            encoder = load_encoder(name, source.encoder.device.type)
            ways.append(MaskWay(name, FeatureSource(encoder, source.cache), load_refiner(None, encoder)))
    return ways


def baseline_folders(encoder: Encoder) -> list[Path]:
    """The folder of the baseline refiner, where `encoder` is the one that it was trained for."""
    from core.refiner.checkpoint import BASELINE, read_card

    # A wheel does not contain it.
    return [BASELINE] if BASELINE.is_dir() and read_card(BASELINE).encoder == encoder.identity else []


def means(rows: list[AccuracyRow]) -> list[list[str]]:
    """Build the rows of each method's means over sets, for methods that every set has."""
    sets = {row.set for row in rows}
    groups: dict[tuple[str, str], list[AccuracyRow]] = {}
    for row in rows:
        groups.setdefault((row.noise, row.method), []).append(row)
    found = []
    for (noise, method), group in groups.items():
        if len(group) == len(sets) > 1:
            metrics = [row.metrics for row in group]
            shares = [[m.iou_after for m in metrics], [m.share_090 for m in metrics], [m.harmed for m in metrics]]
            sizes = [
                [m.iou_after_by_size[size] for m in metrics if size in m.iou_after_by_size]
                for size in ("small", "medium", "large")
            ]
            shown = [f"{fmean(values):.3f}" if values else "" for values in shares + sizes]
            boxes, ms = sum(m.boxes for m in metrics), fmean(row.ms_per_box for row in group)
            found.append(["mean of sets", noise, method, str(boxes), *shown, f"{ms:.1f}"])
    return found


def run_large(options: argparse.Namespace, sets: list[Path], encoder: Encoder, refiner: Refiner) -> int:
    """Measure second looks on large pictures set by set, print the table."""
    from core.evaluation.large_pictures import measure_second_look

    rows: list[SecondLookRow] = []
    for folder in sets:
        job = measure_second_look(
            folder,
            encoder=encoder,
            refiner=refiner,
            noises=options.noise,
            grid=options.large,
            limit=options.limit,
            seed=options.seed,
        )
        rows += watch(job, unit="picture")
    if not options.json:
        say(table(LARGE_HEADER, [large_cells(row) for row in rows]))
    figures: list[Figure] = [asdict(row) for row in rows]
    summarize({"rows": figures, "seed": options.seed, "grid": options.large, "refiner": refiner.name})
    return 0


def large_cells(row: SecondLookRow) -> list[str]:
    """One row of the table of second looks."""
    values = (row.looked_twice, row.iou_drawn, row.iou_once, row.iou_twice, row.harmed_once, row.harmed_twice)
    return [row.set, row.noise, row.size, str(row.boxes), *(f"{value:.3f}" for value in values)]


def cells(row: AccuracyRow) -> list[str]:
    """One row of the table."""
    metrics = row.metrics
    by_size = metrics.iou_after_by_size
    shares = [f"{value:.3f}" for value in (metrics.iou_after, metrics.share_090, metrics.harmed)]
    sizes = [f"{by_size[size]:.3f}" if size in by_size else "" for size in ("small", "medium", "large")]
    return [row.set, row.noise, row.method, str(metrics.boxes), *shares, *sizes, f"{row.ms_per_box:.1f}"]
