"""Claims: lock files that show which processes work on something now.

A claim is a file that its process keeps locked. The operating system releases the lock when the process ends, however
it ends, so a claim whose lock can be taken is abandoned: a crash leaves a file, but never a false statement.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from filelock import FileLock, Timeout


class Claim:
    """A locked file; it disappears with `release`."""

    def __init__(self, path: Path, lock: FileLock) -> None:
        self.path, self._lock = path, lock

    @classmethod
    def take(cls, path: Path, *, patience_s: float = 0.0) -> Claim | None:
        """Create and lock `path`, whose folder exists; None where another process holds it or locks do not work.

        One that is held is waited for up to `patience_s` seconds.
        """
        lock = _lock_for(path)
        try:
            lock.acquire(timeout=patience_s)
        except (Timeout, OSError, NotImplementedError):
            return None
        return cls(path, lock)

    def release(self) -> None:
        """Remove the file and give the lock up."""
        with contextlib.suppress(OSError):  # Windows removes no open file: `is_abandoned` is true of it from here on
            self.path.unlink(missing_ok=True)
        self._lock.release()
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


def is_abandoned(path: Path) -> bool:
    """Whether no process holds the claim `path` any more; False where that cannot be found out."""
    if not path.exists():  # taking the lock would make it
        return True
    lock = _lock_for(path)
    try:
        lock.acquire(blocking=False)
    except (Timeout, OSError, NotImplementedError):
        return False
    lock.release()
    return True


def _lock_for(path: Path) -> FileLock:
    # Not thread-local: a lane may open what another thread closes at the end. And never a file that is the lock by
    # being there, as on file systems without real locks: what a crash leaves would be held for ever.
    return FileLock(str(path), thread_local=False, fallback_to_soft=False)
