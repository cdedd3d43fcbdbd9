"""Measure how long the image list and the review of a large project take to answer: filters, searches and orders.

The real window is drawn offscreen, with a project of generated images and boxes, whose pictures do not exist. A time is
from the choice to the list that shows it; of the review, from its opening to its first boxes, and to all of them. Three
fifths of the images have one to eight boxes, half of those are done.

examples:
  boxrefine benchmark lists
  boxrefine benchmark lists --count 10000 --times 9
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from core.cli.terminal import Figure, say, summarize, table
from core.errors import BadInputError

if TYPE_CHECKING:
    from core.records import Correction

_CATEGORIES = 20
_AT_ONCE = 10_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --count, --times and --seed."""
    parser.add_argument("--count", metavar="N", type=int, default=100_000, help="images (default: %(default)s)")
    parser.add_argument("--times", metavar="N", type=int, default=5, help="how often each is asked for")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of the generated boxes")


def run(options: argparse.Namespace) -> int:
    """Ask for each list, print the figures."""
    measure = options.window_benchmarks.get("lists")
    if measure is None or options.count < 10 or options.times < 1:
        raise BadInputError("This benchmark needs the window, ten images or more, and one time or more.")
    figures = dict(measure(make=partial(make_project, count=options.count, seed=options.seed), times=options.times))
    stalls = figures.pop("stalls")
    if not options.json:
        lines = [[name, *map("{:.0f}".format, row.values())] for name, row in figures.items()]
        say(table(["list", *next(iter(figures.values()))], lines))
        say(table(["stalls of the window", "figure"], [[name, f"{value:.3g}"] for name, value in stalls.items()]))
    rows: list[Figure] = [{"list": name, **_rounded(row)} for name, row in figures.items()]
    summarize({"images": options.count, "times": options.times, "lists": rows, "stalls": _rounded(stalls)})
    return 0


def make_project(path: Path, *, count: int, seed: int) -> None:
    """Write a project of `count` images that do not exist, with boxes on the first three fifths."""
    from core.records import NewImage
    from core.store.project_store import ProjectStore

    random = Random(seed)
    store = ProjectStore.create(path)
    try:
        store.add_images([NewImage(path.parent / f"frame_{number:06}.jpg", 1920, 1080) for number in range(count)])
        store.add_categories([f"category {number}" for number in range(_CATEGORIES)])
        boxed = range(1, count * 3 // 5 + 1)
        for first in range(1, len(boxed) + 1, _AT_ONCE):
            store.accept_all(
                [
                    _box(image_id, random)
                    for image_id in boxed[first - 1 : first - 1 + _AT_ONCE]
                    for _ in range(random.randint(1, 8))
                ]
            )
        store.mark(boxed[: len(boxed) // 2], done=True)
        for image_id in boxed[:: max(len(boxed) // 10, 1)]:
            store.flag(image_id, "blurred")
        store.mark([count], done=True)
    finally:
        store.close()


def _box(image_id: int, random: Random) -> Correction:
    from core.geometry import Box
    from core.records import Correction

    box = Box(10, 20, 110, 220)
    edges = tuple(1 - random.random() ** 2 / 2 for _ in range(4))
    return Correction(
        image_id,
        random.randint(1, _CATEGORIES),
        box,
        box,
        refined=box,
        edge_confidence=edges,  # type: ignore[arg-type]
        score=0.8,
        encoder="light-1",
        refiner="shipped-1",
        confirmed=random.random() < 0.95,
    )


def _rounded(row: Mapping[str, float]) -> dict[str, Figure]:
    return {name: round(value, 2) for name, value in row.items()}
