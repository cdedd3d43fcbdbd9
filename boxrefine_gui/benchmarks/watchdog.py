"""Stalls of the GUI thread: their length, what the thread did in them, and BoxRefine's own share."""

from __future__ import annotations

import faulthandler
import json
import math
import os
import subprocess
import sys
import threading
import time
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import BinaryIO, NamedTuple, TextIO

from PySide6.QtCore import QObject, Qt, QTimer

_BEAT_MS = 2
STALL_S = 0.016
_LATE_S = 0.001


class _Clocks(NamedTuple):
    """The time and the calling thread's CPU time, in seconds.

    `queued`: how long the thread was runnable but waited for a processor. Only Linux reports it; elsewhere it is 0.
    """

    now: float
    worked: float
    queued: float


@dataclass(frozen=True)
class Lateness:
    """A delay of a thread or process in seconds, and its end by time.perf_counter(), which all processes share."""

    ended_at: float
    late_s: float

    def overlap_s(self, other: Lateness) -> float:
        """The time for which both delays overlap."""
        start = max(self.ended_at - self.late_s, other.ended_at - other.late_s)
        return max(0.0, min(self.ended_at, other.ended_at) - start)


@dataclass(frozen=True)
class Stall(Lateness):
    """One delay of the GUI thread, in seconds.

    worked_s: the thread computed; queued_s: it waited for a processor; in the rest it waited for the GIL or a thread
    taken_s: an idle process was late at the same time, so the machine caused this part
    """

    worked_s: float = 0.0
    queued_s: float = 0.0
    taken_s: float = 0.0

    @property
    def waited_s(self) -> float:
        """How long it waited for the GIL or another thread."""
        return max(0.0, self.late_s - self.worked_s - self.queued_s)

    @property
    def ours_s(self) -> float:
        """BoxRefine's own share: the delay without the part that the machine caused."""
        return self.late_s - self.taken_s


@dataclass
class Stalls:
    """The delays of the GUI thread by more than 16 ms.

    own_s: the longest time that the GUI thread computed without handling events, in seconds
    turns: how often the thread came back to its events; late: by how many seconds, where it was over a millisecond
    idle_turns, idle_late: the same of an idle process at the same time
    """

    found: list[Stall] = field(default_factory=list)
    own_s: float = 0.0
    turns: int = 0
    late: list[float] = field(default_factory=list)
    idle_turns: int = 0
    idle_late: list[float] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.found)

    @property
    def our_count(self) -> int:
        """The number of stalls whose own share is above 16 ms."""
        return sum(stall.ours_s > STALL_S for stall in self.found)

    @property
    def longest(self) -> Stall:
        """The longest stall; one of length 0 if there is none."""
        return max(self.found, key=lambda stall: stall.late_s, default=Stall(0.0, 0.0))

    @property
    def our_longest_s(self) -> float:
        """The largest own share of a stall, in seconds."""
        return max((stall.ours_s for stall in self.found), default=0.0)

    @property
    def figures(self) -> dict[str, float]:
        """Figures for a benchmark: stalls of our own making, and the tail of all delays, also of an idle process."""
        return {
            "stalls": float(self.our_count),
            "longest stall ms": 1000 * self.our_longest_s,
            "longest work ms": 1000 * self.own_s,
            "late 99.9 ms": 1000 * late_at(0.999, self.late, turns=self.turns),
            "idle 99.9 ms": 1000 * late_at(0.999, self.idle_late, turns=self.idle_turns),
        }

    def excuse(self, idle: Sequence[Lateness], *, turns: int = 0) -> None:
        """Subtract from each own share the delays of an idle process at the same time; `turns`: of that process."""
        self.idle_turns, self.idle_late = turns, [lateness.late_s for lateness in idle]
        ordered = sorted(idle, key=attrgetter("ended_at"))  # they do not overlap: a process is late once at a time
        ends = [lateness.ended_at for lateness in ordered]

        def taken_from(stall: Stall) -> float:
            first = bisect_right(ends, stall.ended_at - stall.late_s)
            around = islice(ordered, first, bisect_right(ends, stall.ended_at) + 1)
            return sum(stall.overlap_s(lateness) for lateness in around)

        self.found = [replace(stall, taken_s=max(stall.taken_s, taken_from(stall))) for stall in self.found]


class Watchdog(QObject):
    """Polls the GUI thread by a timer every 2 ms and records its stalls by `phase`.

    During a stall it writes the stacks of all threads into the file `traces`.
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
        self._beat.timeout.connect(self._on_beat)
        self._last = self._read_clocks()

    def start(self, phase: str) -> None:
        """Start watching, or go on under another phase."""
        self.phase = phase
        if self._queue is None:
            self._queue = _open_queue()
        self.stalls.setdefault(phase, Stalls())
        self._last = self._read_clocks()
        self._beat.start()

    def stop(self) -> None:
        """Stop watching."""
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

    def _on_beat(self) -> None:
        last, now = self._last, self._read_clocks()
        stalls = self.stalls[self.phase]
        stall = stall_between(last, now)
        stalls.turns += 1
        if stall.late_s > _LATE_S:
            stalls.late.append(stall.late_s)
        if stall.late_s > STALL_S:
            stalls.found.append(stall)
            self._log_stall(stall)
        stalls.own_s = max(stalls.own_s, now.worked - last.worked)
        self._last = now
        if self._traces is not None:
            faulthandler.dump_traceback_later(STALL_S, file=self._traces)

    def _log_stall(self, stall: Stall) -> None:
        if self._traces is not None:
            worked, queued, waited = (round(1000 * s) for s in (stall.worked_s, stall.queued_s, stall.waited_s))
            late = f"{self.phase}: {1000 * stall.late_s:.0f} ms late"
            self._traces.write(f"{late}: worked {worked}, had no processor {queued}, waited {waited}\n\n")
            self._traces.flush()


def stall_between(last: _Clocks, now: _Clocks) -> Stall:
    """Compute the delay between two readings of the clocks, with its parts."""
    late_s = now.now - last.now - _BEAT_MS / 1000
    return Stall(now.now, late_s, now.worked - last.worked, now.queued - last.queued)


def late_at(share: float, late: Sequence[float], *, turns: int) -> float:
    """The delay in seconds that this share of all turns does not exceed.

    `late` has the delays of the turns that were late, in any order; the others count as 0.
    """
    over = math.floor(turns * (1 - share) + 1e-6)
    return sorted(late, reverse=True)[over] if over < len(late) else 0.0


def _open_queue() -> BinaryIO | None:
    """Open the file in which Linux reports how long the calling thread waited for a processor; None elsewhere."""
    with suppress(OSError):
        return Path(f"/proc/self/task/{threading.get_native_id()}/schedstat").open("rb", buffering=0)
    return None


class IdleProcess:
    """A separate process that only reads the clock every 2 ms, so the machine causes all of its delays."""

    _PROGRAM = """
import json, os, select, time
found, turns, last = [], 0, time.perf_counter()
while True:
    if select.select([0], [], [], 0.002)[0]:
        if not os.read(0, 1):
            break
        os.write(1, (json.dumps([turns, found]) + chr(10)).encode())
        found, turns = [], 0
    now = time.perf_counter()
    turns += 1
    found += [(now, now - last - 0.002)] * (now - last - 0.002 > 0.001)
    last = now
"""

    def __init__(self) -> None:
        command = [sys.executable, "-c", self._PROGRAM]
        self.turns = 0
        """How often it read the clock up to the last lap."""
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def lap(self) -> list[Lateness]:
        """List its delays of more than a millisecond since the start or the previous call."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write("?")
        self._process.stdin.flush()
        self.turns, late = json.loads(self._process.stdout.readline())
        return [Lateness(*found) for found in late]

    def stop(self) -> None:
        """End the process."""
        self._process.communicate()
