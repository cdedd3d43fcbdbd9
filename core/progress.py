"""Long jobs as generators: they yield Progress while they run, and closing the generator cancels the job."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TypeVar

from core.translation import tr

T = TypeVar("T")


@dataclass(frozen=True)
class Progress:
    """The state of a job: `done` of `total` steps (0: not known yet), a message for the user, and figures for a log.

    `note` is a sentence that the user should read while the job goes on; a job yields each note once.
    """

    done: int
    total: int
    message: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    note: str = ""


Job = Generator[Progress, None, T]
"""A long job: yields Progress, returns its result, cleans up in `finally` when closed."""


def titled(job: Job[T], message: str) -> Job[T]:
    """Replace the messages of a job by one, if its own mean nothing to the user, such as names of internal files."""
    return told_as(job, lambda progress: replace(progress, message=message))


def told_as(job: Job[T], change: Callable[[Progress], Progress]) -> Job[T]:
    """Map each Progress of a job through `change`, for instance into the terms of the job that it is part of."""
    with closing(job):
        while True:
            try:
                progress = next(job)
            except StopIteration as end:
                result: T = end.value
                return result
            yield change(progress)


def duration(seconds: float) -> str:
    """Format a duration for the user, in seconds, minutes or hours."""
    whole = max(0, round(seconds))
    if whole < 120:
        return tr("{number} s", number=whole)
    if whole < 2 * 3600:
        return tr("{number} min", number=round(whole / 60))
    return tr("{number} h", number=round(whole / 3600))


def run(job: Job[T], told: Callable[[Progress], object] | None = None) -> T:
    """Run a job to its end and return its result, calling `told` with each Progress. Any exception closes the job."""
    with closing(job):
        while True:
            try:
                progress = next(job)
            except StopIteration as end:
                result: T = end.value
                return result
            if told is not None:
                told(progress)
