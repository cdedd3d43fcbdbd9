"""The real window drawn offscreen for a benchmark, with settings, cache and projects that are not the user's."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QMessageLogContext, QObject, Qt, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from boxrefine_gui.app import SWITCH_S, App, build
from core.encoders.native_libraries import open_libraries
from core.settings import Settings, save_settings, settings_path

_BEAT_MS = 2
STALL_S = 0.016


@contextmanager
def offscreen_window(settings: Settings) -> Iterator[tuple[App, Path]]:
    """A shown window with nothing open, and an empty folder for pictures; all of it is gone at the end."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    open_libraries()  # as the app does
    qInstallMessageHandler(_without_the_platforms_own)
    qt = QApplication.instance() or QApplication(["boxrefine"])
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    try:
        with own_folder(settings) as folder:
            app = build()
            try:
                app.window.resize(1280, 800)
                app.window.show()
                yield app, folder
            finally:
                app.window.close()
                app.close()
    finally:
        sys.setswitchinterval(before)
        qInstallMessageHandler(None)
        del qt


@contextmanager
def own_folder(settings: Settings) -> Iterator[Path]:
    """An empty folder for pictures, beside settings, cache and data that are not the user's."""
    names = ("BOXREFINE_CONFIG", "BOXREFINE_CACHE")
    before = {name: os.environ.get(name) for name in names}
    with tempfile.TemporaryDirectory(prefix="boxrefine-") as name:
        folder = Path(name)
        os.environ |= {variable: str(folder / variable) for variable in names}
        save_settings(settings, settings_path())
        (folder / "pictures").mkdir()
        try:
            yield folder / "pictures"
        finally:
            for variable, value in before.items():
                if value is None:
                    del os.environ[variable]
                else:
                    os.environ[variable] = value


@dataclass
class Stalls:
    """How often the GUI thread did not answer for more than 16 ms, and the longest time in seconds.

    `own_s` is the longest time that the GUI thread itself computed in one go: the rest of a stall is waiting, for
    Python's lock or for a processor that other programs have.
    """

    seconds: list[float] = field(default_factory=list)
    own_s: float = 0.0

    @property
    def count(self) -> int:
        return len(self.seconds)

    @property
    def longest_s(self) -> float:
        return max(self.seconds, default=0.0)


class Watchdog(QObject):
    """Asks the GUI thread every 2 ms whether it is there; `phase` names what goes on while it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.phase = ""
        self.stalls: dict[str, Stalls] = {}
        self._beat = QTimer(self)
        self._beat.setTimerType(Qt.TimerType.PreciseTimer)
        self._beat.setInterval(_BEAT_MS)
        self._beat.timeout.connect(self._beats)
        self._last, self._last_own = time.perf_counter(), time.thread_time()

    def start(self, phase: str) -> None:
        """Watch from here on, under another name."""
        self.phase = phase
        self.stalls.setdefault(phase, Stalls())
        self._last, self._last_own = time.perf_counter(), time.thread_time()
        self._beat.start()

    def stop(self) -> None:
        """Watch no more."""
        self._beat.stop()

    def _beats(self) -> None:
        now, own = time.perf_counter(), time.thread_time()
        waited, stalls = now - self._last - _BEAT_MS / 1000, self.stalls[self.phase]
        if waited > STALL_S:
            stalls.seconds.append(waited)
        stalls.own_s = max(stalls.own_s, own - self._last_own)
        self._last, self._last_own = now, own


class IdleProcess:
    """A process beside ours that does nothing but look at the clock: its stalls are the machine's, not ours."""

    _PROGRAM = """
import os, select, time
stalls, last = [0.0], time.perf_counter()
while True:
    if select.select([0], [], [], 0.002)[0]:
        if not os.read(0, 1):
            break
        os.write(1, f"{len(stalls) - 1} {max(stalls)}\\n".encode())
        stalls = [0.0]
    now = time.perf_counter()
    stalls += [now - last - 0.002] * (now - last - 0.002 > 0.016)
    last = now
"""

    def __init__(self) -> None:
        command = [sys.executable, "-c", self._PROGRAM]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def lap(self) -> tuple[int, float]:
        """How many stalls over 16 ms it had since it began or was last asked, and the longest in seconds."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write("?")
        self._process.stdin.flush()
        count, longest = self._process.stdout.readline().split()
        return int(count), float(longest)

    def stalls(self) -> tuple[int, float]:
        """The last lap; the process ends."""
        found = self.lap()
        self.stop()
        return found

    def stop(self) -> None:
        """End it."""
        self._process.communicate()


def _without_the_platforms_own(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    """Qt's messages go on to stderr, save one that the offscreen platform says about each window."""
    if "propagateSizeHints" not in message:
        sys.stderr.write(f"{message}\n")
