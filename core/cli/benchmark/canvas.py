"""Measure how quickly the canvas paints a large picture with many boxes, while the user pans, zooms, drags and points.

The real window is drawn offscreen, by software. A frame is one event of the mouse with the painting that it causes.

examples:
  boxrefine benchmark canvas
  boxrefine benchmark canvas --size 3000 2000 --boxes 100
"""

from __future__ import annotations

import argparse
import os
from functools import partial
from pathlib import Path

from core.cli.terminal import Figure, say, summarize, table
from core.errors import BadInputError

_CATEGORIES = 5
_LEAST_SIDE, _LARGEST_SIDE = 200, 30_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --size, --boxes, --times and --seed."""
    parser.add_argument(
        "--size", metavar=("W", "H"), nargs=2, type=int, default=[6000, 4000], help="of the picture, in pixels"
    )
    parser.add_argument("--boxes", metavar="N", type=int, default=1000, help="boxes on it (default: %(default)s)")
    parser.add_argument("--times", metavar="N", type=int, default=60, help="frames of each movement")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of the generated boxes")


def run(options: argparse.Namespace) -> int:
    """Paint each movement, print the figures."""
    measure = options.window_benchmarks.get("canvas")
    sides_fit = all(_LEAST_SIDE <= side <= _LARGEST_SIDE for side in options.size)
    if measure is None or not sides_fit or options.boxes < 1 or options.times < 2:
        raise BadInputError(
            "This benchmark needs the window, sides from 200 to 30,000 pixels, a box or more, and two frames or more."
        )
    width, height = options.size
    make = partial(make_project, width=width, height=height, boxes=options.boxes, seed=options.seed)
    figures = measure(make=make, times=options.times)
    if not options.json:
        columns = list(next(iter(figures.values())))
        say(
            table(
                ["movement", *columns], [[name, *(f"{v:.3g}" for v in row.values())] for name, row in figures.items()]
            )
        )
    rows: list[Figure] = [
        {"movement": name} | {key: round(value, 2) for key, value in row.items()} for name, row in figures.items()
    ]
    summarize({"width": width, "height": height, "boxes": options.boxes, "cores": os.cpu_count(), "movements": rows})
    return 0


def make_project(path: Path, *, width: int, height: int, boxes: int, seed: int) -> None:
    """Write a picture of noise as a JPEG, and a project with it and accepted boxes in five categories."""
    import cv2
    import numpy as np

    from core.geometry import Box
    from core.records import Correction, NewImage
    from core.store.project_store import ProjectStore

    random = np.random.default_rng(seed)
    noise = random.integers(0, 255, (height // 10, width // 10, 3), np.uint8)
    picture = path.with_name("large.jpg")
    picture.write_bytes(cv2.imencode(".jpg", cv2.resize(noise, (width, height)))[1].tobytes())
    sides = random.uniform(0.005, 0.05, (boxes, 2))
    corners = random.uniform(0, 1, (boxes, 2)) * (1 - sides)
    scale = np.array([width, height])
    store = ProjectStore.create(path)
    try:
        store.add_images([NewImage(picture, width, height)])
        store.add_categories([f"category {number}" for number in range(_CATEGORIES)])
        drawn = [Box(*corner, *(corner + side)) for corner, side in zip(corners * scale, sides * scale, strict=True)]
        store.accept_all([Correction(1, 1 + place % _CATEGORIES, box, box) for place, box in enumerate(drawn)])
    finally:
        store.close()
