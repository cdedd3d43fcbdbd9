"""The pace of this machine as it is just now, so that a slow or busy one is no reason for a test to fail."""

from __future__ import annotations

import time


def frame_s() -> float:
    """Processor time, in seconds, that this thread now needs for plain work that takes 16 ms on a quiet machine."""
    start = time.thread_time()
    for _ in range(3):
        sum(number * number for number in range(300_000))
    return (time.thread_time() - start) / 3
