"""LongJob: what every long job of the window has, from its row in the list of jobs to the sentence on its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from boxrefine_gui.lanes.lane import QueueLane
from boxrefine_gui.operations.parts import Cancellable, JobWatcher
from boxrefine_gui.state.level import Level
from boxrefine_gui.state.session import Session
from core.log import JobLog
from core.progress import Job, Progress

T = TypeVar("T")


@dataclass(frozen=True)
class Outcome:
    """What came of a job, in one sentence, and how much it matters; `counts` are for the log."""

    sentence: str
    level: Level = Level.INFO
    counts: Mapping[str, float] = field(default_factory=dict)


class LongJob:
    """One job under way, on the GUI thread: shown while it runs, cancelled by `cancel`, told of once when it ends.

    A job that needs one lane alone is given to `run`. One of several parts calls `begin`, `progressed`, and in the end
    `end`, `fail` or `give_up`.
    """

    def __init__(
        self,
        session: Session,
        *,
        title: str,
        log_as: str = "",
        watch: Callable[[], JobWatcher],
        cancelled: Outcome | None = None,
        on_end: Callable[[], None] | None = None,
        on_cancel: Callable[[], None] | None = None,
        tell: Callable[[Outcome], None] | None = None,
    ) -> None:
        """`watch` makes who shows it, once it begins; `cancelled` says what is left of it when it is given up.

        `log_as` is its name in the log, `title` where it is empty.

        `on_end` cleans up before the outcome is told. `on_cancel` stops a job of several parts; without it, cancelling
        reaches the step on the lane. `tell` is for who shows outcomes in another place as well.
        """
        self._session = session
        self._title, self._log_as = title, log_as or title
        self._watch = watch
        self._watcher: JobWatcher | None = None
        self._cancelled = cancelled
        self._on_end, self._on_cancel, self._tell = on_end, on_cancel, tell
        self._ticket: Cancellable | None = None
        self._project = session.project_path
        self._log: JobLog | None = None
        self._is_cancelled = self._is_over = False

    @property
    def is_wanted(self) -> bool:
        """Not cancelled, and the project is open in which it began: its ids mean something else in another one."""
        return not self._is_cancelled and self._session.project_path == self._project

    def run(self, lane: QueueLane, start: Callable[[], Job[T]], *, on_done: Callable[[T], Outcome | None]) -> None:
        """Run a job step by step on a lane; `on_done` says how it ended, or None where more is to do."""
        self._ticket = lane.run_steps(
            start,
            on_done=partial(self._done, on_done),
            on_error=self.fail,
            on_progress=self.progressed,
            on_cancel=self.give_up,
        )
        self.begin()

    def begin(self) -> None:
        """Show it."""
        self._log = JobLog(self._log_as)
        self._watcher = self._watch()
        self._watcher.started(self._title, self)

    def progressed(self, progress: Progress) -> None:
        """Show how far it is."""
        if self._watcher is not None and not self._is_over:
            self._watcher.progressed(progress)

    def cancel(self) -> None:
        """The user wants it no more; it ends when its lane hears of that."""
        self._is_cancelled = True
        if self._on_cancel is not None:
            self._on_cancel()
        elif self._ticket is not None:
            self._ticket.cancel()

    def give_up(self) -> None:
        """It ends because it was cancelled, or its project is open no more."""
        if self._log is not None and not self._is_over:
            self._log.cancelled()
        self.end(self._cancelled)

    def fail(self, error: Exception) -> None:
        """It ends with an error."""
        if self._finish():
            if self._log is not None:
                self._log.failed(error)
            self._session.report(error)

    def end(self, outcome: Outcome | None = None) -> None:
        """It is done; without an outcome, nobody is told of it."""
        if not self._finish():
            return
        if self._log is not None:
            self._log.done(**(outcome.counts if outcome is not None else {}))  # nothing, where it was given up before
        if outcome is None:
            return
        if self._tell is not None:
            self._tell(outcome)
        self._session.tell(outcome.sentence, outcome.level)

    def _done(self, on_done: Callable[[T], Outcome | None], value: T) -> None:
        outcome = on_done(value)
        if outcome is not None:
            self.end(outcome)

    def _finish(self) -> bool:
        """Whether it was still under way."""
        if self._is_over:
            return False
        self._is_over = True
        if self._watcher is not None:
            self._watcher.ended()
        if self._on_end is not None:
            self._on_end()
        return True
