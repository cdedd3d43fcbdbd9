"""The peak of memory of a process."""

from __future__ import annotations

import sys
from pathlib import Path

_MEGA = 1024**2


def peak_megabytes() -> float:
    """The largest resident memory of this process so far, in MB; 0 where the system has no such figure."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage counts the parent's memory too, as a new process starts as its copy
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return float(line.split()[1]) / 1024
    if sys.platform == "win32":
        return 0.0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / _MEGA if sys.platform == "darwin" else peak / 1024
