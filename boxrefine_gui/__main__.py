"""`boxrefine`: a verb goes to core.cli; no verb opens the window."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from boxrefine_gui.lanes.process_tuning import Moment, tune
from core import cli, log
from core.cli.terminal import complain, echo
from core.errors import KnownError

NO_DISPLAY = (
    "There is no display for the window: use a headless verb (boxrefine {verbs}; boxrefine --help explains them), "
    "or set DISPLAY, or run it under xvfb-run."
)


def main() -> int:
    """The console script; its result is the exit code."""
    tune(Moment.PROCESS)
    arguments = sys.argv[1:]
    is_verbose = arguments[:1] == ["--verbose"]
    rest = arguments[1:] if is_verbose else arguments
    if rest and (rest[0] in cli.VERBS or rest[0].startswith("-")):
        return cli.main(arguments, window_benchmarks=BENCHMARKS)
    try:
        return open_window(rest, verbose=is_verbose)
    except KnownError as error:
        complain(str(error))
        return 2


def open_window(arguments: list[str], *, verbose: bool = False) -> int:
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
    tune(Moment.WINDOW)
    with log.kept("the window", echo=echo if verbose else None):  # after the tuning, because it has a thread
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
