"""Ctrl-C ends a verb even where Python dropped it."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from core.cli.interrupt import heard, heed
from core.cli.terminal import tell_steps, watch
from core.progress import Job, Progress


class Cleared:
    """Ctrl-C comes while it is cleared away, where Python drops what is raised."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


def job(steps: list[int]) -> Job[str]:
    for step in range(4):
        steps.append(step)
        if step == 1:
            thing = Cleared()
            del thing
        yield Progress(step, 4)
    return "done"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("told", [lambda job: watch(job, unit="step"), tell_steps])
def test_ctrl_c_that_python_drops_ends_the_job_at_its_next_step(told: Callable[[Job[str]], str]) -> None:
    steps: list[int] = []
    with pytest.raises(KeyboardInterrupt), heard():
        told(job(steps))
    assert steps == [0, 1]
    heed()  # what was pressed then ends nothing that comes later
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_somebody_elses_stays() -> None:
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
    try:
        with heard():
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
    assert pressed == [signal.SIGINT]
