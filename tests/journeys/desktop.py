"""A desktop of its own: Xvfb, the app as a process, and real mouse and keys through xdotool."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0
_LOOK_EVERY_S = 0.05

Point = tuple[int, int]


def missing_tools() -> str:
    """What this desktop needs and does not find, as a reason to skip; nothing if all is there."""
    missing = [tool for tool in ("Xvfb", "xdotool") if shutil.which(tool) is None]
    return f"{' and '.join(missing)} not installed" if missing else ""


def soon(condition: Callable[[], object], patience_s: float) -> bool:
    """Look until `condition` holds; another process cannot send us a signal."""
    pause, end = threading.Event(), time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > end:
            return False
        pause.wait(_LOOK_EVERY_S)
    return True


def until(condition: Callable[[], object], what: str) -> None:
    """Wait for what must come."""
    assert soon(condition, PATIENCE_S), f"waited {PATIENCE_S:.0f} s in vain: {what}"


class Desktop:
    """One X display; every call is one real event or one question."""

    def __init__(self, display: str) -> None:
        self.environment = {key: value for key, value in os.environ.items() if key != "QT_QPA_PLATFORM"}
        self.environment |= {"DISPLAY": display, "XDG_SESSION_TYPE": "x11"}

    def xdotool(self, *words: str | int) -> str:
        """Run xdotool and give what it prints."""
        command = ["xdotool", *map(str, words)]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False).stdout.strip()

    def key(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            self.xdotool("key", key)

    def drag(self, start: Point, end: Point) -> None:
        """Press, pull in steps as a hand does, release."""
        self.xdotool("mousemove", *start, "mousedown", 1)
        for step in range(1, 9):
            across, down = ((b - a) * step // 8 for a, b in zip(start, end, strict=True))
            self.xdotool("mousemove", start[0] + across, start[1] + down)
        self.xdotool("mouseup", 1)

    def escape(self, name: str) -> None:
        """Close a dialog by Escape, and wait until it is gone: the keyboard that another window gets before is lost."""
        self.key("Escape")
        until(lambda: not self.xdotool("search", "--onlyvisible", "--name", name), f"{name} gone")

    def window(self, name: str) -> str:
        """Wait for a window whose title holds `name`, and give it the keyboard (there is no window manager)."""
        found: list[str] = []

        def look() -> bool:
            found[:] = self.xdotool("search", "--onlyvisible", "--name", name).split()
            return bool(found)

        until(look, f"a window called {name}")
        self.xdotool("windowfocus", "--sync", found[-1])
        return found[-1]

    @contextmanager
    def app(self, path: Path) -> Iterator[subprocess.Popen[bytes]]:
        """`python -m boxrefine_gui PATH`, killed at the end if it has not quit by itself."""
        command = [sys.executable, "-m", "boxrefine_gui", str(path)]
        with subprocess.Popen(command, cwd=ROOT, env=self.environment) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.kill()


@contextmanager
def desktop() -> Iterator[Desktop]:
    """A fresh display of 1400 x 900 pixels."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1400x900x24", "-nolisten", "tcp"]
    command.append("-noreset")  # else it starts anew when xdotool leaves, and turns away a window that comes just then
    with subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL) as server:
        os.close(write)
        with os.fdopen(read) as answer:
            number = answer.readline().strip()
        try:
            yield Desktop(f":{number}")
        finally:
            server.terminate()
