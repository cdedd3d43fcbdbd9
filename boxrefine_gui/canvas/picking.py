"""Picking: the box that a click or Tab selects."""

from __future__ import annotations

from boxrefine_gui.state.draft import Draft
from boxrefine_gui.state.session import Session
from core.geometry import Box


def box_at(session: Session, x: float, y: float, *, reach: float, outward: bool = True) -> int | None:
    """The id of the smallest stored box at a point, extended by `reach`; both in image pixels.

    If one of the boxes there is selected, the result is the next larger one, unless not `outward`: repeated clicks go
    outward.
    """
    hits = []
    for correction in session.pickable:
        box = session.box_of(correction)
        if box.x1 - reach <= x <= box.x2 + reach and box.y1 - reach <= y <= box.y2 + reach:
            hits.append((box.width * box.height, correction.id))
    ids = [correction_id for _, correction_id in sorted(hits)]
    if not ids:
        return None
    if outward and session.selected_id in ids:
        return ids[(ids.index(session.selected_id) + 1) % len(ids)]
    return ids[0]


def is_outside(draft: Draft, x: float, y: float, *, reach: float) -> bool:
    """Whether a point, in image pixels, is farther than `reach` from a drawn box as it was drawn and as it is now."""
    boxes = (draft.drawn, draft.box)
    return not any(box.x1 - reach <= x <= box.x2 + reach and box.y1 - reach <= y <= box.y2 + reach for box in boxes)


def boxes_in(session: Session, band: Box) -> frozenset[int]:
    """The ids of the stored boxes whose middle lies in a rectangle in image pixels."""
    boxes = ((entry.id, session.box_of(entry)) for entry in session.pickable)
    middles = ((id, (box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2) for id, box in boxes)
    return frozenset(id for id, x, y in middles if band.x1 <= x <= band.x2 and band.y1 <= y <= band.y2)


def left_at(session: Session, x: float, y: float, *, reach: float) -> Draft | None:
    """The smallest waiting drawn box at a point in image pixels; None if a smaller stored box is there."""

    def holds(box: Box) -> bool:
        return box.x1 - reach <= x <= box.x2 + reach and box.y1 - reach <= y <= box.y2 + reach

    stored = [session.box_of(entry) for entry in session.pickable]
    waiting = session.left.on(session.image.id) if session.image is not None else ()
    hits = [(draft.box.width * draft.box.height, draft.number, draft) for draft in waiting if holds(draft.box)]
    least = min((box.width * box.height for box in stored if holds(box)), default=float("inf"))
    found = min(hits, default=None)
    return found[2] if found is not None and found[0] <= least else None


def next_box(session: Session, step: int) -> int | None:
    """The id of the box after (+1) or before (-1) the selected one, in reading order from the top left."""
    boxes = sorted(session.pickable, key=lambda entry: (entry.accepted.y1, entry.accepted.x1))
    order = [entry.id for entry in boxes]
    if not order:
        return None
    if session.selected_id not in order:
        return order[0 if step > 0 else -1]
    return order[(order.index(session.selected_id) + step) % len(order)]
