"""Measure IoU on objects that touch, cover, hide or contain each other.

The scenes are made from the outlines of labelled sets: an object of one picture is pasted against an object of another.
DIR holds one folder a set: images/ and annotations.json (COCO detection); sets without outlines are left out.

examples:
  boxrefine benchmark touching --data dev
  boxrefine benchmark touching --data dev --scenes 200 --noise hq0.4 drag true --refiner trained
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from core.cli.benchmark.labelled_benchmark import at_least_one, cells, rows_of, with_means
from core.cli.options import add_encoder_options
from core.cli.terminal import Figure, complain, say, summarize, table, watch
from core.errors import BadInputError

HEADER = ["set", "case", "boxes", "IoU before", "IoU after", "moved", "harmed"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of data and noise, and those of the encoder."""
    parser.add_argument("--data", metavar="DIR", type=Path, required=True, help="folder of labelled sets with outlines")
    parser.add_argument("--noise", nargs="+", default=["hq0.4", "drag"], help="default: hq0.4 drag")
    parser.add_argument("--scenes", metavar="N", type=at_least_one, default=80, help="scenes a set, default: 80")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--refiner", metavar="DIR", type=Path, help="a refiner of your own instead of the shipped one")
    add_encoder_options(parser)


def run(options: argparse.Namespace) -> int:
    """Measure set by set, print the table."""
    from core.encoders.catalogue import load_encoder
    from core.evaluation.accuracy import find_sets
    from core.evaluation.harm import harm_row
    from core.evaluation.labelled_set import Answers
    from core.evaluation.touching import measure_touching
    from core.inference.crop_refine import pays_for
    from core.refiner.checkpoint import load_refiner

    encoder = load_encoder(options.encoder, options.device)
    refiner = load_refiner(options.refiner, encoder)
    answers: dict[str, dict[str, Answers]] = {}
    for folder in find_sets(options.data):
        job = measure_touching(
            folder,
            encoder=encoder,
            refiner=refiner,
            noises=options.noise,
            scenes=options.scenes,
            second_look=pays_for(encoder.name),
            seed=options.seed,
        )
        try:
            answers[folder.name] = watch(job, unit="scene")
        except BadInputError as error:
            complain(str(error))
    if not answers:
        raise BadInputError(f"No set in {options.data} has outlines: give sets with polygons.")
    common = set.intersection(*(set(found) for found in answers.values()))  # in some sets no scene of a kind fits
    rows = rows_of(
        {name: {case: one for case, one in found.items() if case in common} for name, found in answers.items()},
        harm_row,
        Answers.concatenate,
    )
    lines: list[list[str | float]] = [
        [row.set, row.noise, row.boxes, row.iou_before, row.iou_after, row.moved, row.harmed] for row in rows
    ]
    if not options.json:
        say(table(HEADER, cells(with_means(lines))))
    figures: list[Figure] = [asdict(row) for row in rows]
    summarize({"rows": figures, "seed": options.seed, "scenes": options.scenes, "refiner": refiner.name})
    return 0
