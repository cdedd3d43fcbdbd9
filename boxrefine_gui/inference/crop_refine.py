"""Second look: when the hand rests, the drawn box is refined again on the features of a crop that shows it larger."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from boxrefine_gui.lanes.lane import QueueLane
from boxrefine_gui.lanes.store_lane import StoreLane
from boxrefine_gui.lanes.timers import timer
from boxrefine_gui.state.doing import Activity, ActivityKind
from boxrefine_gui.state.draft import Draft
from boxrefine_gui.state.loaded_models import Models, OpenedPicture
from boxrefine_gui.state.session import Session
from core.geometry import Box
from core.inference.crop_refine import Look, look_at, settled
from core.records import Correction, ImageRecord, Refinement

if TYPE_CHECKING:
    from core.refiner.protocol import Refiner

SEEN_PX = 1.0
"""Edges that a later answer puts elsewhere by no more than this, in image pixels, are those that were seen."""

EYE_MS = 250
"""For so long after it has changed, a box is accepted by a hand that has not seen the change."""

_REST_MS = 200
"""A hand that has not moved for so long rests. Encoding a crop takes the processor from the live answers."""

_AFTER_THE_OPEN_IMAGE = 1


@dataclass(frozen=True)
class SecondLookRequest:
    """A question about one drawn box; calling it, on the encode lane, gives the second answer."""

    picture: OpenedPicture
    look: Look
    refiner: Refiner
    drawn: Box

    def __call__(self) -> Refinement:
        from core.inference.look_again import features_for

        return self.refiner.refine(features_for(self.look, self.picture), [self.drawn])[0]


def differs(answer: Box, seen: Box) -> bool:
    """Whether an answer is another box than the one that was seen."""
    return max(abs(a - b) for a, b in zip(answer, seen, strict=True)) > SEEN_PX


@dataclass(frozen=True)
class _Pending:
    """A look at one draft that is asked for, and the answer that it is to better."""

    draft: Draft
    first: Refinement
    look: Look

    @property
    def group(self) -> str:
        return f"second look at {self.draft.number}"


class SecondLook:
    """Looks again once the answer to a resting drawn box is there; any change of the box makes the look an old one.

    A box that is accepted meanwhile is stored as it was seen, and what comes later is proposed beside it.
    """

    def __init__(self, *, session: Session, lane: QueueLane, store: StoreLane) -> None:
        self._session = session
        self._lane = lane
        self._store = store
        self._pending: _Pending | None = None  # of the drawn box in hand
        self._changed: _Pending | None = None  # its answer has only just taken the place of the first one
        self._is_coming = False  # the hand rests not long enough yet
        self._late: dict[int, _Pending] = {}  # by draft number: accepted before their look ended
        self._stored: dict[int, Correction] = {}  # by draft number: what was stored of them
        self._answers: dict[int, Refinement] = {}  # by draft number: later answers, until the box is stored
        self._looked: Refinement | None = None  # the answer that needs no other look
        self._reported = ""
        self._picture: OpenedPicture | None = None
        self._rest = timer(_REST_MS, self._look)
        self._eye = timer(EYE_MS, self._seen)
        session.drawn_changed.connect(self._start_afresh)
        session.features_changed.connect(self._start_afresh)
        session.category_changed.connect(self._start_afresh)  # a taught refiner minds it, so the first answer is new
        session.models_changed.connect(self._forget_picture)
        session.image_changed.connect(self._forget_picture)
        session.project_changed.connect(self._forget_late)
        session.refinement_changed.connect(self._answered)
        session.accepting.connect(self._accepting)
        session.accepted.connect(self._accepted)

    def stop(self) -> None:
        """Look at nothing any more."""
        self._start_afresh()
        self._forget_picture()
        self._forget_late()

    def _forget_picture(self) -> None:
        self._start_afresh()
        self._picture = None

    def _forget_late(self) -> None:
        for pending in self._late.values():
            self._lane.drop(pending.group)
        self._late, self._stored, self._answers = {}, {}, {}
        self._tell()

    def _start_afresh(self) -> None:
        if self._pending is not None:
            self._lane.drop(self._pending.group)
        self._pending, self._changed, self._is_coming, self._looked = None, None, False, None
        self._rest.stop()
        self._eye.stop()
        self._tell()

    def _tell(self) -> None:
        """Say which boxes may still get another answer."""
        draft = self._session.draft
        in_hand = {draft.number} if draft is not None and self._is_open else set()
        stored = {self._stored[number].id for number in self._late if number in self._stored}
        self._session.set_looking(frozenset(in_hand), frozenset(stored))

    @property
    def _is_open(self) -> bool:
        """Whether the drawn box in hand may still be stored otherwise than its last answer has it."""
        return self._is_coming or self._pending is not None or self._changed is not None

    def _answered(self) -> None:
        first = self._first_answer()
        if first is None and self._is_open:
            self._start_afresh()  # the user has changed it by hand
        elif first is not None and first is not self._looked and self._pending is None and self._wanted() is not None:
            self._is_coming = True
            self._rest.start()
            self._tell()

    def _first_answer(self) -> Refinement | None:
        """The answer in view, where it is the model's own answer to this very drawn box."""
        draft = self._session.draft
        if draft is None or draft.plain or draft.nudged is not None or not draft.is_current:
            return None
        return draft.refinement

    def _wanted(self) -> Look | None:
        """The look that the drawn box in hand is worth."""
        session = self._session
        models, features, draft = session.models, session.features, session.draft
        if models is None or not models.looks_twice or features is None or draft is None:
            return None
        return look_at(draft.drawn, features.frame)

    def _look(self) -> None:
        session = self._session
        models, image, draft = session.models, session.image, session.draft
        first, look = self._first_answer(), self._wanted()
        refiner = session.refiner_for(draft) if draft is not None else None
        self._is_coming = False
        if models is None or image is None or draft is None or first is None or look is None or refiner is None:
            self._tell()
            return
        self._looked = first
        self._pending = pending = _Pending(draft, first, look)
        self._lane.run(
            SecondLookRequest(self._opened(models, image), look, refiner, draft.drawn),
            on_done=partial(self._deliver, pending),
            on_error=partial(self._failed, pending),
            priority=_AFTER_THE_OPEN_IMAGE,
            group=pending.group,
            activity=Activity(ActivityKind.LOOKING_CLOSER, image.path.name),
        )
        self._tell()

    def _opened(self, models: Models, image: ImageRecord) -> OpenedPicture:
        """The open image, decoded once for all its second looks."""
        if self._picture is None:
            self._picture = models.source.opened(image.path)
        return self._picture

    def _deliver(self, pending: _Pending, second: Refinement) -> None:
        self._reported = ""
        answer = settled(pending.first, second, pending.look)
        if pending is self._pending:
            self._pending, self._looked = None, answer
            if answer is not pending.first and self._first_answer() is pending.first:
                if differs(answer.box, pending.first.box):
                    self._changed = pending
                    self._eye.start()
                self._session.set_refinement(answer, is_current=True)
            self._tell()
        elif pending.draft.number in self._late:
            self._answers[pending.draft.number] = answer
            self._propose(pending.draft.number)

    def _seen(self) -> None:
        """The answer has been in view for long enough."""
        self._changed = None
        self._tell()

    def _failed(self, pending: _Pending, error: Exception) -> None:
        """The first answer stays; a fault that comes again is reported once, until it works again."""
        if pending is self._pending:
            self._pending = None
        self._settle(pending.draft.number)
        if repr(error) != self._reported:
            self._reported = repr(error)
            self._session.report(error)

    # Boxes that were accepted before their look had ended

    def _accepting(self, draft: Draft) -> None:
        """The look that is under way goes on; one that the hand did not rest for is left out.

        Where the answer has only just changed, what the eye has seen is stored, and the new one is proposed.
        """
        if self._pending is not None and self._pending.draft.number == draft.number and draft.again is None:
            self._late[draft.number] = self._pending
            self._pending = None
        elif self._changed is not None and draft.refinement is self._looked and self._looked is not None:
            changed, self._changed = self._changed, None
            self._late[draft.number], self._answers[draft.number] = changed, self._looked
            self._looked = changed.first
            self._session.set_refinement(changed.first, is_current=True)

    def _accepted(self, draft: Draft, stored: Correction) -> None:
        if draft.number in self._late:
            self._stored[draft.number] = stored
            self._tell()
            self._propose(draft.number)

    def _propose(self, number: int) -> None:
        """Put the later answer beside the stored box, if both are there and it is another one than was seen."""
        stored, answer = self._stored.get(number), self._answers.get(number)
        if stored is None or answer is None:
            return
        encoder, refiner = self._late[number].draft.made_by
        self._settle(number)
        if differs(answer.box, stored.accepted):
            later = stored.with_answer(answer, encoder=encoder, refiner=refiner)
            self._store.write(lambda project: project.propose_later_answer(stored, later), on_done=self._session.apply)

    def _settle(self, number: int) -> None:
        for kept in (self._late, self._stored, self._answers):
            kept.pop(number, None)
        self._tell()
