"""Measure a labelling session: what a scripted annotator does for each box, and how long the machine lets it wait.

The annotator uses the real window, drawn offscreen, by mouse and key events at a person's pace (0.9 s for a drag, 0.25
s for a key, 0.5 s to look). It draws each object of a picture with the noise `drag`, takes another answer where that is
cheaper, and repairs it if an edge is off by over 7 % of the side: it drags that edge or corner, or draws the box again
with Alt where one drag of those would not do. Then it marks the picture as done. With suggestions on, it
accepts the right ones, rejects the wrong ones, and asks for the others of a category. The model is loaded before the
session begins; the pictures are encoded during it.

DIR holds one folder a set: images/ and annotations.json (COCO detection). `actions` are drags, clicks, keys and turns
of the wheel, `a box` by the true boxes; `wait` is the share of the time in which the annotator waits for the window.
`0.9` and `0.8` are the shares of objects whose box has at least this IoU after one drag and one key at most. `stalls`
are delays of the window by over 16 ms of its own making, `work ms` is the longest time that its thread computed.
Of all turns of its thread, 99.9 % were late by `99.9 ms` at most, those of an idle process beside it by `idle 99.9`.
`answer ms` is the 95th percentile of the time from the last event of a drag to the refined box of just that drag, on
pictures whose features are ready; `beside learning` is the same while suggestions are learned. Both name the drags.

examples:
  boxrefine benchmark session --data dev
  boxrefine benchmark session --data dev --only cards --limit 12 --suggest on --json
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.cli.benchmark.labelled_benchmark import MEAN, at_least_one
from core.cli.terminal import Figure, say, summarize, table
from core.errors import BadInputError

MODES = {"on": (True,), "off": (False,), "both": (False, True)}
_HEADER = [
    "set", "suggest", "boxes", "drags", "clicks", "keys", "actions a box", "travel a box", "s a box", "wait", "0.9",
    "0.8", "mean IoU", "suggested", "rejected", "stalls", "work ms", "99.9 ms", "idle 99.9", "answer ms",
    "beside learning",
]  # fmt: skip
_TAILS = ("longest work ms", "late 99.9 ms", "idle 99.9 ms")
MEAN_OF_BOXES = "mean of boxes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --data, --only, --limit, --suggest, --pace, --device and --seed."""
    parser.add_argument("--data", metavar="DIR", type=Path, required=True, help="folder of labelled sets")
    parser.add_argument("--only", metavar="SET", nargs="+", help="only these sets")
    parser.add_argument(
        "--limit", metavar="N", type=at_least_one, default=8, help="pictures of each set (default: %(default)s)"
    )
    parser.add_argument("--suggest", choices=MODES, default="both", help="with suggestions, without, or both")
    parser.add_argument("--pace", metavar="X", type=float, default=1.0, help="times as fast as a person")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--seed", type=int, default=0)


def run(options: argparse.Namespace) -> int:
    """Label each set once a mode, print the table."""
    measure = options.window_benchmarks.get("session")
    if measure is None or not 0 < options.pace <= 100:
        raise BadInputError("This benchmark needs the window, and a pace above 0 and up to 100.")
    from core.evaluation.accuracy import find_sets
    from core.evaluation.labelled_set import first_pictures

    folders = [folder for folder in find_sets(options.data) if not options.only or folder.name in options.only]
    if not folders:
        raise BadInputError(f"No set of {options.data} has one of these names: {', '.join(options.only or [])}.")
    rows: list[dict[str, Figure]] = []
    for folder in folders:
        objects, categories = first_pictures(folder, limit=options.limit, seed=options.seed)
        for suggest in MODES[options.suggest]:
            figures = measure(
                options.device,
                folder=folder / "images",
                objects=objects,
                categories=categories,
                suggest=suggest,
                pace=options.pace,
                seed=options.seed,
            )
            row = {"set": folder.name, "suggest": suggest, **figures}
            rows.append({name: round(value, 4) if isinstance(value, float) else value for name, value in row.items()})
            if not options.json:
                say(f"{folder.name}: {', '.join(f'{name} {value:.3g}' for name, value in figures.items())}")
    if not options.json:
        say(table(_HEADER, [*map(cells, rows), *means(rows)]))
    summarize({"rows": [*rows], "limit": options.limit, "pace": options.pace, "seed": options.seed})
    return 0


def cells(row: Mapping[str, Figure]) -> list[str]:
    """Format one row of the table."""
    boxes = max(1.0, _number(row, "boxes"))
    return [
        str(row["set"]),
        "on" if row["suggest"] else "off",
        *(f"{_number(row, name):.0f}" for name in ("boxes", "drags", "clicks", "keys")),
        f"{_number(row, 'actions') / boxes:.2f}",
        f"{_number(row, 'travel px') / boxes:.0f}",
        f"{_number(row, 'seconds') / boxes:.2f}",
        *(f"{100 * _number(row, name):.0f} %" for name in ("wait share", "one drag, 0.9", "one drag, 0.8")),
        f"{_number(row, 'mean IoU'):.3f}",
        f"{100 * _number(row, 'suggested'):.0f} %",
        *(f"{_number(row, name):.0f}" for name in ("rejected", "stalls")),
        *(f"{_number(row, name):.1f}" for name in _TAILS),
        *(_answers(row, name) for name in ("answers", "answers beside learning")),
    ]


def means(rows: Sequence[Mapping[str, Figure]]) -> list[list[str]]:
    """Two rows for each mode: sums of counts, means over sets, then over boxes, of each figure, and slowest answers."""
    lines = []
    for suggest in dict.fromkeys(bool(row["suggest"]) for row in rows):
        mine = [row for row in rows if row["suggest"] is suggest]
        total: dict[str, Figure] = {"set": MEAN, "suggest": suggest}
        for name in ("boxes", "drags", "clicks", "keys", "rejected", "stalls"):
            total[name] = sum(_number(row, name) for row in mine)
        for name in _TAILS:
            total[name] = max(_number(row, name) for row in mine)
        boxes = _number(total, "boxes")
        for name in ("actions", "travel px", "seconds"):
            total[name] = boxes * sum(_number(row, name) / max(1.0, _number(row, "boxes")) for row in mine) / len(mine)
        for name in ("wait share", "one drag, 0.9", "one drag, 0.8", "mean IoU", "suggested"):
            total[name] = sum(_number(row, name) for row in mine) / len(mine)
        for name in ("answers", "answers beside learning"):
            total[name] = sum(_number(row, name) for row in mine)
            answered = [_number(row, f"{name}, slow ms") for row in mine if _number(row, name)]
            total[f"{name}, slow ms"] = max(answered, default=0.0)
        lines.append(cells(total))
        for name in ("actions", "travel px", "seconds"):
            total[name] = sum(_number(row, name) for row in mine)
        for name in ("wait share", "one drag, 0.9", "one drag, 0.8", "mean IoU", "suggested"):
            total[name] = sum(_number(row, name) * _number(row, "boxes") for row in mine) / max(1.0, boxes)
        lines.append(cells({**total, "set": MEAN_OF_BOXES}))
    return lines


def _answers(row: Mapping[str, Figure], name: str) -> str:
    return f"{_number(row, f'{name}, slow ms'):.0f} ({_number(row, name):.0f})" if _number(row, name) else "none"


def _number(row: Mapping[str, Figure], name: str) -> float:
    value = row[name]
    return float(value) if isinstance(value, int | float) else 0.0
