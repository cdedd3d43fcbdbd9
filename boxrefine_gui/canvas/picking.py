"""Which box a click or Tab means."""

from __future__ import annotations

from boxrefine_gui.session import Session


def box_at(session: Session, x: float, y: float, *, reach: float) -> int | None:
    """The id of the smallest box that holds a point in image pixels (or is within `reach` of it).

    Where the smallest is selected already, the next larger one: clicking again goes outward through nested boxes.
    """
    hits = []
    for correction in session.corrections:
        box = session.box_of(correction)
        if box.x1 - reach <= x <= box.x2 + reach and box.y1 - reach <= y <= box.y2 + reach:
            hits.append((box.width * box.height, correction.id))
    ids = [correction_id for _, correction_id in sorted(hits)]
    if not ids:
        return None
    return ids[(ids.index(session.selected_id) + 1) % len(ids)] if session.selected_id in ids else ids[0]


def next_box(session: Session, step: int) -> int | None:
    """The id of the box after (+1) or before (-1) the selected one, in reading order from the top left."""
    boxes = sorted(session.corrections, key=lambda entry: (entry.accepted.y1, entry.accepted.x1))
    order = [entry.id for entry in boxes]
    if not order:
        return None
    if session.selected_id not in order:
        return order[0 if step > 0 else -1]
    return order[(order.index(session.selected_id) + step) % len(order)]
