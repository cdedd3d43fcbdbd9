"""Refining all boxes of an image or a folder in the background: what comes of it is proposed, and no box is changed.

The pictures go through the encode lane one by one, behind the open image and its neighbours, so that nobody waits.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from boxrefine_gui.operations.box_verbs import NO_MODEL_YET, JobWatcher, Parts
from boxrefine_gui.operations.job import LongJob, Outcome
from boxrefine_gui.state.doing import Activity, ActivityKind
from boxrefine_gui.state.level import Level
from boxrefine_gui.state.loaded_models import Models
from boxrefine_gui.state.project_view import StoreView
from boxrefine_gui.state.session import Session
from core.errors import BadFileError, GpuError, KnownError
from core.progress import Progress, duration
from core.records import Correction, ImageRecord

_GROUP = "refine all"
_AT_ONCE, _BEHIND_THE_NEIGHBOURS = 1, 50
_TIMED = 2
"""Images that must be done before it is said how long the others will take."""

UNDER_WAY = "Boxes are being refined already: wait for that, or cancel it below the list of images."
NOTHING_LEFT = "No box {where} is left to refine."
_HOW_TO_CHECK = (
    ("next_to_check", "goes to the next one"), ("accept", "takes it"), ("accept_all", "takes all of an image"),
)  # fmt: skip


@dataclass(frozen=True)
class RefineImageRequest:
    """A question about boxes of one image; calling it, on the encode lane, gives them with their refinements."""

    models: Models
    image: ImageRecord
    asked: Sequence[Correction]
    categories: Mapping[int, str]

    def __call__(self) -> list[Correction]:
        from core.inference.refine_many import refine_many
        from core.progress import run

        models, path = self.models, self.image.path
        picture = models.source.opened(path, keep_crops=False)
        features = picture.of()
        now, then = (features.frame.image_width, features.frame.image_height), (self.image.width, self.image.height)
        if now != then:
            raise BadFileError(
                f"The picture {path} is {now[0]} x {now[1]} pixels and was {then[0]} x {then[1]} when its boxes were "
                "drawn: put the old one back."
            )
        job = refine_many(
            [correction.drawn for correction in self.asked],
            [self.categories.get(correction.category_id) for correction in self.asked],
            picture=picture,
            features=features,
            refiner=models.refiner,
            second_look=models.looks_twice,
            closer=False,  # they take so long that an image that is jumped to would have to wait
        )
        answers, _ = run(job)
        return [
            correction.with_answer(answer, encoder=models.encoder_identity, refiner=models.refiner_identity)
            for correction, answer in zip(self.asked, answers, strict=True)
        ]


@dataclass
class _Run:
    """What is still to do, and what has been done."""

    job: LongJob
    undoable: bool
    left: deque[int] = field(default_factory=deque)
    total: int = 0
    proposed: int = 0
    on_images: int = 0
    faults: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    @property
    def counts(self) -> dict[str, float]:
        """For the log."""
        return {"boxes": self.proposed, "images": self.on_images, "of": self.total, "left_out": len(self.faults)}

    @property
    def time_left(self) -> str:
        """In words; empty while nobody knows."""
        done = self.total - len(self.left) - 1
        seconds = (time.monotonic() - self.started) / done * (len(self.left) + 1) if done >= _TIMED else 0.0
        return duration(seconds) if seconds >= 1 else ""


class RefineAll:
    """One run at a time. What a run has proposed stays when it is cancelled, and the next one goes on from there.

    What is proposed for the open image is an undo step. What comes from the background is none, because undo and redo
    belong to the hand; the way back is to discard the proposals.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._run: _Run | None = None
        parts.session.project_changed.connect(self.stop)

    def image(self, *, watch: Callable[[], JobWatcher]) -> None:
        """Refine those boxes of the open image that were neither refined nor changed by hand."""
        image = self._parts.session.image
        if image is not None and self._may_start():
            self._listed(self._begin(watch, undoable=True), [image.id])

    def folder(self, *, watch: Callable[[], JobWatcher]) -> None:
        """The same for all images, the open one first."""
        if self._may_start():
            run = self._begin(watch, undoable=False)
            self._parts.store.run(
                lambda project: project.never_refined_images(),
                on_done=partial(self._listed, run),
                on_error=partial(self._broke, run),
            )

    def cancel(self) -> None:
        """End the run before its time, and say what there is."""
        if self._run is not None:
            self._end(self._run, "Refining was cancelled")

    def stop(self) -> None:
        """End the run and say nothing."""
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
            title="Refining",
            log_as="refining all",
            watch=watch,
            on_end=self._ended,
            on_cancel=self.cancel,
        )
        self._run = run = _Run(job, undoable)
        job.begin()
        return run

    def _ended(self) -> None:
        self._parts.encode.drop(_GROUP)
        self._run = None

    def _listed(self, run: _Run, image_ids: Sequence[int]) -> None:
        if run is self._run:
            run.left, run.total = deque(from_here_on(self._parts.session, image_ids)), len(image_ids)
            self._next(run)

    def _next(self, run: _Run) -> None:
        session = self._parts.session
        if run is not self._run:
            return
        if session.models is None:
            self._end(run, "Refining stopped because the model went")
            return
        record = None
        while run.left and record is None:
            row = session.row_of(run.left.popleft())
            record = session.images[row] if row is not None else None
        if record is None:
            self._end(run, "")
            return
        left = run.time_left
        words = f"Refining {record.path.name}" + (f", {left} left" if left else "")
        run.job.progressed(Progress(run.total - len(run.left) - 1, run.total, words))
        self._parts.store.run(
            lambda project: project.never_refined(record.id),
            on_done=partial(self._ask, run, record),
            on_error=partial(self._broke, run),
        )

    def _ask(self, run: _Run, record: ImageRecord, asked: list[Correction]) -> None:
        session = self._parts.session
        if run is not self._run or session.models is None or not asked:
            self._next(run)
            return
        names = {category.id: category.name for category in session.categories}
        self._parts.encode.run(
            RefineImageRequest(session.models, record, asked, names),
            on_done=partial(self._answered, run),
            on_error=partial(self._failed, run),
            priority=_AT_ONCE if run.undoable else _BEHIND_THE_NEIGHBOURS,
            group=_GROUP,
            activity=Activity(ActivityKind.REFINING, record.path.name),
        )

    def _answered(self, run: _Run, answers: list[Correction]) -> None:
        if run is self._run:
            self._parts.store.write(
                lambda project: project.propose(answers, undoable=run.undoable),
                on_done=partial(self._stored, run, len(answers)),
                on_error=partial(self._broke, run),
            )

    def _stored(self, run: _Run, count: int, view: StoreView) -> None:
        self._parts.session.apply(view)
        run.proposed += count
        run.on_images += 1
        self._next(run)

    def _failed(self, run: _Run, error: Exception) -> None:
        """A picture that cannot be used is told of at the end; the others go on."""
        if isinstance(error, KnownError) and not isinstance(error, GpuError):
            run.faults.append(str(error))
            self._next(run)
        else:
            self._broke(run, error)

    def _broke(self, run: _Run, error: Exception) -> None:
        if run is self._run:  # else it was cancelled, or belongs to a project that is no longer open
            run.job.fail(error)

    def _end(self, run: _Run, why: str) -> None:
        session = self._parts.session
        keys = [f"{session.keys[id]} {does}" for id, does in _HOW_TO_CHECK if session.keys.get(id)]
        sentence = words_on(run, why, how_to_check=", ".join(keys))
        run.job.end(Outcome(sentence, Level.WARNING if run.faults else Level.INFO, run.counts))
        if run.undoable and session.draft is None and session.selected_id is None:
            first = next((entry for entry in session.corrections if entry.proposal is not None), None)
            session.select(first.id if first is not None else None)


def from_here_on(session: Session, image_ids: Sequence[int]) -> list[int]:
    """Image ids in the order of the list, the open image and those after it first."""
    rows = sorted((row, image_id) for image_id in image_ids if (row := session.row_of(image_id)) is not None)
    here = session.row or 0
    return [image_id for _, image_id in sorted(rows, key=lambda entry: entry[0] < here)]


def words_on(run: _Run, why: str, *, how_to_check: str) -> str:
    """One sentence on what is proposed now."""
    what = "1 refinement is proposed" if run.proposed == 1 else f"{run.proposed} refinements are proposed"
    where = "" if run.undoable else f" on {run.on_images} {'image' if run.on_images == 1 else 'images'}"
    if run.proposed:
        parts = [why, f"{what}{where}, and no box is changed yet", how_to_check]
    elif run.faults or why:
        parts = [why or "No box was refined"]
    else:
        return NOTHING_LEFT.format(where="of this image" if run.undoable else "of this folder")
    if run.faults:
        first = run.faults[0].rstrip(".")
        parts.append(
            first if len(run.faults) == 1 else f"{len(run.faults)} images cannot be refined, the first: {first}"
        )
    return "; ".join(filter(None, parts)) + "."
