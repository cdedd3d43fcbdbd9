"""Measure stalls of the window while models load and change, pictures are encoded and the cache is emptied.

The real window is drawn offscreen, with settings and a cache of its own. A watchdog polls its thread every 2 ms; a
stall is an answer that comes more than 16 ms late. The longest one is split into the time in which the thread worked,
had no processor, and waited for a background thread that held Python's lock. BoxRefine's own share is what remains
after the delays of an idle process at the same time are subtracted. The same window at rest is the reference. HQ-SAM's
encoder is vit_tiny at random weights.

examples:
  boxrefine benchmark stalls
  boxrefine benchmark stalls --count 50 --files 20000
  boxrefine benchmark stalls --traces where.txt
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TextIO

from core.cli.terminal import Figure, say, summarize, table
from core.errors import BadInputError, StorageError, reason

_OTHER = "vit_tiny"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --count, --files, --traces and --device."""
    parser.add_argument("--count", metavar="N", type=int, default=12, help="pictures opened (default: %(default)s)")
    parser.add_argument(
        "--files", metavar="N", type=int, default=5000, help="cached files, of which two thirds are evicted at once"
    )
    parser.add_argument("--traces", metavar="FILE", type=Path, help="write the stacks of all threads in each stall")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to compute")


def run(options: argparse.Namespace) -> int:
    """Watch every phase, print the figures."""
    measure = options.window_benchmarks.get("stalls")
    if measure is None or options.count < 2 or options.files < 1:
        raise BadInputError("This benchmark needs the window, two pictures or more, and a file or more.")
    with _open_traces(options.traces) as traces, tempfile.TemporaryDirectory(prefix="boxrefine-") as name:
        os.environ["BOXREFINE_WEIGHTS"] = name
        phases = measure(
            options.device,
            images=options.count,
            files=options.files,
            other=_OTHER,
            bring=partial(make_weights, Path(name)),
            traces=traces,
        )
    if not options.json:
        columns = list(next(iter(phases.values())))
        rows = [[phase, *(f"{value:.3g}" for value in found.values())] for phase, found in phases.items()]
        say(table(["while", *columns], rows))
    figures: list[Figure] = [
        {"phase": phase} | {name: round(value, 2) for name, value in found.items()} for phase, found in phases.items()
    ]
    summarize({"phases": figures, "device": options.device, "cores": os.cpu_count()})
    return 0


@contextmanager
def _open_traces(path: Path | None) -> Iterator[TextIO | None]:
    """Open a file to write to, if `path` names one. Raises StorageError."""
    if path is None:
        yield None
        return
    try:
        file = path.open("w", encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({reason(error)}): choose another place.") from error
    with file:
        yield file


def make_weights(folder: Path) -> None:
    """Write random weights of vit_tiny where the app expects the published ones."""
    import safetensors.torch

    from core.cli.benchmark.encoders_to_time import random_state
    from core.encoders.weights.published import OFFICIAL

    path = (folder / OFFICIAL[_OTHER].file).with_suffix(".safetensors")
    safetensors.torch.save_file(random_state(_OTHER), path)
