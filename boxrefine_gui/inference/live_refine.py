"""Live refinement: drawn box -> request -> refinement; a newer request replaces an older one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from boxrefine_gui.lanes.lane import LatestLane
from boxrefine_gui.state.draft import Draft
from boxrefine_gui.state.session import Session
from core.geometry import Box
from core.records import Refinement

if TYPE_CHECKING:
    from core.encoders.image_features import ImageFeatures
    from core.refiner.protocol import Refiner


@dataclass(frozen=True)
class RefineRequest:
    """Request to refine one drawn box; call it on any thread."""

    serial: int
    refiner: Refiner
    features: ImageFeatures
    drawn: Box

    def __call__(self) -> Refinement:
        return self.refiner.refine(self.features, np.array([self.drawn]))[0]


@dataclass(frozen=True)
class _Waiting:
    """An accepted draft without its refinement, with callbacks for the refinement and for its absence."""

    draft: Draft
    then: Callable[[Draft], None]
    unanswered: Callable[[Draft], None] | None
    project: Path | None


class LiveRefine:
    """Requests the refinement of the session's drawn box each time it changes, and again when features arrive.

    During a drag, an answer to an earlier state of the box is shown if it is newer than the one in view: at 60 mouse
    events a second, an answer to exactly the last state would arrive only when the pointer rests. The stored answer is
    always the one to the last state.
    """

    def __init__(self, *, session: Session, lane: LatestLane) -> None:
        self._session = session
        self._lane = lane
        self._serial = 0
        self._shown = 0
        self._waiting: list[_Waiting] = []
        self._reported = ""
        session.drawn_changed.connect(self._ask)
        session.features_changed.connect(self._features_changed)
        session.models_changed.connect(self._features_changed)
        session.category_changed.connect(self._ask_always)
        session.image_changed.connect(self.store_waiting_as_drawn)

    def has_answer(self, draft: Draft) -> bool:
        """Whether the refinement of this draft is complete, or none will come."""
        wants_none = draft.plain or draft.nudged is not None or self._session.models is None
        return wants_none or (draft.is_current and draft.refinement is not None)

    def when_answered(
        self, draft: Draft, then: Callable[[Draft], None], *, unanswered: Callable[[Draft], None] | None = None
    ) -> None:
        """Call `then` with the refined draft, once features and refinement are available.

        If the user leaves the image before, or the refiner fails, call `unanswered` with the draft; without
        `unanswered`, call `then` with the draft as it was drawn.
        """
        waiting = _Waiting(draft, then, unanswered, self._session.project_path)
        self._waiting.append(waiting)
        self._ask_surely(waiting)

    def store_waiting_as_drawn(self) -> None:
        """Store the drafts that were accepted before their refinement arrived; a drawn box is better than none.

        Drafts of a project that is no longer open wait in its file as drawn boxes.
        """
        self._waiting = [waiting for waiting in self._waiting if waiting.project == self._session.project_path]
        for waiting in tuple(self._waiting):
            self._settle_unanswered(waiting)

    def _features_changed(self) -> None:
        self._ask()
        for waiting in tuple(self._waiting):
            self._ask_surely(waiting)

    def _request(self, draft: Draft) -> RefineRequest | None:
        refiner, features = self._session.refiner_for(draft), self._session.features
        if refiner is None or features is None:
            return None
        return RefineRequest(self._serial, refiner, features, draft.drawn)

    def _ask(self) -> None:
        """Request a refinement, unless the draft was restored with one by the models in use."""
        self._serial += 1  # outdates all earlier requests
        draft = self._session.draft
        if draft is None or not draft.is_current or draft.made_by != self._session.model_names:
            self._ask_always()

    def _ask_always(self) -> None:
        self._serial += 1
        draft = self._session.draft
        if draft is None or draft.plain:
            return
        request = self._request(draft)
        if request is not None:
            deliver = partial(self._deliver, request.serial, draft.number)
            self._lane.ask(request, on_done=deliver, on_error=self._failed)

    def _deliver(self, serial: int, number: int, answer: Refinement) -> None:
        self._reported = ""
        draft = self._session.draft
        if draft is not None and draft.number == number and not draft.plain and serial > self._shown:
            self._shown = serial
            self._session.set_refinement(answer, is_current=serial == self._serial)

    def _failed(self, error: Exception) -> None:
        """Report a refiner that fails at every mouse move only once, until it works again."""
        if repr(error) != self._reported:
            self._reported = repr(error)
            self._session.report(error)

    def _ask_surely(self, waiting: _Waiting) -> None:
        if self._session.models is None:
            self._settle(waiting, waiting.draft)
            return
        request = self._request(waiting.draft)
        if request is not None:
            self._lane.ask_surely(
                request,
                on_done=partial(self._settle_refined, waiting),
                on_error=partial(self._settle_failed, waiting),
            )

    def _settle_refined(self, waiting: _Waiting, answer: Refinement) -> None:
        names = self._session.model_names
        self._settle(waiting, replace(waiting.draft, refinement=answer, is_current=True, made_by=names))

    def _settle_failed(self, waiting: _Waiting, error: Exception) -> None:
        self._failed(error)
        self._settle_unanswered(waiting)

    def _settle_unanswered(self, waiting: _Waiting) -> None:
        if waiting.unanswered is None:
            self._settle(waiting, replace(waiting.draft, plain=True))
        elif waiting in self._waiting:
            self._waiting.remove(waiting)
            waiting.unanswered(waiting.draft)

    def _settle(self, waiting: _Waiting, draft: Draft) -> None:
        if waiting in self._waiting:
            self._waiting.remove(waiting)
            waiting.then(draft)
