"""Drawing by keys: a key puts a box at the pointer, arrow keys move and size it, and the refinement follows."""

from __future__ import annotations

import time

from boxrefine_gui.operations import drawing
from boxrefine_gui.operations.parts import Parts
from core.geometry import Box
from core.records import DrawnBy

_SHARE = 0.25
"""Side of the first box of a category, as a share of the shorter side of the visible part."""

_STEP = 4.0
"""Screen pixels that one press of an arrow key moves a box, or an edge of it; the refinement does the rest."""


class KeyBoxTool:
    """Puts boxes on the open image and changes them, in image pixels."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._put: tuple[int, Box] | None = None  # the number of the last draft that was put, and its box

    @property
    def is_active(self) -> bool:
        """Whether the arrow keys are for this tool; a chosen edge is one of the refinement."""
        session = self._parts.session
        return session.draft is not None and session.chosen_edge is None and session.draft.is_by_keys

    def put(self, x: float, y: float, *, visible: Box) -> None:
        """Put a box around a point: of the size of the newest box of the category, else a share of what is visible.

        A box that was put before and not changed since moves there, so that a second press draws no second box.
        """
        session = self._parts.session
        image = session.image
        if image is None or session.picture is None:
            return
        width, height = self._size(visible)
        width, height = min(width, image.width), min(height, image.height)
        left = min(max(x - width / 2, 0), image.width - width)
        top = min(max(y - height / 2, 0), image.height - height)
        box = Box(left, top, left + width, top + height)
        draft = session.draft
        if draft is not None and self.is_active and self._put == (draft.number, draft.drawn):
            session.set_drawn(box, plain=not session.snapping)
        else:
            plain = not session.snapping
            session.start_draft(box, pressed_at=time.monotonic(), plain=plain, held=True, drawn_by=DrawnBy.KEYS)
            drawing.let_go(self._parts, may_accept=False)  # the user has not placed it yet
        if session.draft is not None:
            self._put = session.draft.number, box

    def step(self, right: int, down: int, *, sizes: bool, scale: float) -> None:
        """Move the box by presses of arrow keys, or with `sizes` its right and its lower edge.

        `scale` is screen pixels an image pixel. The draft counts as held until `end`.
        """
        session = self._parts.session
        draft, image = session.draft, session.image
        if draft is None or image is None:
            return
        across, along = (max(round(_STEP / scale), 1) * presses for presses in (right, down))
        box = draft.drawn
        if sizes:
            x2 = min(max(box.x2 + across, box.x1 + 1), image.width)
            y2 = min(max(box.y2 + along, box.y1 + 1), image.height)
            box = Box(box.x1, box.y1, x2, y2)
        else:
            left = min(max(box.x1 + across, 0), image.width - box.width)
            top = min(max(box.y1 + along, 0), image.height - box.height)
            box = Box(left, top, left + box.width, top + box.height)
        if not draft.is_held:
            session.hold_draft()
        session.set_drawn(box, plain=draft.plain)

    def end(self) -> None:
        """The arrow key is up."""
        draft = self._parts.session.draft
        if draft is not None and draft.is_held and draft.is_by_keys:
            self._parts.session.release_draft()

    def _size(self, visible: Box) -> tuple[float, float]:
        session = self._parts.session
        alike = [entry for entry in session.corrections if entry.category_id == session.category_id]
        if alike:
            newest = session.box_of(max(alike, key=lambda entry: entry.id))
            return newest.width, newest.height
        side = _SHARE * min(visible.width, visible.height)
        return max(side, 1.0), max(side, 1.0)
