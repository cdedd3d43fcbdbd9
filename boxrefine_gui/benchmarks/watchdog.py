"""Whether the GUI thread answers: how late it was, what it did meanwhile, and how much of that was our own doing."""

from __future__ import annotations

import faulthandler
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, NamedTuple, TextIO

from PySide6.QtCore import QObject, Qt, QTimer

_BEAT_MS = 2
STALL_S = 0.016


class _Clocks(NamedTuple):
    """The time, and how long the calling thread computed so far, in seconds.

    `queued`: how long it was ready to go on, but had no processor. Linux tells; elsewhere it is 0.
    """

    now: float
    worked: float
    queued: float


@dataclass(frozen=True)
class Lateness:
    """How late somebody was, in seconds, and when that ended by time.perf_counter(), which all processes share."""

    ended_at: float
    late_s: float

    def overlap_s(self, other: Lateness) -> float:
        """How long both were late at the same time."""
        start = max(self.ended_at - self.late_s, other.ended_at - other.late_s)
        return max(0.0, min(self.ended_at, other.ended_at) - start)


@dataclass(frozen=True)
class Stall(Lateness):
    """One time that the GUI thread did not answer, in seconds.

    `worked_s` it computed itself, `queued_s` it had no processor, and the rest it waited for Python's lock or for
    another thread. `taken_s` of all that an idle process was late as well, which is the machine's doing.
    """

    worked_s: float = 0.0
    queued_s: float = 0.0
    taken_s: float = 0.0

    @property
    def waited_s(self) -> float:
        """For Python's lock, or another thread."""
        return max(0.0, self.late_s - self.worked_s - self.queued_s)

    @property
    def ours_s(self) -> float:
        """What it would have been on a machine of our own."""
        return self.late_s - self.taken_s


@dataclass
class Stalls:
    """Each time that the GUI thread did not answer for more than 16 ms.

    `own_s` is the longest time that the GUI thread itself computed in one go, in seconds.
    """

    found: list[Stall] = field(default_factory=list)
    own_s: float = 0.0

    @property
    def count(self) -> int:
        return len(self.found)

    @property
    def our_count(self) -> int:
        """How many there would have been on a machine of our own."""
        return sum(stall.ours_s > STALL_S for stall in self.found)

    @property
    def longest(self) -> Stall:
        """The longest one; of no length where there is none."""
        return max(self.found, key=lambda stall: stall.late_s, default=Stall(0.0, 0.0))

    @property
    def our_longest_s(self) -> float:
        """What was ours of the one of which most was."""
        return max((stall.ours_s for stall in self.found), default=0.0)

    def excuse(self, idle: Sequence[Lateness]) -> None:
        """Do not count as ours what befell an idle process at the same time."""
        self.found = [
            replace(stall, taken_s=max(stall.taken_s, sum(stall.overlap_s(lateness) for lateness in idle)))
            for stall in self.found
        ]


class Watchdog(QObject):
    """Asks the GUI thread every 2 ms whether it is there; `phase` names what goes on while it is asked.

    Into `traces`, a file, it writes where every thread is as soon as a stall has begun.
    """

    def __init__(self, traces: TextIO | None = None) -> None:
        super().__init__()
        self.phase = ""
        self.stalls: dict[str, Stalls] = {}
        self._traces = traces
        self._queue: BinaryIO | None = None
        self._beat = QTimer(self)
        self._beat.setTimerType(Qt.TimerType.PreciseTimer)
        self._beat.setInterval(_BEAT_MS)
        self._beat.timeout.connect(self._beats)
        self._last = self._read_clocks()

    def start(self, phase: str) -> None:
        """Watch from here on, under another name."""
        self.phase = phase
        if self._queue is None:
            self._queue = _open_queue()
        self.stalls.setdefault(phase, Stalls())
        self._last = self._read_clocks()
        self._beat.start()

    def stop(self) -> None:
        """Watch no more."""
        self._beat.stop()
        if self._queue is not None:
            self._queue.close()
            self._queue = None
        if self._traces is not None:
            faulthandler.cancel_dump_traceback_later()

    def _read_clocks(self) -> _Clocks:
        queued = 0.0
        if self._queue is not None:
            queued = int(os.pread(self._queue.fileno(), 100, 0).split()[1]) / 1e9
        return _Clocks(time.perf_counter(), time.thread_time(), queued)

    def _beats(self) -> None:
        last, now = self._last, self._read_clocks()
        stalls = self.stalls[self.phase]
        stall = stall_between(last, now)
        if stall.late_s > STALL_S:
            stalls.found.append(stall)
            self._tell(stall)
        stalls.own_s = max(stalls.own_s, now.worked - last.worked)
        self._last = now
        if self._traces is not None:
            faulthandler.dump_traceback_later(STALL_S, file=self._traces)

    def _tell(self, stall: Stall) -> None:
        if self._traces is not None:
            worked, queued, waited = (round(1000 * s) for s in (stall.worked_s, stall.queued_s, stall.waited_s))
            late = f"{self.phase}: {1000 * stall.late_s:.0f} ms late"
            self._traces.write(f"{late}: worked {worked}, had no processor {queued}, waited {waited}\n\n")
            self._traces.flush()


def stall_between(last: _Clocks, now: _Clocks) -> Stall:
    """How late the GUI thread was between two looks at the clocks, and why."""
    late_s = now.now - last.now - _BEAT_MS / 1000
    return Stall(now.now, late_s, now.worked - last.worked, now.queued - last.queued)


def _open_queue() -> BinaryIO | None:
    """Where Linux tells of the calling thread how long it waited for a processor."""
    with suppress(OSError):
        return Path(f"/proc/self/task/{threading.get_native_id()}/schedstat").open("rb", buffering=0)
    return None


class IdleProcess:
    """A process beside ours that does nothing but look at the clock: when it is late, that is the machine's doing."""

    _PROGRAM = """
import json, os, select, time
found, last = [], time.perf_counter()
while True:
    if select.select([0], [], [], 0.002)[0]:
        if not os.read(0, 1):
            break
        os.write(1, (json.dumps(found) + chr(10)).encode())
        found = []
    now = time.perf_counter()
    found += [(now, now - last - 0.002)] * (now - last - 0.002 > 0.001)
    last = now
"""

    def __init__(self) -> None:
        command = [sys.executable, "-c", self._PROGRAM]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def lap(self) -> list[Lateness]:
        """Each time that it was more than a millisecond late since it began or was last asked."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write("?")
        self._process.stdin.flush()
        return [Lateness(*found) for found in json.loads(self._process.stdout.readline())]

    def stop(self) -> None:
        """End it."""
        self._process.communicate()
