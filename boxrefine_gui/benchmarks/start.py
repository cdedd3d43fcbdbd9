"""How long a start takes: a fresh process opens a project in the real window, offscreen, and notes when what is there.

`python -m boxrefine_gui.benchmarks.start PROJECT` is that process. It imports what the window imports, when that does.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

WINDOW, PICTURE, LIST = "window", "first picture", "whole list"
_PATIENCE_S = 120.0


def measure(*, make: Callable[[Path], Path], times: int) -> Mapping[str, Mapping[str, float]]:
    """Seconds from the start of a process to each mark, and the process' own processor time and memory at it.

    `make` fills an empty folder and returns the path of the project in it. The first of `times` + 1 starts is not
    counted: it fills the caches of the system. Raises BadInputError if the window does not come up.
    """
    from boxrefine_gui.benchmarks.offscreen import own_folder
    from core.settings import Settings

    with own_folder(Settings(encode_folder=False)) as folder:
        path = make(folder)
        starts = [_start(path) for _ in range(times + 1)][1:]
    return {
        mark: {name: statistics.median(start[mark][name] for start in starts) for name in starts[0][mark]}
        for mark in starts[0]
    }


def _start(path: Path) -> Mapping[str, Mapping[str, float]]:
    """Start a process once; return its marks, with times since it was started."""
    from core.errors import BadInputError

    begun = time.perf_counter()  # of the system's clock, which all processes share
    command = [sys.executable, "-m", __name__, str(path)]
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=_PATIENCE_S, check=False
        )
        marks: dict[str, dict[str, float]] = json.loads(done.stdout.splitlines()[-1])
    except (subprocess.TimeoutExpired, IndexError, ValueError) as error:
        raise BadInputError("The window did not come up: try again on a quieter machine.") from error
    for mark in marks.values():
        mark["s"] -= begun
    return marks


def start(path: Path) -> None:
    """The fresh process: open the project as `boxrefine PATH` does, print the marks as one line of JSON, and end."""
    from boxrefine_gui.lanes.process_tuning import Moment, tune
    from boxrefine_gui.widgets.language import set_language

    tune(Moment.PROCESS)
    set_language()
    tune(Moment.WINDOW)
    from PySide6.QtCore import QEvent, QObject, QTimer
    from PySide6.QtWidgets import QApplication

    from boxrefine_gui.app import build
    from boxrefine_gui.widgets.language import translate_qt

    qt = QApplication(["boxrefine"])
    qt.setStyle("Fusion")
    translate_qt(qt)
    app = build()
    marks: dict[str, dict[str, float]] = {}

    class Watch(QObject):
        """Notes when the canvas is first painted, and first painted with a picture."""

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint:
                QTimer.singleShot(0, note)  # once it is painted
            return False

    def note() -> None:
        session = app.session
        marks.setdefault(WINDOW, _mark())
        if session.picture is not None:
            marks.setdefault(PICTURE, _mark())
        if session.image is not None and session.scan is None and len(session.images) == len(session.listed):
            marks.setdefault(LIST, _mark())
        if len(marks) == len((WINDOW, PICTURE, LIST)):
            sys.stdout.write(json.dumps(marks) + "\n")
            sys.stdout.flush()
            os._exit(0)  # the model may still be loading

    watch, poll = Watch(), QTimer()
    app.window.canvas.installEventFilter(watch)
    poll.timeout.connect(lambda: note() if WINDOW in marks else None)
    poll.start(5)
    app.window.show()
    app.open(path)
    qt.exec()


def _mark() -> dict[str, float]:
    return {"s": time.perf_counter(), "processor s": time.process_time(), "MB": _memory()}


def _memory() -> float:
    """Resident memory of this process in MB; 0 where the system does not report it."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    start(Path(sys.argv[1]))
