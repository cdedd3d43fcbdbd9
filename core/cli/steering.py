"""Steering a long verb from the window that started it: `pause` and `resume` on stdin, and a low priority."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

NICENESS = 15
_LONGEST_PAUSE_S = 60.0
"""A window that never says resume, because it is gone, does not hold the work up for ever."""


class Steering:
    """Whether the caller wants the work to wait just now."""

    def __init__(self) -> None:
        self._may_run = threading.Event()
        self._may_run.set()

    def wait_while_paused(self) -> None:
        """Between two steps: wait until the caller says `resume`."""
        self._may_run.wait(_LONGEST_PAUSE_S)

    @property
    def is_paused(self) -> bool:
        return not self._may_run.is_set()

    def obey(self, word: bytes) -> None:
        """`pause` or `resume`; anything else means nothing."""
        if word == b"pause":
            self._may_run.clear()
        elif word == b"resume":
            self._may_run.set()

    def listen(self, file: int) -> None:
        """Obey lines from a file descriptor until it ends; the work goes on after that."""
        # Read below Python's buffers: their lock, held by a thread that waits, would stop the interpreter's exit.
        rest = b""
        while chunk := os.read(file, 256):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self.obey(line.strip())
        self.obey(b"resume")


@contextmanager
def steered(*, listen: bool) -> Iterator[Steering]:
    """Give way to what the user does: with a low priority and, with `listen`, obeying stdin."""
    steering = Steering()
    if listen:
        lower_priority()
    if listen and sys.stdin is not None:
        # A daemon, because nothing ends a read of stdin but its end.
        threading.Thread(target=steering.listen, args=(sys.stdin.fileno(),), name="steering", daemon=True).start()
    yield steering


def lower_priority() -> None:
    """Let everything else on the machine go first."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    elif sys.platform == "win32":
        import ctypes

        below_normal = 0x4000
        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), below_normal)
