"""Workers that are killed at random moments, and how many times."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from threading import Event

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Worker:
    """One worker of a host."""

    number: int
    out: Path

    def lines(self) -> list[str]:
        """What it has said so far, whole lines alone."""
        text = self.out.read_text("utf-8") if self.out.exists() else ""
        return [line for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def said(self) -> list[str]:
        """The same without line ends, after a look at what must not be there."""
        lines = [line.rstrip("\n") for line in self.lines()]
        errors = [line[1:] for line in lines if line.startswith("!")]
        assert not errors, "\n".join(errors)
        return lines


class Host:
    """Starts workers, ends them, and waits for them."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process, self._folder, self._count = process, folder, 0

    def start(self, job: str, *arguments: object) -> Worker:
        """Start a worker."""
        self._count += 1
        out = self._folder / f"{self._count}.out"
        own = {name: value for name, value in os.environ.items() if name.startswith(("BOXREFINE_", "XDG_"))}
        order = {"job": job, "arguments": list(arguments), "out": str(out), "environment": own}
        number = int(self._ask(order))
        return Worker(number, out)

    def end(self, worker: Worker) -> None:
        """Kill a worker and wait until it is gone; it must not have ended before."""
        os.kill(worker.number, signal.SIGKILL)
        assert self.wait(worker) == -signal.SIGKILL, "".join(worker.lines())

    def wait(self, worker: Worker) -> int:
        """How a worker ended: its exit code, or less than 0 the signal."""
        return int(self._ask({"wait": worker.number}))

    def kill_at_random(self, workers: Sequence[Worker], random: Random, *, within_s: float) -> None:
        """Kill each at a moment of its own."""
        moments = sorted((random.uniform(0, within_s), n) for n in range(len(workers)))
        passed, never = 0.0, Event()
        for moment, n in moments:
            never.wait(moment - passed)
            passed = moment
            self.end(workers[n])

    def kill_within(self, worker: Worker, random: Random, *, within_s: float) -> None:
        """Kill a worker at some moment; one that has ended before is in order, too."""
        Event().wait(random.uniform(0, within_s))
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker.number, signal.SIGKILL)
        assert self.wait(worker) in (0, -signal.SIGKILL), "".join(worker.lines())

    def _ask(self, order: dict[str, object]) -> str:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the host has ended"
        return answer


@contextmanager
def host_of(folder: Path, *modules: str) -> Iterator[Host]:
    """A host that has `modules` imported."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.torture.host", *modules]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield Host(process, folder)
        process.stdin.close()
        process.wait(timeout=30)


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    """How many times a test kills; few where nobody asks for more."""
    return int(request.config.getoption("--torture-rounds"))


@pytest.fixture
def random(rounds: int) -> Random:
    """The same moments each time where there are few rounds, others where there are many."""
    return Random(0) if rounds <= 20 else Random()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """A host for work on projects and exports."""
    with host_of(tmp_path / "workers", "core.formats") as made:
        yield made
