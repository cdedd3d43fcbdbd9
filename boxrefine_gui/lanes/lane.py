"""All threads of the app: GuiThread, the only way back to the GUI thread, and the two kinds of lane.

A lane is a thread with a queue. It never holds a callback: callbacks stay in a table of the GUI thread, and the lane
posts back the number of a request and its outcome. So no QObject can be destroyed on a lane.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, Signal

from boxrefine_gui.lanes.process_tuning import Moment, tune
from boxrefine_gui.state.doing import Activity
from core.log import SLOW_S, told
from core.progress import Job, Progress

logger = logging.getLogger(__name__)

T = TypeVar("T")

PROGRESS_PERIOD_S = 0.1
"""Least time between two forwarded progress reports, in seconds; more would only load the GUI thread."""


class GuiThread(QObject):
    """Runs calls from any thread on the GUI thread."""

    _posted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._calls: deque[Callable[[], None]] = deque()
        self._lock = threading.Lock()
        self._closed = False
        self._posted.connect(self.run_posted, Qt.ConnectionType.QueuedConnection)

    def post(self, call: Callable[[], None]) -> None:
        """Any thread: run `call` soon on the GUI thread; after `close`, ignore it."""
        with self._lock:
            if self._closed:
                return
            self._calls.append(call)
            self._posted.emit()

    def run_posted(self) -> None:
        """GUI thread: run the calls that are posted so far."""
        for _ in range(len(self._calls)):
            if self._calls:
                self._calls.popleft()()

    def close(self) -> None:
        """GUI thread: run the posted calls, and ignore later ones."""
        self.run_posted()
        with self._lock:
            self._closed = True
            self._calls.clear()


@dataclass(frozen=True)
class Listener:
    """Callbacks of one request, called on the GUI thread."""

    on_done: Callable[[Any], None] | None = None
    on_error: Callable[[Exception], None] | None = None
    on_progress: Callable[[Progress], None] | None = None
    on_cancel: Callable[[], None] | None = None


@dataclass(frozen=True)
class _Outcome:
    """Outcome of a request: a value, an error, or neither because it was cancelled."""

    value: object = None
    error: Exception | None = None
    cancelled: bool = False


@dataclass(order=True)
class _Entry:
    """One request in a queue; its order is by priority, then by number."""

    priority: int
    number: int
    job: Callable[[], object] = field(compare=False)
    is_steps: bool = field(compare=False, default=False)
    group: str = field(compare=False, default="")
    key: Hashable = field(compare=False, default=None)
    activity: Activity | None = field(compare=False, default=None)
    cancelled: bool = field(compare=False, default=False)


class _Lane:
    """A thread, its queue of requests, and the listeners of the unfinished requests."""

    def __init__(
        self, name: str, gui: GuiThread, *, unheard: Callable[[Exception], None], gives_way: bool = False
    ) -> None:
        """Start the thread; `unheard` gets errors of requests without `on_error`; `gives_way` lowers its priority."""
        self.name = name
        self._gives_way = gives_way
        self._gui = gui
        self._unheard = unheard
        self._listeners: dict[int, Listener] = {}
        self._wake = threading.Condition()
        self._waiting: list[_Entry] = []
        self._running: _Entry | None = None
        self._count = 0
        self._closing = False
        self._highest = float("inf")  # requests with a larger priority number are held back
        # A daemon thread, because a native call of a minute must not keep a closed app alive.
        self._thread = threading.Thread(target=self._loop, name=f"lane-{name}", daemon=True)
        self._thread.start()

    def _add(
        self,
        job: Callable[[], object],
        listener: Listener,
        *,
        priority: int = 0,
        is_steps: bool = False,
        group: str = "",
        key: Hashable = None,
        activity: Activity | None = None,
    ) -> _Entry:
        with self._wake:
            self._count += 1
            entry = _Entry(priority, self._count, job, is_steps, group, key, activity)
            if self._closing:
                return entry  # the app is ending: ignore the request
            self._listeners[entry.number] = listener
            self._waiting.append(entry)
            self._wake.notify_all()
        return entry

    def _take(self) -> _Entry | None:
        with self._wake:
            self._running = None
            while not (allowed := self._allowed()) and not self._closing:
                self._wake.wait()
            if not allowed:
                return None
            self._running = min(allowed)
            self._waiting.remove(self._running)
            return self._running

    def _allowed(self) -> list[_Entry]:
        return [entry for entry in self._waiting if entry.priority <= self._highest]

    def _loop(self) -> None:
        if self._gives_way:
            tune(Moment.LANE)
        while (entry := self._take()) is not None:
            self._gui.post(partial(self._started, entry.activity))
            begun = time.monotonic()
            outcome = self._outcome_of(entry)
            _log(self.name, entry, outcome, seconds=time.monotonic() - begun)
            number = entry.number
            del entry  # free what the job captured before waiting for the next request
            self._gui.post(partial(self._finished, number, outcome))

    def _outcome_of(self, entry: _Entry) -> _Outcome:
        if entry.cancelled:
            return _Outcome(cancelled=True)
        try:
            if entry.is_steps:
                return self._run_steps(entry)
            return _Outcome(entry.job())
        except Exception as error:
            return _Outcome(error=error)

    def _run_steps(self, entry: _Entry) -> _Outcome:
        steps: Any = entry.job()
        heard_at = float("-inf")
        try:
            while not entry.cancelled:
                progress = next(steps)
                if time.monotonic() - heard_at >= PROGRESS_PERIOD_S:
                    heard_at = time.monotonic()
                    self._gui.post(partial(self._progressed, entry.number, progress))
        except StopIteration as end:
            return _Outcome(end.value)
        finally:
            steps.close()
        return _Outcome(cancelled=True)

    def _started(self, activity: Activity | None) -> None:
        """GUI thread: a request has left the queue."""

    def _progressed(self, number: int, progress: Progress) -> None:
        listener = self._listeners.get(number)
        if listener and listener.on_progress:
            listener.on_progress(progress)

    def _finished(self, number: int, outcome: _Outcome) -> None:
        listener = self._listeners.pop(number, Listener())
        if outcome.cancelled:
            if listener.on_cancel:
                listener.on_cancel()
        elif outcome.error is not None:
            (listener.on_error or self._unheard)(outcome.error)
        elif listener.on_done:
            listener.on_done(outcome.value)

    def _drop(self, unwanted: Callable[[_Entry], bool]) -> None:
        with self._wake:
            dropped = [entry for entry in self._waiting if unwanted(entry)]
            self._waiting = [entry for entry in self._waiting if not unwanted(entry)]
        for entry in dropped:
            self._listeners.pop(entry.number, None)

    @property
    def is_idle(self) -> bool:
        """Whether no request waits, runs, or has an outcome that the GUI thread has not handled yet."""
        return not self._listeners

    def close(self, *, drain: bool = False) -> None:
        """Accept no more requests; run the waiting ones if `drain`, else drop them and cancel the running one."""
        with self._wake:
            self._closing = True
            self._highest = float("inf")
            if not drain:
                self._waiting.clear()
                if self._running:
                    self._running.cancelled = True
            self._wake.notify_all()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread after `close`; return False if it still runs a request after `timeout_s` seconds."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()


def _log(lane: str, entry: _Entry, outcome: _Outcome, *, seconds: float) -> None:
    """Log a request that failed or took long; callers log details."""
    if outcome.error is not None:
        logger.info("%s lane: %s has failed after %.1f s (%s)", lane, _name_of(entry), seconds, told(outcome.error))
    elif seconds > SLOW_S:
        how = "is cancelled after" if outcome.cancelled else "took"  # untranslated: log
        logger.info("%s lane: %s %s %.1f s", lane, _name_of(entry), how, seconds)


def _name_of(entry: _Entry) -> str:
    """Return the kind and detail of a request's activity; without one, the name of its function."""
    if entry.activity is not None:
        return f"{entry.activity.kind.name.lower()} {entry.activity.detail}".rstrip()
    job: Any = entry.job
    while isinstance(job, partial):
        job = job.func
    return str(getattr(job, "__qualname__", type(job).__name__))


class LatestLane(_Lane):
    """A lane on which a newer request replaces the one that still waits."""

    def ask(
        self,
        request: Callable[[], T],
        *,
        on_done: Callable[[T], None],
        on_error: Callable[[Exception], None],
    ) -> None:
        """Run `request`, unless a newer one replaces it before its turn; then no callback is called."""
        self._drop(lambda entry: entry.priority > 0)
        self._add(request, Listener(on_done, on_error), priority=1)

    def ask_surely(
        self,
        request: Callable[[], T],
        *,
        on_done: Callable[[T], None],
        on_error: Callable[[Exception], None],
    ) -> None:
        """Run `request`, never replaced, before the request that may be replaced."""
        self._add(request, Listener(on_done, on_error))


class Ticket:
    """Handle of a request of a QueueLane, to cancel it."""

    def __init__(self, entry: _Entry) -> None:
        self._entry = entry

    def cancel(self) -> None:
        """Cancel the request before its turn, or at its next step."""
        self._entry.cancelled = True


class QueueLane(_Lane):
    """A lane that runs requests by priority (lowest number first), then in the order of their arrival."""

    def __init__(
        self,
        name: str,
        gui: GuiThread,
        *,
        unheard: Callable[[Exception], None],
        gives_way: bool = False,
    ) -> None:
        self.on_activity: Callable[[Activity | None], None] | None = None
        super().__init__(name, gui, unheard=unheard, gives_way=gives_way)

    def run(
        self,
        job: Callable[[], T],
        *,
        on_done: Callable[[T], None] | None = None,
        on_error: Callable[[Exception], None] | None = None,
        priority: int = 0,
        group: str = "",
        key: Hashable = None,
        activity: Activity | None = None,
    ) -> Ticket:
        """Queue `job`; `group` is used by `drop`, `key` by `has`, and the status bar shows `activity`."""
        listener = Listener(on_done, on_error)
        return Ticket(self._add(job, listener, priority=priority, group=group, key=key, activity=activity))

    def run_steps(
        self,
        start: Callable[[], Job[T]],
        *,
        on_done: Callable[[T], None] | None = None,
        on_error: Callable[[Exception], None] | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        on_cancel: Callable[[], None] | None = None,
        priority: int = 0,
        group: str = "",
        key: Hashable = None,
    ) -> Ticket:
        """Queue a long job, as `run` does; cancelling its ticket closes the job's generator at its next step."""
        listener = Listener(on_done, on_error, on_progress, on_cancel)
        return Ticket(self._add(start, listener, priority=priority, group=group, key=key, is_steps=True))

    def drop(self, group: str) -> None:
        """Remove the waiting requests of `group`; a running one continues."""
        self._drop(lambda entry: entry.group == group)

    def hold(self, *, above: int) -> None:
        """Until `release`, start no request whose priority number is above `above`; a running one continues."""
        with self._wake:
            self._highest = above

    def release(self) -> None:
        """Let requests start that were held back."""
        with self._wake:
            self._highest = float("inf")
            self._wake.notify_all()

    def waits(self, group: str) -> bool:
        """Whether a request of `group` waits."""
        with self._wake:
            return any(entry.group == group for entry in self._waiting)

    def has(self, key: Hashable) -> bool:
        """Whether a request with this key waits or runs; one whose outcome was handled does neither any more."""
        with self._wake:
            entries = [*self._waiting, *([self._running] if self._running else [])]
        # The thread forgets the running entry only when it takes the next one, which may be later than its outcome.
        return any(entry.key == key and entry.number in self._listeners for entry in entries)

    def _started(self, activity: Activity | None) -> None:
        if self.on_activity:
            self.on_activity(activity)

    def _finished(self, number: int, outcome: _Outcome) -> None:
        super()._finished(number, outcome)
        if self.on_activity and self.is_idle:
            self.on_activity(None)
