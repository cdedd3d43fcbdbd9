"""Operation on a box that is drawn again: Alt and a drag over a box in hand give it the edges of the drag."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from boxrefine_gui.operations import drawing
from boxrefine_gui.operations.moving import move
from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.state.session import Session
from core.geometry import Box, iou
from core.records import Correction

IN_HAND, STORED = 0.3, 0.5
"""IoU from which on a drag with Alt means the box that was drawn just before, or a stored one, and not another object.

Of the box in hand less is enough: it is the one that the user looks at, and its edges may be far off.
"""


def take_as_redrawn(parts: Parts) -> bool:
    """Give a box that is there the edges of the present drag, if it means the same object.

    That is the drawn box, else the selected one, else one to check. All four edges come right in one drag, and the box
    keeps how it was drawn first, from which teaching and margins learn. The result is False if the drag is a box of its
    own.
    """
    session, draft = parts.session, parts.session.draft
    if draft is None:
        return False
    before = session.replaced
    if before is not None and _overlap(draft.drawn, (before.drawn, before.box)) >= IN_HAND:
        session.release_draft()
        session.take_draft()
        session.left.take(before.image_id, before.key)
        session.put_back(before)
        session.set_nudged(draft.drawn)
        return True
    stored = _stored_under(session, draft.drawn)
    if stored is None:
        return False
    before = session.release_draft()
    session.take_draft()
    drawing.settle_replaced(parts, before)
    session.select(stored.id)
    move(parts, {stored.id: draft.drawn})
    return True


def _stored_under(session: Session, drawn: Box) -> Correction | None:
    """The selected box, else the one to check, that a drag means."""
    meant = [entry for entry in session.pickable if entry == session.deselected or not entry.confirmed]
    meant = [entry for entry in meant if _overlap(drawn, (entry.accepted, entry.proposal)) >= STORED]
    return max(
        meant,
        key=lambda entry: (entry == session.deselected, _overlap(drawn, (entry.accepted, entry.proposal))),
        default=None,
    )


def _overlap(drawn: Box, boxes: Iterable[Box | None]) -> float:
    there = np.array([box for box in boxes if box is not None])
    return float(iou(np.tile(np.array([drawn]), (len(there), 1)), there).max())
