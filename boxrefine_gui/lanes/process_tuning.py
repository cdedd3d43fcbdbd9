"""Tuning of the whole process: what trades the ways of Python and of the system for a window that answers sooner.

One function for each trick, with its gain. `tune` calls those whose moment has come. `BOXREFINE_TUNING=off` skips all
of them, for a system on which one does harm: everything works without, and slower. What has its own place asks
`is_on`: the collector (lanes/collector.py) and the trainer's process.

Gains are those of the change that brought the trick, on two cores of an AMD EPYC; "not measured" says that nobody has
a figure of the trick alone. `boxrefine benchmark stalls` and `latency` with and without `BOXREFINE_TUNING=off` measure
all of them together.
"""

from __future__ import annotations

import builtins
import ctypes
import importlib.util
import os
import platform
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import Enum
from pathlib import Path

VARIABLE = "BOXREFINE_TUNING"

SWITCH_S = 0.0001
_NICER_BY = 4
_SLICE_NS = 100_000
_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}  # the numbers of a system call that older C libraries lack
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of malloc.h

# What `import torch` opens first itself, then all that is not about Python: libtorch brings the CPU's and CUDA's. torch
# imports triton where it is installed, which is one library of half a gigabyte.
_LIBRARIES = {"torch": ("lib/libtorch_global_deps", "lib/libtorch"), "triton": ("_C/libtriton",)}
_SUFFIXES = {"linux": ".so", "darwin": ".dylib"}  # on Windows, torch is imported before Qt as it is


class Moment(Enum):
    """When a trick works."""

    PROCESS = "in every verb and in the window, before torch is loaded"
    WINDOW = "in the window, before Qt is loaded and other threads are there"
    GUI_THREAD = "on the GUI thread, after Qt was loaded and the lanes were made"
    LANE = "on the thread of a lane that gives way to the window"


def is_on() -> bool:
    """Whether the process is to be tuned."""
    return os.environ.get(VARIABLE, "").strip().lower() != "off"


def tune(moment: Moment) -> None:
    """Do what belongs to this moment, unless tuning is off."""
    if is_on():
        for trick in TRICKS[moment]:
            trick()


# Every process


def wait_without_spinning() -> None:
    """Let threads of OpenMP sleep while they wait for each other, after a spin of some microseconds.

    Threads that spin make everything many times slower on a busy machine. Only GNU's OpenMP has the short spin.

    Gain: many times on a busy machine; the short spin halves the time of a single box.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def use_large_pages() -> None:
    """Let torch take large pages for large tensors (Linux).

    Gain: nearly a third of the time in which vit_tiny encodes a picture.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")


def keep_memory() -> None:
    """Let glibc keep what pictures and features took, instead of asking the system for each anew.

    Up to 256 MB, and up to 64 MB (glibc's own limit) for each other thread; what is larger than 32 MB goes back.
    Memory fresh from the system costs a fault every 4 kB. Other systems have no such setting.

    Gain: four of five page faults at least (a test counts them), which can take longer than decoding a JPEG.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            mallopt = ctypes.CDLL(None).mallopt
            mallopt(_M_MMAP_THRESHOLD, 32 * 1024**2)
            mallopt(_M_TRIM_THRESHOLD, 256 * 1024**2)


# The window


def open_libraries() -> list[Path]:
    """Open torch's libraries as its import does, so that importing torch finds them open; gives those it opened.

    The import opens hundreds of megabytes with Python's lock held, and no other thread runs Python meanwhile. It must
    come before other threads: a library that is opened beside them without Python's lock holds the loader's lock, for
    which they wait with Python's. They would stand still all the same, or for good, should anything that is opened ask
    for Python's.

    Gain: a stall of a fifth of a second, longer where the libraries come from the disk.
    """
    opened = []
    for path in _library_paths():
        with suppress(OSError):  # the import tells of it
            ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL if "global_deps" in path.name else ctypes.DEFAULT_MODE)
            opened.append(path)
    return opened


def switch_threads_quickly() -> None:
    """Let a lane that runs Python keep the GUI thread waiting for 0.1 ms at most.

    The GUI thread waits that long each time it comes back from Qt's own code, dozens of times to paint a list.

    Gain: painting a list beside a busy lane takes a second with Python's own 5 ms, and half a tenth with 1 ms.
    """
    sys.setswitchinterval(SWITCH_S)


def leave_imports_alone() -> None:
    """Take back the look that PySide6 has at the source of every module that is imported after it.

    It looks for users of its feature `snake_case`, of whom there are none here. torch's many modules take longer for
    it, with Python's lock held.

    Gain: not measured.
    """
    builtins.__import__ = getattr(builtins, "__orig_import__", builtins.__import__)


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


def go_first() -> None:
    """Let the window's thread have a processor as soon as it wants one; threads that it starts later would, too.

    Linux lets whoever computes go on for some milliseconds, unless the one that woke up asked for shorter turns. From
    6.12 on it can be asked; elsewhere nothing is done.

    Gain: not measured.
    """
    number = _SCHED_SETATTR.get(platform.machine()) if sys.platform == "linux" else None
    if number is not None:
        niceness = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        wish = _Wish(ctypes.sizeof(_Wish), os.sched_getscheduler(0), nice=niceness, runtime=_SLICE_NS)
        ctypes.CDLL(None).syscall(number, 0, ctypes.byref(wish), 0)  # refused by a sandbox, it is as it was


def give_way() -> None:
    """Let the window and the answer to a drag go before this thread, and before those that it starts, as torch does.

    As one of a batch it takes the processor from nobody when it wakes up, also not from the lane that holds Python's
    lock, for which the window may wait. On Linux alone each thread has a niceness of its own. It is made a little
    nicer: with 10 instead of 4, other programs keep lanes from a processor while they hold that lock, and the window
    stands still for hundreds of milliseconds.

    Gain: not measured.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with suppress(OSError):  # a sandbox may forbid it
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _NICER_BY)
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def trainers_variables() -> dict[str, str]:
    """Variables for the trainer's process, which leave one processor to the window; none where tuning is off.

    Gain: not measured.
    """
    return {"OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 2) - 1))} if is_on() else {}


TRICKS: Mapping[Moment, tuple[Callable[[], object], ...]] = {
    Moment.PROCESS: (wait_without_spinning, use_large_pages, keep_memory),
    Moment.WINDOW: (open_libraries, switch_threads_quickly),
    Moment.GUI_THREAD: (leave_imports_alone, go_first),
    Moment.LANE: (give_way,),
}


def _library_paths() -> list[Path]:
    """Where torch's libraries are, found without importing anything."""
    suffix = _SUFFIXES.get(sys.platform)
    if suffix is None:
        return []
    found = []
    for package, places in _LIBRARIES.items():
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin is not None:
            found += [Path(spec.origin).parent / f"{place}{suffix}" for place in places]
    return found
