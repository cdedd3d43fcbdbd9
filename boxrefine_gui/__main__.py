"""`boxrefine`: a verb goes to core.cli; no verb opens the window.

The process's language is set first. Modules that translate texts when they are imported are imported after it, inside
functions.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from boxrefine_gui.lanes.process_tuning import Moment, tune
from boxrefine_gui.widgets.language import set_language
from core import log
from core.errors import KnownError
from core.translation import tr

if TYPE_CHECKING:
    from core.geometry import Box


def main() -> int:
    """The console script; its result is the exit code."""
    tune(Moment.PROCESS)
    set_language()
    arguments = sys.argv[1:]
    is_verbose = arguments[:1] == ["--verbose"]
    rest = arguments[1:] if is_verbose else arguments
    if rest and may_be_verb(rest[0]):
        from core import cli

        if rest[0] in cli.VERBS or rest[0].startswith("-"):
            return cli.main(arguments, window_benchmarks=BENCHMARKS)
    try:
        return open_window(rest, verbose=is_verbose)
    except KnownError as error:
        return refuse(str(error))


def may_be_verb(argument: str) -> bool:
    """Whether an argument may be a verb or an option: a path that shows as one spares the import of all verbs."""
    separators = [each for each in (os.sep, os.altsep) if each]
    return argument.startswith("-") or not (argument in (".", "..") or any(each in argument for each in separators))


def refuse(sentence: str) -> int:
    """Write a complaint; return the exit code."""
    from core.cli.terminal import complain

    complain(sentence)
    return 2


def open_window(arguments: list[str], *, verbose: bool = False) -> int:
    """Open the window with the folder or project of the first argument, else with what was open last."""
    path = Path(arguments[0]) if arguments else None
    if len(arguments) > 1 or (path is not None and not path.exists()):
        from core import cli

        shown, verbs = " ".join(arguments), ", ".join(cli.VERBS)
        return refuse(
            tr("{path} is neither a verb ({verbs}) nor a folder or project: check the path.", path=shown, verbs=verbs)
        )
    if not has_display():
        from core import cli

        return refuse(
            tr(
                "There is no display for the window: use a headless verb (boxrefine {verbs}; boxrefine --help explains "
                "them), or set DISPLAY, or run it under xvfb-run.",
                verbs="|".join(cli.VERBS),
            )
        )
    if sys.platform == "win32":
        import torch  # noqa: F401  (loaded after Qt, its libraries are not found: WinError 1114)
    tune(Moment.WINDOW)
    # After the tuning, because the log has a thread.
    with log.kept("the window", echo=_echo() if verbose else None):  # untranslated: a line of the log
        from boxrefine_gui.app import run

        return run(path)


def _echo() -> Callable[[str], None]:
    from core.cli.terminal import echo

    return echo


def has_display(platform: str = sys.platform, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a window can be shown; without a display on Linux, Qt would abort the process."""
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


def measure_lists(*, make: Callable[[Path], None], times: int) -> Mapping[str, Mapping[str, float]]:
    """How long the image list of a large project takes to answer."""
    from boxrefine_gui.benchmarks.lists import measure

    return measure(make=make, times=times)


def measure_start(*, make: Callable[[Path], Path], times: int) -> Mapping[str, Mapping[str, float]]:
    """How long a fresh process takes to show a large project."""
    from boxrefine_gui.benchmarks.start import measure

    return measure(make=make, times=times)


def measure_canvas(*, make: Callable[[Path], None], times: int) -> Mapping[str, Mapping[str, float]]:
    """How quickly the canvas paints a large picture with many boxes."""
    from boxrefine_gui.benchmarks.canvas import measure

    return measure(make=make, times=times)


def measure_session(
    device: str,
    *,
    folder: Path,
    objects: Mapping[str, Sequence[tuple[str, Box]]],
    categories: Sequence[str],
    suggest: bool,
    pace: float,
    seed: int,
) -> Mapping[str, float]:
    """What a scripted annotator does for each box, and how long the machine lets it wait."""
    from boxrefine_gui.benchmarks.annotator import Wanted
    from boxrefine_gui.benchmarks.session import measure

    wanted = {name: [Wanted(category, box) for category, box in boxes] for name, boxes in objects.items()}
    return measure(device, folder=folder, objects=wanted, categories=categories, suggest=suggest, pace=pace, seed=seed)


BENCHMARKS: Mapping[str, Callable[..., Mapping[str, Any]]] = {
    "drag": measure_drag,
    "prefetch": measure_prefetch,
    "stalls": measure_stalls,
    "lists": measure_lists,
    "start": measure_start,
    "canvas": measure_canvas,
    "session": measure_session,
}

if __name__ == "__main__":
    sys.exit(main())
