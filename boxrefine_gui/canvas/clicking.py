"""Clicks on boxes: what a click takes in hand or selects."""

from __future__ import annotations

from boxrefine_gui.canvas.picking import box_at, is_outside, left_at
from boxrefine_gui.operations import drawing, many
from boxrefine_gui.operations.parts import Parts


def pick(parts: Parts, x: float, y: float, *, reach: float, adds: bool) -> None:
    """Pick the smallest box at a point: a waiting drawn box becomes the drawn box, a stored one is selected.

    A click inside a fresh drawn box, which going on would accept, leaves it in hand.
    `adds`: the stored box joins the selected ones, or leaves them. The point and `reach` are in image pixels.
    """
    session = parts.session
    if adds:
        many.toggle(parts, box_at(session, x, y, reach=reach, outward=False))
        return
    waiting, stored = left_at(session, x, y, reach=reach), box_at(session, x, y, reach=reach)
    if waiting is not None:
        drawing.take_in_hand(parts, waiting)
    elif session.draft is None:
        session.select(stored)
    elif stored is not None and (
        session.draft.was_left
        or not session.settings.accept_when_going_on
        or is_outside(session.draft, x, y, reach=reach)
    ):
        drawing.go_on(parts)
        session.select(stored)
