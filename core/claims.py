"""Claims: lock files that show which processes are working on something.

A claim is a file that its process keeps locked. The operating system releases the lock when the process ends, even
after a crash. So a claim whose lock can be acquired is abandoned, although its file may still exist.
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
        """Create and lock `path`, whose folder must exist, waiting up to `patience_s` seconds for another holder.

        Returns None if another process still holds the lock, or if the file system has no locks.
        """
        lock = _lock_for(path)
        try:
            lock.acquire(timeout=patience_s)
        except (Timeout, OSError, NotImplementedError):
            return None
        return cls(path, lock)

    def release(self) -> None:
        """Remove the file and release the lock."""
        with contextlib.suppress(OSError):  # Windows cannot remove an open file; the second attempt below does
            self.path.unlink(missing_ok=True)
        self._lock.release()
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


def is_abandoned(path: Path) -> bool:
    """Whether no process holds the claim `path` any more; False if that cannot be determined."""
    if not path.exists():  # acquiring the lock would create the file
        return True
    lock = _lock_for(path)
    try:
        lock.acquire(blocking=False)
    except (Timeout, OSError, NotImplementedError):
        return False
    lock.release()
    return True


def _lock_for(path: Path) -> FileLock:
    # Not thread-local, because one thread may take a claim that another one releases. No fallback to soft locks (files
    # whose existence is the lock), because a crash would leave them held for ever.
    return FileLock(str(path), thread_local=False, fallback_to_soft=False)
