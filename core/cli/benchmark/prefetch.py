"""Measure the prefetch hit rate: the real window steps through pictures, one a second.

Prints the share of pictures whose features were ready when they were shown, how long the others took, and how often and
how long the window did not answer for more than 16 ms, while the model loaded and while the window stepped. The window
is drawn offscreen, with a cache of its own that is empty at first.

examples:
  boxrefine benchmark prefetch
  boxrefine benchmark prefetch --images harbour --count 50 --encoder vit_tiny
"""

from __future__ import annotations

import argparse
from pathlib import Path

from core.cli.options import add_encoder_options
from core.cli.terminal import Figure, say, summarize, table
from core.errors import BadInputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --images, --count, --every and the encoder's options."""
    parser.add_argument("--images", metavar="DIR", type=Path, help="pictures to step through instead of generated ones")
    parser.add_argument("--count", metavar="N", type=int, default=200, help="how many pictures (default: %(default)s)")
    parser.add_argument("--every", metavar="SECONDS", type=float, default=1.0, help="how long each one is shown")
    add_encoder_options(parser)


def run(options: argparse.Namespace) -> int:
    """Step through the pictures, print the figures."""
    measure = options.window_benchmarks.get("prefetch")
    if measure is None or options.count < 2 or options.every <= 0:
        raise BadInputError("This benchmark needs the window, two pictures or more, and some time for each.")
    figures = measure(
        options.device,
        encoder=options.encoder,
        images=options.count,
        every_s=options.every,
        folder=options.images,
    )
    if not options.json:
        say(table(["what", "figure"], [[name, f"{value:.3g}"] for name, value in figures.items()]))
    found: Figure = {name: round(value, 4) for name, value in figures.items()}
    summarize({"encoder": options.encoder, "device": options.device, "every_s": options.every, "figures": found})
    return 0
