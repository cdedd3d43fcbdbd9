"""The store lane: the one thread that touches the project file, and what it reads back after each write.

Rejected: letting panels read the store themselves; each would wait for the lane in its own way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from boxrefine_gui.background import QueueLane
from core.errors import StorageError
from core.records import Category, Changes, Correction, DrawnBox, ImageRecord

if TYPE_CHECKING:
    from core.store.project_store import ProjectStore

T = TypeVar("T")


MANY_IMAGES = 64
"""A write that touched more images than this is told by their numbers of boxes alone; the boxes are read when seen."""


@dataclass(frozen=True)
class Tallies:
    """Image id -> how many boxes it has, how many of them are still to check, and how many are only drawn."""

    boxes: Mapping[int, int]
    to_check: Mapping[int, int]
    drawn: Mapping[int, int]


@dataclass(frozen=True)
class StoreView:
    """What a write touched and how the touched things look now; None: not touched, so not read again.

    `corrections` and `drawn`, the boxes that nobody has accepted, hold an entry for each touched image; where those are
    very many, `tallies` stands for them.
    """

    changes: Changes
    images: tuple[ImageRecord, ...] | None = None
    categories: tuple[Category, ...] | None = None
    corrections: Mapping[int, tuple[Correction, ...]] = field(default_factory=dict)
    drawn: Mapping[int, tuple[DrawnBox, ...]] = field(default_factory=dict)
    tallies: Tallies | None = None
    undo_titles: tuple[str | None, str | None] = (None, None)


@dataclass(frozen=True)
class OpenedProject:
    """A project as it was just opened."""

    path: Path
    view: StoreView


class StoreLane:
    """Runs functions of the open project, one after the other, each on the store lane."""

    def __init__(self, lane: QueueLane) -> None:
        self._lane = lane
        self._project: ProjectStore | None = None  # touched on the lane alone
        self._lane_turn = 0  # counts opened projects: on the lane
        self._gui_turn = 0  # the same as the GUI thread knows it

    def open(
        self,
        opener: Callable[[], ProjectStore],
        *,
        on_done: Callable[[OpenedProject], None],
        on_error: Callable[[Exception], None] | None = None,
    ) -> None:
        """Put another project in the place of the open one, once it is known to be readable."""

        def job() -> tuple[int, OpenedProject]:
            project = opener()
            try:
                opened = OpenedProject(project.path, read_whole(project))
            except BaseException:
                project.close()
                raise
            if self._project is not None:
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
    ) -> None:
        """Run one operation and read back what it touched."""
        self.run(lambda project: read_touched(project, job(project)), on_done=on_done, on_error=on_error)

    def run(
        self,
        job: Callable[[ProjectStore], T],
        *,
        on_done: Callable[[T], None] | None = None,
        on_error: Callable[[Exception], None] | None = None,
    ) -> None:
        """Run a function of the project that the window shows now; without one it is our bug, heard of as an error."""
        turn = self._gui_turn
        self._lane.run(lambda: job(self._opened(turn)), on_done=on_done, on_error=on_error)

    def read(self, job: Callable[[ProjectStore], T], *, on_done: Callable[[T], None]) -> None:
        """Read something of the project that the window shows now; nobody hears of it where another one was opened."""
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
        """Every write asked for so far is stored, and the GUI thread has heard of it."""
        return self._lane.is_idle

    def close(self) -> None:
        """Finish what waits, then close the file."""
        self._lane.run(self._close_project)
        self._lane.close(drain=True)

    def join(self, timeout_s: float) -> bool:
        """Wait for the lane to end after `close`."""
        return self._lane.join(timeout_s)

    def _opened(self, turn: int) -> ProjectStore:
        if self._project is None:
            raise RuntimeError("no project is open")
        if turn != self._lane_turn:  # ids of one project mean something else in the next
            raise StorageError(f"{self._project.path} was opened meanwhile: do that again where it belongs.")
        return self._project

    def _close_project(self) -> None:
        if self._project is not None:
            self._project.close()
            self._project = None


def read_whole(project: ProjectStore) -> StoreView:
    """Store lane: all that the window needs of a project that was just opened, but for the corrections."""
    changes = Changes(images=True, categories=True)
    return StoreView(
        changes,
        tuple(project.images()),
        tuple(project.categories()),
        undo_titles=project.undo_titles(),
        tallies=_tallies(project),
    )


def read_touched(project: ProjectStore, changes: Changes) -> StoreView:
    """Store lane: what `changes` touched, read again."""
    is_wide = len(changes.image_ids) > MANY_IMAGES
    read = () if is_wide else changes.image_ids
    return StoreView(
        changes,
        tuple(project.images()) if changes.images else None,
        tuple(project.categories()) if changes.categories else None,
        {image_id: tuple(project.corrections(image_id)) for image_id in read},
        {image_id: tuple(project.drawn_boxes(image_id)) for image_id in read},
        _tallies(project) if is_wide else None,
        project.undo_titles(),
    )


def _tallies(project: ProjectStore) -> Tallies:
    return Tallies(project.counts(), project.to_check(), project.drawn_counts())
