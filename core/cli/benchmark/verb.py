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

from core.cli import verb_help
from core.cli.benchmark import (
    accuracy,
    baseline,
    calibration,
    canvas,
    codec,
    encode,
    engine,
    epochs,
    formats,
    harm,
    jitter,
    latency,
    learning,
    lists,
    looks,
    prefetch,
    refine,
    scale,
    session,
    stalls,
    start,
    suggest,
    tables,
    touching,
)

BENCHMARKS: Mapping[str, ModuleType] = {
    "latency": latency,
    "encode": encode,
    "engine": engine,
    "refine": refine,
    "prefetch": prefetch,
    "stalls": stalls,
    "lists": lists,
    "start": start,
    "formats": formats,
    "tables": tables,
    "scale": scale,
    "canvas": canvas,
    "session": session,
    "accuracy": accuracy,
    "calibration": calibration,
    "codec": codec,
    "harm": harm,
    "jitter": jitter,
    "looks": looks,
    "touching": touching,
    "suggest": suggest,
    "baseline": baseline,
    "learning": learning,
    "epochs": epochs,
}
"""Modules like those of the verbs (see the parser), with their help in the docstring; each benchmark takes --json."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one sub-verb for each benchmark."""
    names = parser.add_subparsers(metavar="NAME", required=True)
    for name, module in BENCHMARKS.items():
        benchmark = verb_help.add_verb(names, name, verb_help.VerbHelp.of_docstring(module.__doc__))
        benchmark.add_argument("--json", action="store_true", help="only the JSON line, no table")
        module.add_arguments(benchmark)
        benchmark.set_defaults(run_benchmark=module.run)


def run(options: argparse.Namespace) -> int:
    """Run the benchmark that the user named."""
    return int(options.run_benchmark(options))
