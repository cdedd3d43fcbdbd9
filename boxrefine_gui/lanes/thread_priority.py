"""Which thread has a processor first, where there are fewer than threads: the window's, then what answers a drag."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
import threading
from contextlib import suppress

_NICER_BY = 4
_SLICE_NS = 100_000
_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}  # the numbers of a system call that older C libraries lack


class _Wish(ctypes.Structure):
    """`struct sched_attr` of Linux."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("policy", ctypes.c_uint32),
        ("flags", ctypes.c_uint64),
        ("nice", ctypes.c_int32),
        ("priority", ctypes.c_uint32),
        ("runtime", ctypes.c_uint64),
        ("deadline", ctypes.c_uint64),
        ("period", ctypes.c_uint64),
    )


def give_way() -> None:
    """Let the window and the answer to a drag go before this thread, and before those that it starts, as torch does.

    As one of a batch it takes the processor from nobody when it wakes up, also not from the lane that holds Python's
    lock, for which the window may wait. On Linux alone each thread has a niceness of its own. It is made a little
    nicer: with 10 instead of 4, other programs keep lanes from a processor while they hold that lock, and the window
    stands still for hundreds of milliseconds.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with suppress(OSError):  # a sandbox may forbid it
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _NICER_BY)
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def go_first() -> None:
    """Let the window's thread have a processor as soon as it wants one.

    Linux lets whoever computes go on for some milliseconds, unless the one that woke up asked for shorter turns. From
    6.12 on it can be asked; elsewhere nothing is done.
    """
    number = _SCHED_SETATTR.get(platform.machine()) if sys.platform == "linux" else None
    if number is not None:
        niceness = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        wish = _Wish(ctypes.sizeof(_Wish), os.sched_getscheduler(0), nice=niceness, runtime=_SLICE_NS)
        ctypes.CDLL(None).syscall(number, 0, ctypes.byref(wish), 0)  # refused by a sandbox, it is as it was
