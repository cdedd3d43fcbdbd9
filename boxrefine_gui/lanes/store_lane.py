"""StoreLane: the only thread that touches the project file; after each write it reads the changed parts back.

Rejected: panels that read the store themselves; each would have to wait for the lane in its own way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from boxrefine_gui.lanes.lane import QueueLane
from boxrefine_gui.state.project_view import (
    Moved,
    OpenedProject,
    StoreView,
    is_wide,
    read_touched,
    read_whole,
    touched_steps,
)
from core.errors import ProjectGoneError, ProjectReadOnlyError, StorageError
from core.progress import Job, Progress
from core.records import Changes
from core.translation import tr

if TYPE_CHECKING:
    from core.store.project_store import ProjectStore

T = TypeVar("T")

_IN_TURN, _STEPS = 0, 1
"""Priorities of functions and of the further steps of jobs: all other functions come before these."""


@dataclass(frozen=True)
class _Step(Generic[T]):
    """The outcome of one step of a job."""

    progress: Progress | None = None
    value: T | None = None
    is_last: bool = False


class StoreLane:
    """Runs functions of the open project on the store lane, one after the other.

    If a write finds the project file missing, the lane copies the project to a rescue file and repeats the write there;
    `on_moved` is then called on the GUI thread.
    """

    def __init__(self, lane: QueueLane, *, unheard: Callable[[Exception], None]) -> None:
        self.on_moved: Callable[[Moved], None] | None = None
        self._unheard = unheard
        self._moves: deque[Moved] = deque()  # filled on the lane, emptied on the GUI thread
        self._lane = lane
        self._jobs: dict[object, tuple[ProjectStore, Job[Any]]] = {}  # begun, by a key of each; used on the lane only
        self._project: ProjectStore | None = None  # used on the lane only
        self._lane_turn = 0  # number of projects opened so far, on the lane
        self._gui_turn = 0  # the same number as far as the GUI thread knows

    def open(
        self,
        opener: Callable[[], ProjectStore],
        *,
        on_done: Callable[[OpenedProject], None],
        on_error: Callable[[Exception], None] | None = None,
        check: Callable[[OpenedProject], None] = lambda opened: None,
    ) -> None:
        """Open another project, and close the present one once the new one could be read.

        If `check`, on the lane, raises an error, the present one stays open.
        """

        def job() -> tuple[int, OpenedProject]:
            project = opener()
            try:
                if self._project is not None:
                    project.succeed(self._project)  # both may be the same file
                opened = OpenedProject(project.path, read_whole(project))
                check(opened)
            except BaseException:
                project.close()
                raise
            if self._project is not None:
                self._close_jobs()
                self._project.close()
            self._project = project
            self._lane_turn += 1
            return self._lane_turn, opened

        def done(result: tuple[int, OpenedProject]) -> None:
            self._gui_turn, opened = result
            on_done(opened)

        self._lane.run(job, on_done=done, on_error=on_error)

    def write(
        self,
        job: Callable[[ProjectStore], Changes],
        *,
        on_done: Callable[[StoreView], None],
        on_error: Callable[[Exception], None] | None = None,
        goes_on: bool = True,
    ) -> None:
        """Run one operation as `run` does, and read back the changed parts."""
        touched = partial(_write_and_read, job=job)
        read_back = partial(self._read_back, on_done=on_done)
        self.run(touched, on_done=read_back, on_error=on_error, goes_on=goes_on)

    def run(
        self,
        job: Callable[[ProjectStore], T],
        *,
        on_done: Callable[[T], None] | None = None,
        on_error: Callable[[Exception], None] | None = None,
        goes_on: bool = True,
    ) -> None:
        """Run a function of the project that the window shows now; a RuntimeError (a bug) if none is open.

        A write to a read-only project goes on in a copy, unless it comes by itself (`goes_on=False`).
        """
        turn = self._gui_turn

        def done(value: T) -> None:
            self._report_moves()
            if on_done is not None:
                on_done(value)

        def failed(error: Exception) -> None:
            self._report_moves()
            (on_error or self._unheard)(error)

        run_it = partial(self._run_or_rescue, job=job, goes_on=goes_on)
        self._lane.run(lambda: run_it(self._opened(turn)), on_done=done, on_error=failed)

    def run_steps(
        self,
        start: Callable[[ProjectStore], Job[T]],
        *,
        on_done: Callable[[T], None],
        on_error: Callable[[Exception], None] | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> None:
        """Run a job of the project that the window shows now, step by step; other functions run between its steps.

        The first step runs in its turn, as `run` does. If another project is opened meanwhile, the job is closed and
        ends with a StorageError.
        """
        turn, key = self._gui_turn, object()

        def step(project: ProjectStore) -> _Step[T]:
            job = self._jobs.get(key)
            if job is None or job[0] is not project:  # begin, or begin again in a copy of a file that is gone
                job = self._jobs[key] = project, start(project)
            try:
                return _Step(progress=next(job[1]))
            except StopIteration as end:
                del self._jobs[key]
                return _Step(value=end.value, is_last=True)
            except BaseException:
                del self._jobs[key]
                raise

        def done(step_done: _Step[T]) -> None:
            self._report_moves()
            if step_done.is_last:
                on_done(cast(T, step_done.value))
                return
            if on_progress is not None and step_done.progress is not None:
                on_progress(step_done.progress)
            ask()

        def failed(error: Exception) -> None:
            self._report_moves()
            (on_error or self._unheard)(error)

        def ask(priority: int = _STEPS) -> None:
            self._lane.run(
                lambda: self._run_or_rescue(self._opened(turn), step, goes_on=True),
                on_done=done,
                on_error=failed,
                priority=priority,
            )

        ask(_IN_TURN)

    def travel(self, *, undo: bool, on_done: Callable[[StoreView], None]) -> None:
        """Undo the last operation, or redo one, and read back the changed parts, as `write` does.

        A large import is undone in parts, between which other functions run.
        """

        def steps(project: ProjectStore) -> Job[Changes | StoreView]:
            changes = yield from project.travel(undo=undo)
            return _read_soon(project, changes)

        self.run_steps(steps, on_done=partial(self._read_back, on_done=on_done))

    def read_steps(self, start: Callable[[ProjectStore], Job[T]], *, on_done: Callable[[T], None]) -> None:
        """Read as `read` does, step by step; other functions run between the steps."""
        turn = self._gui_turn

        def failed(error: Exception) -> None:
            if turn == self._gui_turn:
                self._unheard(error)

        self.run_steps(start, on_done=on_done, on_error=failed)

    def _read_back(self, found: Changes | StoreView, *, on_done: Callable[[StoreView], None]) -> None:
        """Give the view of a write on; of a write to many images, the counts are read first, in steps.

        They are a job of their own: in a copy of a file that is gone, only the reading begins again.
        """
        if isinstance(found, StoreView):
            on_done(found)
        else:
            self.read_steps(partial(touched_steps, changes=found), on_done=on_done)

    def save_elsewhere(self, path: Path, *, on_error: Callable[[Exception], None]) -> None:
        """Copy the project to a new file and continue there; on a StorageError the project stays where it is."""

        def job(project: ProjectStore) -> None:
            self._move_to(project, path, is_gone=False, is_rescue=False)

        self.run(job, on_error=on_error)

    def rescue(self) -> None:
        """Continue in a copy if the project file is gone."""

        def job(project: ProjectStore) -> None:
            if project.is_gone:
                self._rescue(project)

        self.run(job)

    def read(self, job: Callable[[ProjectStore], T], *, on_done: Callable[[T], None]) -> None:
        """Read from the project that the window shows now; `on_done` is not called if another one was opened."""
        turn = self._gui_turn

        def unless_another() -> T | None:
            return job(self._opened(turn)) if turn == self._lane_turn else None

        def done(result: T | None) -> None:
            if result is not None:
                on_done(result)

        self._lane.run(unless_another, on_done=done)

    def look_at(self, image_id: int, *, on_done: Callable[[StoreView], None]) -> None:
        """Read the boxes of one image."""
        self.read(lambda project: read_touched(project, Changes(image_ids=frozenset({image_id}))), on_done=on_done)

    @property
    def is_idle(self) -> bool:
        """Whether every requested write is stored, and the GUI thread has handled its outcome."""
        return self._lane.is_idle

    def close(self) -> None:
        """Run the waiting functions, then close the file."""
        self._lane.run(self._close_project)
        self._lane.close(drain=True)

    def join(self, timeout_s: float) -> bool:
        """Wait for the lane to end after `close`."""
        return self._lane.join(timeout_s)

    def _opened(self, turn: int) -> ProjectStore:
        if self._project is None:
            raise RuntimeError("no project is open")
        if turn != self._lane_turn:  # ids of one project are invalid in another
            raise StorageError(
                tr("{path} was opened meanwhile: do that again where it belongs.", path=self._project.path)
            )
        return self._project

    def _run_or_rescue(self, project: ProjectStore, job: Callable[[ProjectStore], T], *, goes_on: bool) -> T:
        try:
            value = job(project)
        except ProjectGoneError:  # nothing was written
            return job(self._rescue(project))
        except ProjectReadOnlyError:
            if not goes_on:
                raise
            return job(self._rescue(project))
        if project is self._project and project.is_gone:
            self._rescue(project)  # the file may have gone during the write; the copy has the written value
        return value

    def _rescue(self, project: ProjectStore) -> ProjectStore:
        from core.store.copying import rescue_path

        return self._move_to(project, rescue_path(project.path), is_gone=not project.read_only, is_rescue=True)

    def _move_to(self, project: ProjectStore, path: Path, *, is_gone: bool, is_rescue: bool) -> ProjectStore:
        from core.store.rescued import note_rescue, settle_rescue

        self._close_jobs()
        project.copy_to(path)
        copy = type(project).open(path)
        copy.use_annotator(project.annotator)
        if is_rescue:
            note_rescue(path, project=project.path)
        else:
            settle_rescue(project.path)
        project.close()
        self._project = copy
        self._moves.append(Moved(project.path, path, is_gone, is_read_only=is_rescue and not is_gone))
        return copy

    def _report_moves(self) -> None:
        while self._moves:
            moved = self._moves.popleft()
            if self.on_moved is not None:
                self.on_moved(moved)

    def _close_jobs(self) -> None:
        """Close the jobs that have begun, which undoes what they have stored; in a copy, they begin again."""
        while self._jobs:
            _, (_, job) = self._jobs.popitem()
            job.close()

    def _close_project(self) -> None:
        self._close_jobs()
        if self._project is not None:
            self._project.close()
            self._project = None


def _write_and_read(project: ProjectStore, *, job: Callable[[ProjectStore], Changes]) -> Changes | StoreView:
    return _read_soon(project, job(project))


def _read_soon(project: ProjectStore, changes: Changes) -> Changes | StoreView:
    """The view of a write; of one to many images only its changes, since reading their counts takes a while."""
    return changes if is_wide(changes) else read_touched(project, changes)
