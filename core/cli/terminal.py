"""The output of the headless verbs: a progress bar on a terminal, sentences on stderr, one JSON line at the end.

No other module of core/cli prints: this one escapes the control characters in names of files and of categories.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from typing import TypeVar

from tqdm import tqdm

from core.progress import Job, Progress, run
from core.text import as_json, escaped
from core.translation import tr_plural

logger = logging.getLogger(__name__)

T = TypeVar("T")
Figure = str | int | float | bool | None | list["Figure"] | dict[str, "Figure"]

_NOTES = 20
"""A project whose pictures were moved has a note for each of them: more than a panel can show."""

tqdm.monitor_interval = 0  # its monitor thread would outlive the bar, and jobs report often enough without it


def say(text: str) -> None:
    """Print lines of results on stdout."""
    print(escaped(text, keep="\n\t"), flush=True)


def complain(sentence: str) -> None:
    """Write one sentence to stderr, above the bar if there is one, and to the log."""
    tqdm.write(escaped(sentence), file=sys.stderr)
    logger.info("%s", sentence)


def echo(line: str) -> None:
    """Write a line of the log to stderr, except for those that `complain` has written there; any thread."""
    if f" {__name__}: " not in line:
        tqdm.write(escaped(line), file=sys.stderr)


def note(sentence: str, *, machine_readable: bool) -> None:
    """Write a sentence to stderr while the work goes on; also as JSON to stdout where a program reads the output."""
    complain(sentence)
    if machine_readable:
        print(as_json({"note": sentence}), flush=True)


def note_all(sentences: Sequence[str], *, machine_readable: bool) -> None:
    """`note` each sentence; a program that reads the output gets the first _NOTES and the number of the others."""
    for number, sentence in enumerate(sentences):
        note(sentence, machine_readable=machine_readable and number < _NOTES)
    if machine_readable and len(sentences) > _NOTES:
        more = len(sentences) - _NOTES
        text = tr_plural("And {count} more of this kind.", "And {count} more of this kind.", more)
        print(as_json({"note": text}), flush=True)


def summarize(figures: Mapping[str, Figure]) -> None:
    """Print the last line of a verb: one JSON object for the calling program; the log gets the numbers in it."""
    numbers = [f"{name} {value:g}" for name, value in figures.items() if isinstance(value, int | float)]
    logger.info("%s", ", ".join(numbers) or "no figures")
    print(as_json(dict(figures)), flush=True)


def watch(job: Job[T], *, unit: str) -> T:
    """Run a job to its end under a bar (only where stderr is a terminal) and return its result.

    Ctrl-C closes the job, so its `finally` runs before the interrupt goes on.
    """
    with tqdm(disable=None, unit=unit, dynamic_ncols=True, leave=False) as bar:

        def show(progress: Progress) -> None:
            if progress.note:
                complain(progress.note)
            bar.total = progress.total or None
            bar.set_description_str(escaped(progress.message), refresh=progress.done == 0)
            bar.update(progress.done - bar.n)

        return run(job, show)


def print_steps(job: Job[T]) -> T:
    """Run a job to its end and print each step as a line of JSON on stdout, for the calling program."""

    def show(progress: Progress) -> None:
        if progress.note:
            note(progress.note, machine_readable=True)
        step = {"done": progress.done, "total": progress.total, "message": progress.message}
        print(as_json({"progress": step | {"figures": dict(progress.figures)}}), flush=True)

    return run(job, show)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Format a Markdown table that also reads well on a terminal; columns of numbers are aligned right."""
    shown = [[escaped(cell) for cell in row] for row in rows]
    columns = [_column(cells) for cells in zip(header, *shown, strict=True)]
    return "\n".join("| " + " | ".join(line) + " |" for line in zip(*columns, strict=True))


def _column(cells: Sequence[str]) -> list[str]:
    """Pad the cells of one column to one width, and add the rule below the first."""
    width = max(3, *map(len, cells))
    if all(_is_number(cell) for cell in cells[1:]):
        padded, rule = [cell.rjust(width) for cell in cells], "-" * (width - 1) + ":"
    else:
        padded, rule = [cell.ljust(width) for cell in cells], "-" * width
    return [padded[0], rule, *padded[1:]]


def _is_number(cell: str) -> bool:
    return cell.lstrip("+-").replace(".", "", 1).isdigit()
