"""What the headless verbs say: a progress bar on a terminal, sentences on stderr, one JSON line at the end.

Nothing else in core/cli prints: names from outside are written here with their control characters escaped.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from typing import TypeVar

from tqdm import tqdm

from core.progress import Job, Progress, run
from core.text import as_json, escaped

logger = logging.getLogger(__name__)

T = TypeVar("T")
Figure = str | int | float | bool | None | list["Figure"] | dict[str, "Figure"]

_NOTES = 20
"""Of a project whose pictures were moved there is a sentence for each: more than a panel can show, or anybody reads."""

tqdm.monitor_interval = 0  # its monitor thread would outlive the bar, and our jobs report often enough


def say(text: str) -> None:
    """Lines of results on stdout."""
    print(escaped(text, keep="\n\t"), flush=True)


def complain(sentence: str) -> None:
    """One sentence on stderr, above the bar if there is one, and in the log."""
    tqdm.write(escaped(sentence), file=sys.stderr)
    logger.info("%s", sentence)


def echo(line: str) -> None:
    """A line of the log on stderr, save what `complain` has written there; any thread."""
    if f" {__name__}: " not in line:
        tqdm.write(escaped(line), file=sys.stderr)


def note(sentence: str, *, machine_readable: bool) -> None:
    """One sentence on stderr although all goes on; as a line of JSON on stdout too where a program reads along."""
    complain(sentence)
    if machine_readable:
        print(as_json({"note": sentence}), flush=True)


def note_all(sentences: Sequence[str], *, machine_readable: bool) -> None:
    """Many of these; a program that reads along, perhaps to show them, gets the first and how many more there are."""
    for number, sentence in enumerate(sentences):
        note(sentence, machine_readable=machine_readable and number < _NOTES)
    if machine_readable and len(sentences) > _NOTES:
        print(as_json({"note": f"And {len(sentences) - _NOTES} more of this kind."}), flush=True)


def summarise(figures: Mapping[str, Figure]) -> None:
    """The last line of a verb: one JSON object for the program that called us; the log gets the numbers in it."""
    numbers = [f"{name} {value:g}" for name, value in figures.items() if isinstance(value, int | float)]
    logger.info("%s", ", ".join(numbers) or "no figures")
    print(as_json(dict(figures)), flush=True)


def watch(job: Job[T], *, unit: str) -> T:
    """Run a job to its end under a bar (only where stderr is a terminal) and give its result.

    Ctrl-C closes the job, so its `finally` runs before the interrupt goes on.
    """
    with tqdm(disable=None, unit=unit, dynamic_ncols=True, leave=False) as bar:

        def told(progress: Progress) -> None:
            if progress.note:
                complain(progress.note)
            bar.total = progress.total or None
            bar.set_description_str(escaped(progress.message), refresh=progress.done == 0)
            bar.update(progress.done - bar.n)

        return run(job, told)


def tell_steps(job: Job[T]) -> T:
    """Run a job to its end and tell each step as a line of JSON on stdout, for the program that called us."""

    def told(progress: Progress) -> None:
        if progress.note:
            note(progress.note, machine_readable=True)
        step = {"done": progress.done, "total": progress.total, "message": progress.message}
        print(as_json({"progress": step | {"figures": dict(progress.figures)}}), flush=True)

    return run(job, told)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table that also reads well on a terminal; columns whose cells are all numbers stand right."""
    shown = [[escaped(cell) for cell in row] for row in rows]
    columns = [_column(cells) for cells in zip(header, *shown, strict=True)]
    return "\n".join("| " + " | ".join(line) + " |" for line in zip(*columns, strict=True))


def _column(cells: Sequence[str]) -> list[str]:
    """The cells of one column, padded to one width, with the rule below the first."""
    width = max(3, *map(len, cells))
    if all(_is_number(cell) for cell in cells[1:]):
        padded, rule = [cell.rjust(width) for cell in cells], "-" * (width - 1) + ":"
    else:
        padded, rule = [cell.ljust(width) for cell in cells], "-" * width
    return [padded[0], rule, *padded[1:]]


def _is_number(cell: str) -> bool:
    return cell.lstrip("+-").replace(".", "", 1).isdigit()
