"""Timers of the GUI thread, and a delay that several modules share."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer

AFTER_A_STEP_MS = 40
"""Delay after a step to another image before lanes work ahead, if that image needs no work itself.

Decoding and encoding the neighboring images at once would slow down the step.
"""


def timer(interval_ms: int, call: Callable[[], None], *, once: bool = True) -> QTimer:
    """Create a stopped timer that calls `call` after `interval_ms`, repeatedly if not `once`."""
    made = QTimer()
    made.setSingleShot(once)
    made.setInterval(interval_ms)
    made.timeout.connect(call)
    return made
