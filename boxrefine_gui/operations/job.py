"""LongJob: the life of a long job in the window, from its row in the list of jobs to the notice at its end."""

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
    """Result of a job: a sentence for the user with its level, and `counts` for the log."""

    sentence: str
    level: Level = Level.INFO
    counts: Mapping[str, float] = field(default_factory=dict)


class LongJob:
    """A running job, used on the GUI thread: shows progress, can be cancelled, and reports its end exactly once.

    A job on a single lane uses `run`. A job of several parts calls `begin`, `progressed`, and finally `end`, `fail` or
    `give_up`.
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
        """Prepare a job; it starts with `run` or `begin`.

        `title` is shown to the user, `log_as` (default: the title) names the job in the log. `watch` creates the view
        of the job when it begins. `cancelled` is reported when the job is given up. `on_end` cleans up before the
        outcome is reported. `on_cancel` stops a job of several parts; without it, the job's ticket on the lane is
        cancelled. `tell` shows the outcome in a second place.
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
        """Whether the job is not cancelled and its project is still open: its ids are invalid in another project."""
        return not self._is_cancelled and self._session.project_path == self._project

    def run(self, lane: QueueLane, start: Callable[[], Job[T]], *, on_done: Callable[[T], Outcome | None]) -> None:
        """Run a job step by step on a lane; `on_done` returns the outcome, or None if the job has more parts."""
        self._ticket = lane.run_steps(
            start,
            on_done=partial(self._end_with, on_done),
            on_error=self.fail,
            on_progress=self.progressed,
            on_cancel=self.give_up,
        )
        self.begin()

    def begin(self) -> None:
        """Show the job, and start its log entry."""
        self._log = JobLog(self._log_as)
        self._watcher = self._watch()
        self._watcher.started(self._title, self)

    def progressed(self, progress: Progress) -> None:
        """Show progress."""
        if self._watcher is not None and not self._is_over:
            self._watcher.progressed(progress)

    def cancel(self) -> None:
        """Cancel the job for the user; it ends as soon as its lane notices."""
        self._is_cancelled = True
        if self._on_cancel is not None:
            self._on_cancel()
        elif self._ticket is not None:
            self._ticket.cancel()

    def give_up(self) -> None:
        """End the job because it was cancelled, or another project was opened."""
        if self._log is not None and not self._is_over:
            self._log.cancelled()
        self.end(self._cancelled)

    def fail(self, error: Exception) -> None:
        """End the job with an error."""
        if self._finish():
            if self._log is not None:
                self._log.failed(error)
            self._session.report(error)

    def end(self, outcome: Outcome | None = None) -> None:
        """End the job; without an outcome, the user gets no notice."""
        if not self._finish():
            return
        if self._log is not None:
            self._log.done(**(outcome.counts if outcome is not None else {}))  # no effect after JobLog.cancelled
        if outcome is None:
            return
        if self._tell is not None:
            self._tell(outcome)
        self._session.tell(outcome.sentence, outcome.level)

    def _end_with(self, on_done: Callable[[T], Outcome | None], value: T) -> None:
        outcome = on_done(value)
        if outcome is not None:
            self.end(outcome)

    def _finish(self) -> bool:
        """Mark the job as over and clean up; return False if it was over already."""
        if self._is_over:
            return False
        self._is_over = True
        if self._watcher is not None:
            self._watcher.ended()
        if self._on_end is not None:
            self._on_end()
        return True
