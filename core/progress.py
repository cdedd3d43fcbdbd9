"""Progress: what a long job yields while it runs; closing the generator cancels the job."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Progress:
    """`done` of `total` steps (0: not known yet), a few words for the user, and figures for a log."""

    done: int
    total: int
    message: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)


Job = Generator[Progress, None, T]
"""A long job: yields Progress, returns its result, cleans up in `finally` when closed."""


def run(job: Job[T]) -> T:
    """Run a job to its end, unseen, and give its result."""
    try:
        while True:
            next(job)
    except StopIteration as end:
        result: T = end.value
        return result
