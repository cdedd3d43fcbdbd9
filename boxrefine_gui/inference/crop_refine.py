"""Second look: when the pointer rests, the drawn box is refined again on a crop that magnifies it."""

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
from core.inference.crop_refine import Look, look_at, merge_answers
from core.records import Correction, ImageRecord, Refinement

if TYPE_CHECKING:
    from core.refiner.protocol import Refiner

SEEN_PX = 1.0
"""Largest difference of an edge, in image pixels, at which a later answer counts as the same box."""

EYE_MS = 250
"""Reaction time: an accept this soon after a change of the box is for the box before the change."""

_REST_MS = 200
"""Delay until the pointer counts as resting; encoding a crop slows down live refinement."""

_AFTER_THE_OPEN_IMAGE = 1


@dataclass(frozen=True)
class SecondLookRequest:
    """Request for the second answer to one drawn box; call it on the encode lane."""

    picture: OpenedPicture
    look: Look
    refiner: Refiner
    drawn: Box

    def __call__(self) -> Refinement:
        from core.inference.look_again import features_for

        return self.refiner.refine(features_for(self.look, self.picture), [self.drawn])[0]


def differs(answer: Box, seen: Box) -> bool:
    """Whether an answer differs visibly from the box that was seen."""
    return max(abs(a - b) for a, b in zip(answer, seen, strict=True)) > SEEN_PX


@dataclass(frozen=True)
class _Pending:
    """A requested second look at one draft, and the first answer that it may improve."""

    draft: Draft
    first: Refinement
    look: Look

    @property
    def group(self) -> str:
        return f"crop_refine_{self.draft.number}"


class SecondLook:
    """Requests the second answer once the first one is there and the pointer rests; a change of the box cancels it.

    A box that is accepted meanwhile is stored as it was seen, and the second answer becomes a proposal for it.
    """

    def __init__(self, *, session: Session, lane: QueueLane, store: StoreLane) -> None:
        self._session = session
        self._lane = lane
        self._store = store
        self._pending: _Pending | None = None  # the look at the active drawn box
        self._changed: _Pending | None = None  # its second answer has just replaced the first one
        self._is_coming = False  # waiting until the pointer has rested long enough
        self._late: dict[int, _Pending] = {}  # by draft number: accepted before their look ended
        self._stored: dict[int, Correction] = {}  # by draft number: the stored correction
        self._answers: dict[int, Refinement] = {}  # by draft number: second answers, until the box is stored
        self._looked: Refinement | None = None  # the answer that needs no second look
        self._reported = ""
        self._picture: OpenedPicture | None = None
        self._rest = timer(_REST_MS, self._look)
        self._eye = timer(EYE_MS, self._note_seen)
        session.drawn_changed.connect(self._reset)
        session.features_changed.connect(self._reset)
        session.category_changed.connect(self._reset)  # a taught refiner depends on it, so the first answer is new
        session.models_changed.connect(self._forget_picture)
        session.image_changed.connect(self._forget_picture)
        session.project_changed.connect(self._forget_late)
        session.refinement_changed.connect(self._answered)
        session.accepting.connect(self._accepting)
        session.accepted.connect(self._accepted)

    def stop(self) -> None:
        """Cancel all looks."""
        self._reset()
        self._forget_picture()
        self._forget_late()

    def _forget_picture(self) -> None:
        self._reset()
        self._picture = None

    def _forget_late(self) -> None:
        for pending in self._late.values():
            self._lane.drop(pending.group)
        self._late, self._stored, self._answers = {}, {}, {}
        self._publish()

    def _reset(self) -> None:
        if self._pending is not None:
            self._lane.drop(self._pending.group)
        self._pending, self._changed, self._is_coming, self._looked = None, None, False, None
        self._rest.stop()
        self._eye.stop()
        self._publish()

    def _publish(self) -> None:
        """Let the session know which boxes may still get another answer."""
        draft = self._session.draft
        in_hand = {draft.number} if draft is not None and self._is_open else set()
        stored = {self._stored[number].id for number in self._late if number in self._stored}
        self._session.set_looking(frozenset(in_hand), frozenset(stored))

    @property
    def _is_open(self) -> bool:
        """Whether the active drawn box may still get another answer."""
        return self._is_coming or self._pending is not None or self._changed is not None

    def _answered(self) -> None:
        first = self._first_answer()
        if first is None and self._is_open:
            self._reset()  # the user has edited the box
        elif first is not None and first is not self._looked and self._pending is None and self._plan() is not None:
            self._is_coming = True
            self._rest.start()
            self._publish()

    def _first_answer(self) -> Refinement | None:
        """Return the shown answer if it is the model's own answer to exactly this drawn box."""
        draft = self._session.draft
        if draft is None or draft.plain or draft.nudged is not None or not draft.is_current or draft.chosen:
            return None
        return draft.refinement

    def _plan(self) -> Look | None:
        """Return the second look for the active drawn box, if it needs one."""
        session = self._session
        models, features, draft = session.models, session.features, session.draft
        if models is None or not models.looks_twice or features is None or draft is None:
            return None
        return look_at(draft.drawn, features.frame, self._first_answer())

    def _look(self) -> None:
        session = self._session
        models, image, draft = session.models, session.image, session.draft
        first, look = self._first_answer(), self._plan()
        refiner = session.refiner_for(draft) if draft is not None else None
        self._is_coming = False
        if models is None or image is None or draft is None or first is None or look is None or refiner is None:
            self._publish()
            return
        self._looked = first
        self._pending = pending = _Pending(draft, first, look)
        self._lane.run(
            SecondLookRequest(self._open(models, image), look, refiner, draft.drawn),
            on_done=partial(self._deliver, pending),
            on_error=partial(self._failed, pending),
            priority=_AFTER_THE_OPEN_IMAGE,
            group=pending.group,
            activity=Activity(ActivityKind.LOOKING_CLOSER, image.path.name),
        )
        self._publish()

    def _open(self, models: Models, image: ImageRecord) -> OpenedPicture:
        """Return the open image, decoded once for all its second looks."""
        if self._picture is None:
            self._picture = models.source.opened(image.path)
        return self._picture

    def _deliver(self, pending: _Pending, second: Refinement) -> None:
        self._reported = ""
        answer = merge_answers(pending.first, second, pending.look)
        if pending is self._pending:
            self._pending, self._looked = None, answer
            if answer is not pending.first and self._first_answer() is pending.first:
                if differs(answer.box, pending.first.box):
                    self._changed = pending
                    self._eye.start()
                self._session.set_refinement(answer, is_current=True)
            self._publish()
        elif pending.draft.number in self._late:
            self._answers[pending.draft.number] = answer
            self._propose(pending.draft.number)

    def _note_seen(self) -> None:
        """Note that the answer was visible for longer than the reaction time."""
        self._changed = None
        self._publish()

    def _failed(self, pending: _Pending, error: Exception) -> None:
        """Keep the first answer; report a repeated error only once, until a look succeeds again."""
        if pending is self._pending:
            self._pending = None
        self._settle(pending.draft.number)
        if repr(error) != self._reported:
            self._reported = repr(error)
            self._session.report(error)

    # Boxes that were accepted before their look had ended

    def _accepting(self, draft: Draft) -> None:
        """Let a running look continue; a look that was not requested yet is dropped.

        If the answer has just changed, store the one that the user has seen, and propose the new one.
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
            self._publish()
            self._propose(draft.number)

    def _propose(self, number: int) -> None:
        """Propose the second answer for the stored box, once both exist, if they differ visibly."""
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
        self._publish()
