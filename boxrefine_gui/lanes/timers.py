"""Timers of the GUI thread, and how long those wait that several parts share."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer

AFTER_A_STEP_MS = 40
"""For so long after a step to another image the window has the processor for itself, if all it shows is there.

What lanes do ahead, the neighbours' pictures and features, would slow the step itself down.
"""


def timer(interval_ms: int, call: Callable[[], None], *, once: bool = True) -> QTimer:
    """One that was not started: `call` comes so long after its last start, or again and again if not `once`."""
    made = QTimer()
    made.setSingleShot(once)
    made.setInterval(interval_ms)
    made.timeout.connect(call)
    return made
