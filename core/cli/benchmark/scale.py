"""Plan the encoding of millions of pictures on many GPUs: hours, bytes, cost, and the first bottleneck.

A closed formula makes the plan: the slowest of the store, a worker's network, its decoding cores and its GPU sets the
pace. A simulation of queues with random times checks it; `off` is how far its pace is from the formula's. The defaults
of --decode-s, --encode-s, --cores and --feature-mb are those of the light encoder on one H200 with sixteen cores
(resources/docs/encoders-and-cache.md); those of networks, pictures and prices are assumed, so give your own. --measure
replaces bytes, reading, decoding, encoding and features by those of this machine.

examples:
  boxrefine benchmark scale
  boxrefine benchmark scale --workers 1 8 64 --store-mb-s 5000 --price 2.5
  boxrefine benchmark scale --measure --data pictures --encoder light
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.benchmark.labelled_benchmark import at_least_one
from core.cli.options import add_encoder_options, check_folder
from core.cli.terminal import Figure, say, summarize, table
from core.errors import BadInputError
from core.translation import tr

if TYPE_CHECKING:
    from core.evaluation.scale_plan import Constants, Plan

_HEADER = ("workers", "hours", "pictures/s", "TB read", "TB written", "cost", "first bottleneck", "off")
_HELP = {
    "decode_s": "seconds to read and decode a picture on one core",
    "encode_s": "seconds to encode a picture on one GPU",
    "picture_mb": "megabytes of a picture",
    "feature_mb": "megabytes of its features",
    "network_mb_s": "megabytes a second of one worker's network",
    "store_mb_s": "megabytes a second of the store, for all workers together",
    "cores": "cores of a worker",
    "start_s": "seconds until a worker encodes",
    "again": "share of batches that are done twice, as after a lost worker",
    "price": "price of a worker's hour",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add sizes, the constants, --measure, --data, and the options of the encoder."""
    from core.evaluation.scale_plan import Constants

    parser.add_argument("--pictures", metavar="N", type=at_least_one, default=10_000_000, help="(default: %(default)s)")
    parser.add_argument("--workers", metavar="N", type=at_least_one, nargs="+", default=[1, 2, 4, 8, 16, 32, 64])
    for entry in fields(Constants):
        option = f"--{entry.name.replace('_', '-')}"
        kind = int if entry.name == "cores" else float
        text = f"{_HELP[entry.name]} (default: {entry.default:g})"
        parser.add_argument(option, dest=entry.name, metavar="X", type=kind, help=text)
    parser.add_argument("--batches", metavar="N", type=at_least_one, default=8000, help="of the simulation")
    parser.add_argument("--seed", type=int, default=0, help="of the simulation")
    parser.add_argument("--measure", action="store_true", help="measure the constants of this machine, with --data")
    parser.add_argument("--data", metavar="DIR", type=Path, help="folder of pictures to measure with")
    parser.add_argument("--count", metavar="N", type=at_least_one, default=64, help="pictures to measure")
    add_encoder_options(parser)


def run(options: argparse.Namespace) -> int:
    """Plan, simulate, print the table."""
    from core.evaluation.scale_plan import deviations, plan

    constants = constants_of(options)
    plans = [plan(options.pictures, workers, constants) for workers in options.workers]
    off = deviations(options.workers, constants, batches=options.batches, seed=options.seed)
    if not options.json:
        say(table(_HEADER, [_cells(each, off[each.workers]) for each in plans]))
    rows: list[Figure] = [{**_figures(each), "simulated_off": round(off[each.workers], 4)} for each in plans]
    shown: dict[str, Figure] = {name: _rounded(value) for name, value in asdict(constants).items()}
    summarize({"pictures": options.pictures, "measured": options.measure, "constants": shown, "plans": rows})
    return 0


def constants_of(options: argparse.Namespace) -> Constants:
    """The defaults, what is measured, and above all the options. Raises BadInputError for bad numbers."""
    from core.evaluation.scale_plan import Constants

    constants = Constants()
    if options.measure:
        constants = _measured(options, constants)
    elif options.data is not None:
        raise BadInputError(tr("--data is read by --measure: add it, or leave out --data."))
    given = {entry.name: getattr(options, entry.name) for entry in fields(Constants)}
    constants = replace(constants, **{name: value for name, value in given.items() if value is not None})
    for name, value in asdict(constants).items():
        least_is_zero = name in ("again", "start_s", "price", "feature_mb")
        if not 0 <= value < float("inf") or (value == 0 and not least_is_zero) or (name == "again" and value >= 1):
            option = f"--{name.replace('_', '-')}"
            raise BadInputError(tr("{option} is {value}: give a number that makes sense.", option=option, value=value))
    return constants


def _measured(options: argparse.Namespace, constants: Constants) -> Constants:
    from core.encoders.catalogue import load_encoder
    from core.evaluation.scale_constants import measure

    if options.data is None:
        raise BadInputError(tr("--measure needs pictures: name their folder by --data."))
    check_folder(options.data)
    encoder = load_encoder(options.encoder, options.device)
    return measure(options.data, encoder, constants, count=options.count, seed=options.seed)


def _figures(each: Plan) -> dict[str, Figure]:
    from core.evaluation.scale_plan import STAGES

    rates: dict[str, Figure] = {stage: _rounded(rate) for stage, rate in zip(STAGES, each.rates, strict=True)}
    figures = {name: _rounded(value) for name, value in asdict(each).items() if name != "rates"}
    return {**figures, "pictures_a_second": _rounded(each.pictures_a_second), "rates": rates}


def _rounded(value: float | str) -> float | str:
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _cells(each: Plan, off: float) -> list[str]:
    numbers = (f"{each.hours:.1f}", f"{each.pictures_a_second:.0f}", f"{each.read_tb:.1f}", f"{each.written_tb:.1f}")
    return [str(each.workers), *numbers, f"{each.cost:.0f}", each.bottleneck, f"{100 * off:+.1f} %"]
