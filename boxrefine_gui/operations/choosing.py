"""Operation on the candidates of a box: take another answer than the refiner's first one."""

from __future__ import annotations

import time

from boxrefine_gui.operations.drawing import NO_MODEL_YET
from boxrefine_gui.operations.parts import Parts
from core.geometry import Box
from core.records import Correction
from core.translation import tr

AS_DRAWN = tr("This box stays as it is drawn, so it has no other answers: draw it without Alt, and with refining on.")


def another_answer(parts: Parts) -> None:
    """Take the next candidate of the drawn box; a selected stored box becomes the drawn box first."""
    session, draft, selected = parts.session, parts.session.draft, parts.session.selected
    if draft is None and selected is None:
        return
    if session.models is None:
        session.tell(NO_MODEL_YET)
    elif session.models.finder is None:
        name = session.models.encoder_name
        session.tell(tr("With the encoder {encoder} a box has one answer: choose the encoder light.", encoder=name))
    elif draft is not None and draft.plain:
        session.tell(AS_DRAWN)
    else:
        if draft is None and selected is not None:
            session.start_draft(_meant(selected), pressed_at=time.monotonic(), again=selected)
        parts.choices.next()


def _meant(correction: Correction) -> Box:
    """The box to answer: as it was drawn, so that the choice teaches what such a drag means.

    Where the user has moved a box by hand, its place is better evidence than the drag.
    """
    is_by_hand = correction.confirmed and correction.accepted not in (correction.refined, correction.drawn)
    return correction.accepted if is_by_hand else correction.drawn
