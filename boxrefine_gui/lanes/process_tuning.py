"""Tuning of the whole process: changes to defaults of Python and the system that make the window respond faster.

Each trick is one function, which documents its gain. `tune` calls those of a moment. `BOXREFINE_TUNING=off` skips all,
for systems on which one of them does harm; everything works without them, only slower. The collector
(lanes/collector.py) and the trainer's process are tuned elsewhere and check `is_on`.

The gains were measured on two cores of an AMD EPYC when the trick was added; "not measured" means that there is no
figure for the trick alone. `boxrefine benchmark stalls` and `latency` with and without `BOXREFINE_TUNING=off` measure
all of them together. `benchmark stalls --files 300` on the same cores: with tuning one stall of 16 to 32 ms in each of
three runs, without it 8 and 10 stalls in two runs, the longest of 0.5 s.
"""

from __future__ import annotations

import builtins
import ctypes
import os
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path

VARIABLE = "BOXREFINE_TUNING"

SWITCH_S = 0.0001
_NICER_BY = 4
_SLICE_NS = 100_000
_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}  # numbers of a system call that older C libraries do not wrap
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of malloc.h

# libtorch_global_deps is what `import torch` opens first; libtorch depends on the libraries for the CPU and CUDA. torch
# imports triton if it is installed, which is one library of half a gigabyte.
_LIBRARIES = {"torch": ("lib/libtorch_global_deps", "lib/libtorch"), "triton": ("_C/libtriton",)}
_SUFFIXES = {"linux": ".so", "darwin": ".dylib"}  # on Windows, torch is imported before Qt anyway


class Moment(Enum):
    """When and where a trick must be called."""

    PROCESS = auto()
    """In every process, before torch is loaded."""
    WINDOW = auto()
    """In the window's process, before Qt is loaded and other threads exist."""
    GUI_THREAD = auto()
    """On the GUI thread, after Qt was loaded and the lanes were created."""
    MODELS = auto()
    """On the lane that loads the models, before torch is imported."""
    LANE = auto()
    """On the thread of a lane that gives way to the window."""


def is_on() -> bool:
    """Whether the process is to be tuned."""
    return os.environ.get(VARIABLE, "").strip().lower() != "off"


def tune(moment: Moment) -> None:
    """Apply the tricks of a moment, unless tuning is off."""
    if is_on():
        for trick in TRICKS[moment]:
            trick()


# Every process


def wait_without_spinning() -> None:
    """Let OpenMP threads sleep while they wait for each other, after spinning for some microseconds.

    Spinning threads make everything many times slower on a busy machine. Only GNU's OpenMP has the short spin.

    Gain: several times faster on a busy machine; the short spin halves the time for a single box.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def use_large_pages() -> None:
    """Let torch use large pages for large tensors (Linux).

    Gain: nearly a third of the time that vit_tiny needs to encode a picture.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")


def keep_memory() -> None:
    """Let glibc keep freed memory of pictures and features, instead of returning it to the system each time.

    It keeps up to 256 MB, and up to 64 MB (glibc's own limit) for each other thread; blocks above 32 MB are returned.
    New memory from the system costs a page fault every 4 kB. Other systems have no such setting.

    Gain: at least four of five page faults (a test counts them), which can take longer than decoding a JPEG.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            mallopt = ctypes.CDLL(None).mallopt
            mallopt(_M_MMAP_THRESHOLD, 32 * 1024**2)
            mallopt(_M_TRIM_THRESHOLD, 256 * 1024**2)


# The window


def open_libraries() -> list[Path]:
    """Open torch's libraries before `import torch` does; return the paths of those that were opened.

    The import opens hundreds of megabytes while it holds the GIL, so that no other thread runs Python meanwhile. This
    releases the GIL and holds the lock of the dynamic loader, for which another lane waits if it imports a library
    just then. None of these libraries needs the GIL for its initialization, so none waits for that lane.

    It is called when the models are loaded, and not at the start: the window would come up 0.5 s later, and have 460 MB
    more before its first picture.

    Gain: a stall of 0.2 s, longer when the libraries are read from the disk.
    """
    opened = []
    for path in _library_paths():
        with suppress(OSError):  # the import reports it
            ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL if "global_deps" in path.name else ctypes.DEFAULT_MODE)
            opened.append(path)
    return opened


def switch_threads_quickly() -> None:
    """Let a lane that runs Python delay the GUI thread by at most 0.1 ms.

    The GUI thread can wait that long each time it returns from Qt's code, dozens of times to paint a list.

    Gain: painting a list during a busy lane takes 1 s with Python's default of 5 ms, and 0.05 s with 1 ms.
    """
    sys.setswitchinterval(SWITCH_S)


def leave_imports_alone() -> None:
    """Remove the import hook of PySide6, which reads the source of every module that is imported after it.

    The hook searches for uses of the feature `snake_case`, which this program does not use. It slows down the import of
    torch's many modules while the GIL is held.

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
    """Let the window's thread get a processor as soon as it wakes up; threads that it starts later inherit this.

    Linux lets a running thread continue for some milliseconds, unless the thread that woke up has a shorter time slice.
    Programs can set the slice from Linux 6.12 on; elsewhere nothing is done.

    Gain: not measured.
    """
    number = _SCHED_SETATTR.get(os.uname().machine) if sys.platform == "linux" else None
    if number is not None:
        niceness = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        wish = _Wish(ctypes.sizeof(_Wish), os.sched_getscheduler(0), nice=niceness, runtime=_SLICE_NS)
        ctypes.CDLL(None).syscall(number, 0, ctypes.byref(wish), 0)  # without effect if a sandbox refuses it


def give_way() -> None:
    """Give this thread, and those that it starts (as torch does), a lower priority than the window and live refinement.

    With the batch policy, a thread that wakes up never preempts another one, in particular not a lane that holds the
    GIL while the window waits for it. Only Linux has a niceness for each thread. It is raised only a little: with 10
    instead of 4, other programs keep a lane from running while it holds the GIL, and the window freezes for hundreds of
    milliseconds.

    Gain: not measured.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with suppress(OSError):  # a sandbox may forbid it
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _NICER_BY)
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def trainers_variables() -> dict[str, str]:
    """Return variables for the trainer's process that leave one processor to the window; none if tuning is off.

    Gain: not measured.
    """
    return {"OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 2) - 1))} if is_on() else {}


TRICKS: Mapping[Moment, tuple[Callable[[], object], ...]] = {
    Moment.PROCESS: (wait_without_spinning, use_large_pages, keep_memory),
    Moment.WINDOW: (switch_threads_quickly,),
    Moment.GUI_THREAD: (leave_imports_alone, go_first),
    Moment.MODELS: (open_libraries,),
    Moment.LANE: (give_way,),
}


def _library_paths() -> list[Path]:
    """Return the paths of torch's libraries, without importing anything."""
    suffix = _SUFFIXES.get(sys.platform)
    if suffix is None:
        return []
    import importlib.util  # not at the start of the window

    found = []
    for package, places in _LIBRARIES.items():
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin is not None:
            found += [Path(spec.origin).parent / f"{place}{suffix}" for place in places]
    return found
