"""Measure how long the window takes to start with a large project, and how much memory it has before the model.

A fresh process opens the project in the real window, drawn offscreen, as `boxrefine PROJECT` does. The marks are the
first painted window, the first picture, and the list of all images. Times are medians from the start of the process;
`processor s` is what the process itself computed until then, on all cores. The images are hard links to a few
pictures of 1920 x 1080 pixels, so that all of them exist.

examples:
  boxrefine benchmark start
  boxrefine benchmark start --count 1000 --times 9
"""

from __future__ import annotations

import argparse
import os
from functools import partial
from pathlib import Path

from core.cli.terminal import Figure, say, summarize, table
from core.errors import BadInputError

_LINKS = 20_000
"""Links to one file: file systems allow 32,000 or more."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --count and --times."""
    parser.add_argument("--count", metavar="N", type=int, default=100_000, help="images (default: %(default)s)")
    parser.add_argument("--times", metavar="N", type=int, default=5, help="starts (default: %(default)s)")


def run(options: argparse.Namespace) -> int:
    """Start the window some times, print the figures."""
    measure = options.window_benchmarks.get("start")
    if measure is None or options.count < 1 or options.times < 1:
        raise BadInputError("This benchmark needs the window, an image or more, and one start or more.")
    figures = measure(make=partial(make_project, count=options.count), times=options.times)
    if not options.json:
        columns = list(next(iter(figures.values())))
        say(
            table(
                ["what is there", *columns],
                [[name, *(f"{value:.3g}" for value in row.values())] for name, row in figures.items()],
            )
        )
    marks: list[Figure] = [
        {"mark": name} | {key: round(value, 3) for key, value in row.items()} for name, row in figures.items()
    ]
    summarize({"images": options.count, "times": options.times, "cores": os.cpu_count(), "marks": marks})
    return 0


def make_project(folder: Path, *, count: int) -> Path:
    """Make a project of `count` pictures, most of them links to the same files; return the folder of the pictures."""
    from core.records import NewImage
    from core.sample_project import make_pictures
    from core.store.project_store import PROJECT_FILE_NAME, ProjectStore

    sources = folder.parent / "sources"
    sources.mkdir()
    make_pictures(sources, 1 + count // _LINKS)
    files = sorted(sources.iterdir())
    pictures = [folder / f"frame_{number:06}.jpg" for number in range(count)]
    for number, picture in enumerate(pictures):
        picture.hardlink_to(files[number // _LINKS])
    store = ProjectStore.create(folder / PROJECT_FILE_NAME)
    try:
        store.add_images([NewImage(picture, 1920, 1080) for picture in pictures])
    finally:
        store.close()
    return folder
