"""Measure BoxRefine on this machine.

examples:
  boxrefine benchmark latency
  boxrefine benchmark latency --json
  boxrefine benchmark accuracy --data dev --noise hq0.4 drag
  boxrefine benchmark calibration --data dev
  boxrefine benchmark baseline --data pool --steps 300
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from types import ModuleType

from core.cli.benchmark import (
    accuracy,
    baseline,
    calibration,
    codec,
    encode,
    epochs,
    harm,
    jitter,
    latency,
    learning,
    prefetch,
    stalls,
    touching,
)

BENCHMARKS: Mapping[str, ModuleType] = {
    "latency": latency,
    "encode": encode,
    "prefetch": prefetch,
    "stalls": stalls,
    "accuracy": accuracy,
    "calibration": calibration,
    "codec": codec,
    "harm": harm,
    "jitter": jitter,
    "touching": touching,
    "baseline": baseline,
    "learning": learning,
    "epochs": epochs,
}
"""Modules like those of the verbs (see the parser); every benchmark takes --json."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One sub-verb a benchmark."""
    names = parser.add_subparsers(metavar="NAME", required=True)
    for name, module in BENCHMARKS.items():
        title, _, epilog = (module.__doc__ or "").partition("\n\n")
        benchmark = names.add_parser(
            name,
            help=title[0].lower() + title[1:].rstrip("."),
            description=title,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        benchmark.add_argument("--json", action="store_true", help="only the JSON line, no table")
        module.add_arguments(benchmark)
        benchmark.set_defaults(run_benchmark=module.run)


def run(options: argparse.Namespace) -> int:
    """Run the benchmark that was named."""
    return int(options.run_benchmark(options))
