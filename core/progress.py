"""Progress: what a long job yields while it runs; closing the generator cancels the job."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Progress:
    """`done` of `total` steps (0: not known yet), a few words for the user, and figures for a log.

    `note` is a sentence that the user should read although the job goes on; it comes once.
    """

    done: int
    total: int
    message: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    note: str = ""


Job = Generator[Progress, None, T]
"""A long job: yields Progress, returns its result, cleans up in `finally` when closed."""


def titled(job: Job[T], message: str) -> Job[T]:
    """The same job under one name, where what it says of a step means nothing to the user: a file of our own."""
    return told_as(job, lambda progress: replace(progress, message=message))


def told_as(job: Job[T], change: Callable[[Progress], Progress]) -> Job[T]:
    """The same job, whose steps are told in other words: those of a job that it is part of."""
    with closing(job):
        while True:
            try:
                progress = next(job)
            except StopIteration as end:
                result: T = end.value
                return result
            yield change(progress)


def duration(seconds: float) -> str:
    """How long something takes, as one says it."""
    whole = max(0, round(seconds))
    if whole < 120:
        return f"{whole} s"
    return f"{round(whole / 60)} min" if whole < 2 * 3600 else f"{round(whole / 3600)} h"


def run(job: Job[T], told: Callable[[Progress], object] | None = None) -> T:
    """Run a job to its end and give its result; each step is `told`. Whatever breaks in closes the job."""
    with closing(job):
        while True:
            try:
                progress = next(job)
            except StopIteration as end:
                result: T = end.value
                return result
            if told is not None:
                told(progress)
