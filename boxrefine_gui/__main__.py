"""`boxrefine`: a verb goes to core.cli; no verb opens the window."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from core import cli
from core.cli.terminal import complain
from core.errors import KnownError

NO_DISPLAY = (
    "There is no display for the window: use a headless verb (boxrefine {verbs}; boxrefine --help explains them), "
    "or set DISPLAY, or run it under xvfb-run."
)


_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of malloc.h


def main() -> int:
    """The console script; its result is the exit code."""
    # Threads that spin while they wait for each other make everything many times slower on a busy machine; but without
    # the shortest spin (some microseconds, GNU's OpenMP alone has it) a single box takes twice as long. Large pages for
    # large tensors (Linux) save vit_tiny nearly a third of its time. All are read when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    keep_memory()
    arguments = sys.argv[1:]
    if arguments and (arguments[0] in cli.VERBS or arguments[0].startswith("-")):
        return cli.main(arguments, window_benchmarks=BENCHMARKS)
    try:
        return open_window(arguments)
    except KnownError as error:
        complain(str(error))
        return 2


def keep_memory() -> None:
    """Let glibc keep what pictures and features took, instead of asking the system for each anew.

    Up to 256 MB, and up to 64 MB (glibc's own limit) for each other thread; what is larger than 32 MB goes back.
    Memory fresh from the system costs a fault every 4 kB: it can take longer than decoding a JPEG. Other
    systems have no such setting.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            mallopt = ctypes.CDLL(None).mallopt
            mallopt(_M_MMAP_THRESHOLD, 32 * 1024**2)
            mallopt(_M_TRIM_THRESHOLD, 256 * 1024**2)


def open_window(arguments: list[str]) -> int:
    """The window with the folder or project of the first argument, else with what was open last."""
    path = Path(arguments[0]) if arguments else None
    if len(arguments) > 1 or (path is not None and not path.exists()):
        shown = " ".join(arguments)
        complain(f"{shown} is neither a verb ({', '.join(cli.VERBS)}) nor a folder or project: check the path.")
        return 2
    if not has_display():
        complain(NO_DISPLAY.format(verbs="|".join(cli.VERBS)))
        return 2
    if sys.platform == "win32":
        import torch  # noqa: F401  (loaded after Qt, its libraries are not found: WinError 1114)
    from core.encoders.native_libraries import open_libraries

    open_libraries()
    from boxrefine_gui.app import run

    return run(path)


def has_display(platform: str = sys.platform, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a window can be shown; on Linux Qt would abort the process without a word of ours."""
    if not platform.startswith(("linux", "freebsd")):
        return True
    return any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def measure_drag(device: str) -> Mapping[str, float]:
    """Milliseconds from a drag event to the repaint that shows its refinement."""
    from boxrefine_gui.benchmarks.drag import measure

    return measure(device)


def measure_prefetch(
    device: str, *, encoder: str, images: int, every_s: float, folder: Path | None
) -> Mapping[str, float]:
    """How often pictures had their features when they were shown, and how often the window stalled."""
    from boxrefine_gui.benchmarks.prefetch import measure

    return measure(device, encoder=encoder, images=images, every_s=every_s, folder=folder)


def measure_stalls(
    device: str, *, images: int, files: int, other: str, bring: Callable[[], object], traces: TextIO | None
) -> Mapping[str, Mapping[str, float]]:
    """How long the window does not answer while models load, pictures are encoded and the cache is cleared out."""
    from boxrefine_gui.benchmarks.stalls import measure

    return measure(device, images=images, files=files, other=other, bring=bring, traces=traces)


BENCHMARKS: Mapping[str, Callable[..., Mapping[str, Any]]] = {
    "drag": measure_drag,
    "prefetch": measure_prefetch,
    "stalls": measure_stalls,
}

if __name__ == "__main__":
    sys.exit(main())
