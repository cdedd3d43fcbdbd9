"""Second look: when the hand rests, the drawn box is refined again on the features of a crop that shows it larger."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from boxrefine_gui.background import QueueLane
from boxrefine_gui.loaded_models import Models, OpenedPicture
from boxrefine_gui.session import Session
from boxrefine_gui.timers import timer
from core.geometry import Box
from core.records import ImageRecord, Refinement
from core.refiner.second_look import Look, look_at, settled

if TYPE_CHECKING:
    from core.refiner.refine import Refiner

_GROUP = "second look"
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
        from core.features.look_again import features_for

        return self.refiner.refine(features_for(self.look, self.picture), [self.drawn])[0]


class SecondLook:
    """Looks again once the answer to a resting drawn box is there; any change of the box makes the look an old one."""

    def __init__(self, *, session: Session, lane: QueueLane) -> None:
        self._session = session
        self._lane = lane
        self._serial = 0
        self._looked = 0
        self._reported = ""
        self._picture: OpenedPicture | None = None
        self._rest = timer(_REST_MS, self._look)
        session.drawn_changed.connect(self._start_afresh)
        session.features_changed.connect(self._start_afresh)
        session.category_changed.connect(self._start_afresh)  # a taught refiner minds it, so the first answer is new
        session.models_changed.connect(self._forget_picture)
        session.image_changed.connect(self._forget_picture)
        session.refinement_changed.connect(self._answered)

    def stop(self) -> None:
        """Look at nothing any more."""
        self._start_afresh()
        self._forget_picture()

    def _forget_picture(self) -> None:
        self._start_afresh()
        self._picture = None

    def _start_afresh(self) -> None:
        self._serial += 1
        self._rest.stop()
        self._lane.drop(_GROUP)

    def _answered(self) -> None:
        if self._looked != self._serial and self._first_answer() is not None:
            self._rest.start()

    def _first_answer(self) -> Refinement | None:
        """The answer in view, where it is the model's own answer to this very drawn box."""
        draft = self._session.draft
        if draft is None or draft.plain or draft.nudged is not None or not draft.is_current:
            return None
        return draft.refinement

    def _look(self) -> None:
        session = self._session
        models, image, features, draft = session.models, session.image, session.features, session.draft
        if models is None or not models.looks_twice or image is None or features is None or draft is None:
            return
        first = self._first_answer()
        look = look_at(draft.drawn, features.frame)
        refiner = session.refiner_for(draft)
        if first is None or look is None or refiner is None:
            return
        self._looked = self._serial
        self._lane.run(
            SecondLookRequest(self._opened(models, image), look, refiner, draft.drawn),
            on_done=partial(self._deliver, self._serial, first, look),
            on_error=self._failed,
            priority=_AFTER_THE_OPEN_IMAGE,
            group=_GROUP,
            title=f"looking closer at {image.path.name}",
        )

    def _opened(self, models: Models, image: ImageRecord) -> OpenedPicture:
        """The open image, decoded once for all its second looks."""
        if self._picture is None:
            self._picture = models.source.opened(image.path)
        return self._picture

    def _deliver(self, serial: int, first: Refinement, look: Look, second: Refinement) -> None:
        self._reported = ""
        if serial != self._serial or self._first_answer() is not first:
            return
        answer = settled(first, second, look)
        if answer is not first:
            self._session.set_refinement(answer, is_current=True)

    def _failed(self, error: Exception) -> None:
        """The first answer stays; a fault that comes again is reported once, until it works again."""
        if repr(error) != self._reported:
            self._reported = repr(error)
            self._session.report(error)
