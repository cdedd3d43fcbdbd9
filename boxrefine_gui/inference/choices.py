"""Choices: the candidates of the drawn box once its answer has settled, and the way through them by key."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from boxrefine_gui.lanes.lane import LatestLane
from boxrefine_gui.lanes.timers import timer
from boxrefine_gui.state.draft import Draft
from boxrefine_gui.state.loaded_models import Finder
from boxrefine_gui.state.session import Session
from core.geometry import Box, iou
from core.records import Candidate, Refinement
from core.translation import tr

if TYPE_CHECKING:
    from core.encoders.image_features import ImageFeatures
    from core.refiner.margins import Margin
    from core.refiner.protocol import Refiner

REST_MS = 120
"""Delay until a pointer that still drags counts as resting. Candidates cost as much as two refinements, so the moves of
a drag do not ask for them."""

ONE_ANSWER = tr("The refiner has no other answer for this box.")
_SAME_CHOICE = 0.7  # IoU from which on a new candidate stands for the one that the user chose
_SAME_BOX = 0.95


@dataclass(frozen=True)
class CandidatesRequest:
    """Request for the candidates of one drawn box and its answer; call it on any thread."""

    finder: Finder
    refiner: Refiner
    features: ImageFeatures
    drawn: Box
    answer: Refinement
    margin: Margin | None

    def __call__(self) -> tuple[Candidate, ...]:
        return self.finder.judged_candidates(
            self.features, self.drawn, self.answer, refiner=self.refiner, margin=self.margin
        )


class Choices:
    """Requests the candidates of each settled answer on the refine lane, and takes one after the other.

    An answer has settled when it is for exactly the drawn box, and the mouse is released or rests.
    """

    def __init__(self, *, session: Session, lane: LatestLane) -> None:
        self._session = session
        self._lane = lane
        self._known: Refinement | None = None  # the answer whose candidates the session has
        self._asked: Refinement | None = None  # the answer whose candidates are being computed
        self._wanted: int | None = None  # number of the draft for which the user pressed the key before they came
        self._reported = ""
        self._rest = timer(REST_MS, self._ask)
        for signal in (
            session.drawn_changed, session.refinement_changed, session.released, session.features_changed,
            session.models_changed,
        ):  # fmt: skip
            signal.connect(self._follow)

    def next(self) -> None:
        """Take the next candidate of the drawn box; as soon as they are there, if they are still being computed."""
        draft = self._session.draft
        if draft is None:
            return
        if not draft.is_current or draft.refinement is not self._known:
            self._wanted = draft.number
            self._ask()
            return
        count = len(draft.candidates)
        rows = [(draft.chosen + step) % count for step in range(1, count)]
        before = draft.again.accepted if draft.again is not None else None
        new = [row for row in rows if before is None or _overlap(draft.candidates[row].box, before) < _SAME_BOX]
        if new:
            self._session.choose_candidate(new[0])
            return
        if draft.again is not None and draft.nudged is None and not draft.chosen:
            self._session.take_draft()  # the stored box stays selected, as it was before the key
        self._session.tell(ONE_ANSWER)

    def _follow(self) -> None:
        draft = self._session.draft
        self._rest.stop()
        if draft is not None and draft.is_held:
            self._rest.start()
        else:
            self._ask()

    def _ask(self) -> None:
        session = self._session
        models, features, draft = session.models, session.features, session.draft
        if draft is None or models is None or models.finder is None or features is None:
            return
        answer, refiner = _settled(draft), session.refiner_for(draft)
        if answer is None or refiner is None or draft.made_by != session.model_names:
            return
        if answer is not self._known and answer is not self._asked:
            self._asked = answer
            # Not `ask`, which would replace a refinement that waits.
            self._lane.ask_surely(
                CandidatesRequest(models.finder, refiner, features, draft.drawn, answer, session.margin_for(draft)),
                on_done=partial(self._deliver, draft.number, answer),
                on_error=partial(self._failed, draft.number, answer),
            )

    def _deliver(self, number: int, answer: Refinement, candidates: tuple[Candidate, ...]) -> None:
        self._reported = ""
        self._settle(number, answer, candidates)

    def _failed(self, number: int, answer: Refinement, error: Exception) -> None:
        """Go on with one answer; report a repeated error only once, until candidates come again."""
        self._settle(number, answer, ())
        if repr(error) != self._reported:
            self._reported = repr(error)
            self._session.report(error)

    def _settle(self, number: int, answer: Refinement, candidates: tuple[Candidate, ...]) -> None:
        if self._asked is answer:
            self._asked = None
        draft = self._session.draft
        if draft is None or draft.number != number or draft.refinement is not answer:
            return
        self._known = answer
        is_wanted, self._wanted = self._wanted == number, None
        found, chosen = _with_choice(draft, candidates)
        self._session.set_candidates(found, chosen=chosen)
        if is_wanted:
            self.next()


def _settled(draft: Draft) -> Refinement | None:
    """Return the answer to exactly this drawn box, where the user wants one and has not edited it."""
    return None if draft.plain or draft.nudged is not None or not draft.is_current else draft.refinement


def _with_choice(draft: Draft, candidates: tuple[Candidate, ...]) -> tuple[tuple[Candidate, ...], int]:
    """Return new candidates, and the row of the one that the user has chosen; it is kept if no new one is like it."""
    if not draft.chosen or not candidates:
        return candidates, 0
    chosen = draft.candidates[draft.chosen]
    overlaps = [_overlap(chosen.box, candidate.box) for candidate in candidates[1:]]
    if overlaps and max(overlaps) >= _SAME_CHOICE:
        return candidates, 1 + overlaps.index(max(overlaps))
    return (candidates[0], chosen), 1


def _overlap(first: Box, second: Box) -> float:
    return float(iou(np.array([first]), np.array([second]))[0])
