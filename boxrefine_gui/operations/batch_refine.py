"""Refine all boxes of an image or a folder in the background; the results are proposals, and no box is changed.

The encode lane processes one picture at a time, after the open image and its neighbors, so that the user never waits.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from boxrefine_gui.inference.refine_image import RefineImageRequest
from boxrefine_gui.operations.box_verbs import NO_MODEL_YET, JobWatcher, Parts
from boxrefine_gui.operations.clauses import clause_of, list_of, sentence_of
from boxrefine_gui.operations.job import LongJob, Outcome
from boxrefine_gui.state.doing import Activity, ActivityKind
from boxrefine_gui.state.level import Level
from boxrefine_gui.state.project_view import StoreView
from boxrefine_gui.state.session import Session
from core.errors import GpuError, KnownError
from core.inference.guess_drawing import Moves
from core.progress import Progress, duration
from core.records import Correction, ImageRecord
from core.translation import tr, tr_plural

if TYPE_CHECKING:
    pass

_GROUP = "refine_all"
_AT_ONCE, _BEHIND_THE_NEIGHBORS = 1, 50
_TIMED = 2
"""Number of finished images from which on the remaining time is shown."""

UNDER_WAY = tr("Boxes are being refined already: wait for that, or cancel it below the list of images.")
NOTHING_LEFT_HERE = tr("No box of this image is left to refine.")
NOTHING_LEFT_IN_FOLDER = tr("No box of this folder is left to refine.")


@dataclass
class _Run:
    """Progress of one run: the images left, and the results so far."""

    job: LongJob
    undoable: bool
    only: frozenset[int] | None = None
    left: deque[int] = field(default_factory=deque)
    total: int = 0
    proposed: int = 0
    on_images: int = 0
    errors: list[str] = field(default_factory=list)
    moves: Moves = field(default_factory=Moves)
    started: float = field(default_factory=time.monotonic)

    @property
    def counts(self) -> dict[str, float]:
        """Figures for the log."""
        return {"boxes": self.proposed, "images": self.on_images, "of": self.total, "left_out": len(self.errors)}

    @property
    def time_left(self) -> str:
        """The remaining time in words; empty while too few images are done to estimate it."""
        done = self.total - len(self.left) - 1
        seconds = (time.monotonic() - self.started) / done * (len(self.left) + 1) if done >= _TIMED else 0.0
        return duration(seconds) if seconds >= 1 else ""


class RefineAll:
    """Refines in one run at a time. Proposals of a cancelled run stay, and the next run continues with the rest.

    Proposals for the open image are an undo step. Those for the folder are not, because undo and redo are for what the
    user does by hand; the user can discard these proposals instead.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._run: _Run | None = None
        parts.session.project_changed.connect(self.stop)

    def image(self, *, watch: Callable[[], JobWatcher], only: frozenset[int] | None = None) -> None:
        """Refine the boxes of the open image that were neither refined nor changed by the user; those with ids `only`.

        None: all of them.
        """
        image = self._parts.session.image
        if image is not None and self._may_start():
            run = self._begin(watch, undoable=True)
            run.only = only
            self._start_with(run, [image.id])

    def folder(self, *, watch: Callable[[], JobWatcher]) -> None:
        """Refine such boxes of all images, the open one first."""
        if self._may_start():
            run = self._begin(watch, undoable=False)
            self._parts.store.run(
                lambda project: project.never_refined_images(),
                on_done=partial(self._start_with, run),
                on_error=partial(self._abort, run),
            )

    def cancel(self) -> None:
        """End the run early, and report the proposals so far."""
        if self._run is not None:
            self._end(self._run, tr("Refining was cancelled"))

    def stop(self) -> None:
        """End the run without a report."""
        if self._run is not None:
            self._run.job.end()

    def _may_start(self) -> bool:
        session = self._parts.session
        if self._run is None and session.models is not None:
            return True
        session.tell(UNDER_WAY if self._run is not None else NO_MODEL_YET)
        return False

    def _begin(self, watch: Callable[[], JobWatcher], *, undoable: bool) -> _Run:
        job = LongJob(
            self._parts.session,
            title=tr("Refining"),
            log_as="refining all",  # untranslated: a name in the log
            watch=watch,
            on_end=self._clean_up,
            on_cancel=self.cancel,
        )
        self._run = run = _Run(job, undoable)
        job.begin()
        return run

    def _clean_up(self) -> None:
        self._parts.encode.drop(_GROUP)
        self._run = None

    def _start_with(self, run: _Run, image_ids: Sequence[int]) -> None:
        if run is self._run:
            run.left, run.total = deque(from_here_on(self._parts.session, image_ids)), len(image_ids)
            self._next(run)

    def _next(self, run: _Run) -> None:
        session = self._parts.session
        if run is not self._run:
            return
        if session.models is None:
            self._end(run, tr("Refining stopped because the model was unloaded"))
            return
        record = None
        while run.left and record is None:
            row = session.row_of(run.left.popleft())
            record = session.images[row] if row is not None else None
        if record is None:
            self._end(run, "")
            return
        run.job.progressed(Progress(run.total - len(run.left) - 1, run.total, _message(record.path.name, run)))
        self._parts.store.run(
            lambda project: project.never_refined(record.id),
            on_done=partial(self._ask, run, record),
            on_error=partial(self._abort, run),
        )

    def _ask(self, run: _Run, record: ImageRecord, asked: list[Correction]) -> None:
        session = self._parts.session
        asked = [entry for entry in asked if run.only is None or entry.id in run.only]
        if run is not self._run or session.models is None or not asked:
            self._next(run)
            return
        names = {category.id: category.name for category in session.categories}
        self._parts.encode.run(
            RefineImageRequest(session.models, record, asked, names, session.margins, run.moves),
            on_done=partial(self._propose, run),
            on_error=partial(self._skip, run),
            priority=_AT_ONCE if run.undoable else _BEHIND_THE_NEIGHBORS,
            group=_GROUP,
            activity=Activity(ActivityKind.REFINING, record.path.name),
        )

    def _propose(self, run: _Run, answers: list[Correction]) -> None:
        if run is self._run:
            self._parts.store.write(
                lambda project: project.propose(answers, undoable=run.undoable),
                on_done=partial(self._count_stored, run, len(answers)),
                on_error=partial(self._abort, run),
            )

    def _count_stored(self, run: _Run, count: int, view: StoreView) -> None:
        self._parts.session.apply(view)
        run.proposed += count
        run.on_images += 1
        self._next(run)

    def _skip(self, run: _Run, error: Exception) -> None:
        """Continue after a picture that cannot be used; the report at the end names it."""
        if isinstance(error, KnownError) and not isinstance(error, GpuError):
            run.errors.append(str(error))
            self._next(run)
        else:
            self._abort(run, error)

    def _abort(self, run: _Run, error: Exception) -> None:
        if run is self._run:  # else it was cancelled, or belongs to a project that is no longer open
            run.job.fail(error)

    def _end(self, run: _Run, why: str) -> None:
        session = self._parts.session
        sentence = words_on(run, why, how_to_check=_how_to_check(session.keys))
        run.job.end(Outcome(sentence, Level.WARNING if run.errors else Level.INFO, run.counts))
        if run.undoable and session.draft is None and session.selected_id is None:
            first = next((entry for entry in session.corrections if entry.proposal is not None), None)
            session.select(first.id if first is not None else None)


def from_here_on(session: Session, image_ids: Sequence[int]) -> list[int]:
    """Sort image ids in the order of the list, the open image and those after it first."""
    rows = sorted((row, image_id) for image_id in image_ids if (row := session.row_of(image_id)) is not None)
    here = session.row or 0
    return [image_id for _, image_id in sorted(rows, key=lambda entry: entry[0] < here)]


def words_on(run: _Run, why: str, *, how_to_check: str) -> str:
    """Describe the proposals of a run; `why` is a clause on why it ended early, `how_to_check` one on keys."""
    if run.proposed:
        clauses = [why, _proposals(run), how_to_check]
    elif run.errors or why:
        clauses = [why or tr("No box was refined")]
    else:
        return NOTHING_LEFT_HERE if run.undoable else NOTHING_LEFT_IN_FOLDER
    if run.errors:
        count, first = len(run.errors), clause_of(run.errors[0])
        all_of_them = tr_plural(
            "{count} image cannot be refined: {first}",
            "{count} images cannot be refined, the first: {first}",
            count,
            first=first,
        )
        clauses.append(first if count == 1 else all_of_them)
    return sentence_of(clauses)


def _proposals(run: _Run) -> str:
    if run.undoable:
        return tr_plural(
            "{count} refinement is proposed, and no box is changed yet",
            "{count} refinements are proposed, and no box is changed yet",
            run.proposed,
        )
    return tr(
        "{proposed} on {images}, and no box is changed yet",
        proposed=tr_plural("{count} refinement is proposed", "{count} refinements are proposed", run.proposed),
        images=tr_plural("{count} image", "{count} images", run.on_images),
    )


def _how_to_check(keys: Mapping[str, str]) -> str:
    """Return a clause on the keys for the review; empty if none of these actions has a key."""
    clauses = []
    if key := keys.get("next_to_check"):
        clauses.append(tr("{key} goes to the next one", key=key))
    if key := keys.get("accept"):
        clauses.append(tr("{key} takes it", key=key))
    if key := keys.get("accept_all"):
        clauses.append(tr("{key} takes all of an image", key=key))
    return list_of(clauses)


def _message(picture: str, run: _Run) -> str:
    left = run.time_left
    if not left:
        return tr("Refining {picture}", picture=picture)
    return tr("Refining {picture}, {time} left", picture=picture, time=left)
