"""Shared by the benchmarks on labelled sets: options, the loop over the sets, rows, tables and the JSON line.

A benchmark measures its answers set by set and turns them into rows. Each table ends with a row of all boxes together
and one of the means over sets, where each set counts the same.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from core.cli.options import add_cache_options, add_careful_option, add_encoder_options, open_source, source_figures
from core.cli.terminal import Figure, say, summarize, watch
from core.errors import BadInputError

if TYPE_CHECKING:
    from core.evaluation.labelled_set import LabelledSet
    from core.features.feature_source import FeatureSource
    from core.progress import Job
    from core.refiner.protocol import Refiner

ALL, MEAN = "all boxes", "mean of sets"
Answer = TypeVar("Answer")
Row = TypeVar("Row")


class Measure(Protocol[Answer]):
    """Measures one set: answers by case, which is a noise or a path."""

    def __call__(self, labelled: LabelledSet, *, source: FeatureSource, refiner: Refiner) -> Job[dict[str, Answer]]: ...


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --data, --limit, --seed, --refiner, --careful and the options of encoder and cache."""
    parser.add_argument("--data", metavar="DIR", type=Path, required=True, help="folder of labelled sets")
    parser.add_argument("--limit", metavar="N", type=at_least_one, help="only the first N pictures of each set")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--refiner", metavar="DIR", type=Path, help="a refiner of your own instead of the shipped one")
    add_careful_option(parser)
    add_encoder_options(parser)
    add_cache_options(parser)


def at_least_one(text: str) -> int:
    """Parse a number of 1 or more. Raises ArgumentTypeError, which argparse reports."""
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return int(text)


def measure_sets(
    options: argparse.Namespace, measure: Measure[Answer]
) -> tuple[dict[str, dict[str, Answer]], dict[str, Figure]]:
    """Measure every set of --data: answers by set and case, and the models' figures for the JSON summary.

    Raises BadInputError where no set has a box.
    """
    from core.evaluation.accuracy import find_sets
    from core.evaluation.labelled_set import read_labelled_set
    from core.refiner.checkpoint import load_refiner

    answers: dict[str, dict[str, Answer]] = {}
    folders = find_sets(options.data)
    with open_source(options) as source:
        refiner = load_refiner(options.refiner, source.encoder, careful=options.careful)
        for folder in folders:
            labelled = read_labelled_set(folder, limit=options.limit)
            if labelled.rows:
                answers[labelled.name] = watch(measure(labelled, source=source, refiner=refiner), unit="image")
        if not answers:
            raise BadInputError(f"No set in {options.data} has a box: give a folder of labelled sets.")
        about: dict[str, Figure] = {"seed": options.seed, "refiner": refiner.name, "refiner_identity": refiner.identity}
        return answers, {**about, **source_figures(source)}


def rows_of(
    answers: Mapping[str, Mapping[str, Answer]],
    row: Callable[[str, str, Answer], Row],
    concatenate: Callable[[Sequence[Answer]], Answer],
) -> list[Row]:
    """Build a row for each set and case, and one for all boxes of each case."""
    cases = next(iter(answers.values()))
    rows = [row(name, case, found) for name, by_case in answers.items() for case, found in by_case.items()]
    return rows + [row(ALL, case, concatenate([by_case[case] for by_case in answers.values()])) for case in cases]


def with_means(lines: Sequence[Sequence[str | float]]) -> list[list[str | float]]:
    """Append to lines of set, case and figures the mean over sets of each case (ints are counts: summed)."""
    found = [list(line) for line in lines]
    for case in dict.fromkeys(line[1] for line in lines):
        columns = zip(*[line[2:] for line in lines if line[1] == case and line[0] != ALL], strict=True)
        found.append([MEAN, case, *map(_mean, columns)])
    return found


def cells(lines: Sequence[Sequence[str | float]]) -> list[list[str]]:
    """Format lines for a table: counts unchanged, figures with three digits after the point."""
    return [[f"{value:.3f}" if isinstance(value, float) else str(value) for value in line] for line in lines]


def report(options: argparse.Namespace, tables: Sequence[str], rows: Sequence[Any], about: dict[str, Figure]) -> None:
    """Print the tables unless --json, then the JSON line; `rows` are dataclasses."""
    if not options.json:
        say("\n\n".join(tables))
    figures: list[Figure] = [asdict(row) for row in rows]
    summarize({"rows": figures, **about})


def _mean(values: Sequence[str | float]) -> str | float:
    numbers = [value for value in values if not isinstance(value, str)]
    if all(isinstance(value, int) for value in numbers):
        return sum(numbers)
    return sum(numbers) / len(numbers)
