"""Ctrl-C that is heard for certain.

Python raises KeyboardInterrupt wherever it happens to be, and drops it (with a note that nobody needs) where that is
in an object's clearing away. So it is remembered as well, and raised again at the job's next step.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_pressed = threading.Event()


@contextmanager
def heard() -> Iterator[None]:
    """Remember Ctrl-C while a verb runs; only where Python's own handler would have it, in the main thread."""
    is_ours = threading.current_thread() is threading.main_thread()
    is_ours = is_ours and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not is_ours:
        yield
        return
    _pressed.clear()
    signal.signal(signal.SIGINT, _remember)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _pressed.clear()


def heed() -> None:
    """Raises KeyboardInterrupt where Ctrl-C was pressed and has not ended the verb yet."""
    if _pressed.is_set():
        raise KeyboardInterrupt


def _remember(number: int, frame: FrameType | None) -> None:
    _pressed.set()
    signal.default_int_handler(number, frame)
