"""Pause and resume a long verb from the window that started it, by lines on stdin; lower its priority."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

NICENESS = 15
_LONGEST_PAUSE_S = 60.0
"""The work goes on after this, in case that the window is gone and never sends `resume`."""


class Steering:
    """Whether the window has paused the work."""

    def __init__(self) -> None:
        self._may_run = threading.Event()
        self._may_run.set()

    def wait_while_paused(self) -> None:
        """Called between two steps: wait until the window sends `resume`, or for _LONGEST_PAUSE_S."""
        self._may_run.wait(_LONGEST_PAUSE_S)

    @property
    def is_paused(self) -> bool:
        return not self._may_run.is_set()

    def obey(self, word: bytes) -> None:
        """Pause at `pause`, go on at `resume`, ignore anything else."""
        if word == b"pause":
            self._may_run.clear()
        elif word == b"resume":
            self._may_run.set()

    def listen(self, file: int) -> None:
        """Obey lines from a file descriptor until it ends; the work goes on after that."""
        # Read without Python's buffers: a waiting thread holds their lock, which would block the interpreter's exit.
        rest = b""
        while chunk := os.read(file, 256):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self.obey(line.strip())
        self.obey(b"resume")


@contextmanager
def steer(*, listen: bool) -> Iterator[Steering]:
    """With `listen`, lower the priority of this process and obey stdin, so that the user's work goes first."""
    steering = Steering()
    if listen:
        lower_priority()
    if listen and sys.stdin is not None:
        # A daemon, because only the end of stdin ends a read of it.
        threading.Thread(target=steering.listen, args=(sys.stdin.fileno(),), name="steering", daemon=True).start()
    yield steering


def lower_priority() -> None:
    """Let the other processes of the machine go first."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    elif sys.platform == "win32":
        import ctypes

        below_normal = 0x4000
        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), below_normal)
