"""The editing tool: moves and resizes an existing box by mouse, and nudges it by arrow keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import uuid4

from PySide6.QtCore import QLineF, QPointF, Qt

from boxrefine_gui.canvas.handles import BOTTOM, INSIDE, LEFT, RIGHT, TOP, Grip, Nudged, grip_at
from boxrefine_gui.canvas.view import View
from boxrefine_gui.lanes.timers import timer
from boxrefine_gui.operations.box_verbs import Parts
from boxrefine_gui.operations.moving import move
from core.geometry import Box, clip
from core.records import EdgeConfidence

CLICK_REACH = 3.0
"""A press that moves less than this many screen pixels is a click."""

_RUN_PAUSE_MS = 1000
_DRAWN = 0
_NEAR = 16.0
_SURE: EdgeConfidence = (1.0, 1.0, 1.0, 1.0)


def cursor_for(grip: Grip) -> Qt.CursorShape:
    """The cursor that shows what a drag of `grip` does."""
    if grip == INSIDE:
        return Qt.CursorShape.SizeAllCursor
    if grip.down == 0:
        return Qt.CursorShape.SizeHorCursor
    if grip.across == 0:
        return Qt.CursorShape.SizeVerCursor
    return Qt.CursorShape.SizeFDiagCursor if grip.across == grip.down else Qt.CursorShape.SizeBDiagCursor


def move_edges(box: Box, grip: Grip, *, right: float, down: float, width: int, height: int) -> Box:
    """Move the edges of `grip` by image pixels; the result stays inside an image of `width` x `height`."""
    if grip == INSIDE:
        right = min(max(right, -box.x1), width - box.x2)
        down = min(max(down, -box.y1), height - box.y2)
        return Box(box.x1 + right, box.y1 + down, box.x2 + right, box.y2 + down)
    moved = Box(
        box.x1 + right * (grip.across < 0),
        box.y1 + down * (grip.down < 0),
        box.x2 + right * (grip.across > 0),
        box.y2 + down * (grip.down > 0),
    )
    return Box.of(clip([moved.ordered()], width=width, height=height)[0])


def around(boxes: Sequence[Box]) -> Box | None:
    """The smallest box around all of some boxes; None without one."""
    if not boxes:
        return None
    return Box(
        min(box.x1 for box in boxes),
        min(box.y1 for box in boxes),
        max(box.x2 for box in boxes),
        max(box.y2 for box in boxes),
    )


def edge_to_move(confidence: EdgeConfidence, chosen: int | None, *, right: int, down: int) -> Grip:
    """The edge that Ctrl+arrow moves: the chosen one if it lies across the arrow, else the less sure one of the two."""
    candidates = (LEFT, RIGHT) if right else (TOP, BOTTOM)
    edge = chosen if chosen in candidates else min(candidates, key=lambda candidate: confidence[candidate])
    return {LEFT: Grip(-1, 0), RIGHT: Grip(1, 0), TOP: Grip(0, -1), BOTTOM: Grip(0, 1)}[edge]


def _is_drag(first: QPointF, second: QPointF) -> bool:
    return QLineF(first, second).length() >= CLICK_REACH


class EditBoxTool:
    """Edits the drawn box, or else the selected ones; stored boxes are written once, at the end of a drag."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._grip: Grip | None = None
        self._origins: dict[int, Box] = {}
        self._start = QPointF()
        self._is_moving = False
        self._changed: set[int] = set()
        self._run = ""  # the id of a run of arrow keys on the same boxes
        self._run_on: frozenset[int] = frozenset()
        self.run_pause = timer(_RUN_PAUSE_MS, self.end_run)
        self._run_grip = INSIDE  # what the run moves

    @property
    def target(self) -> Box | None:
        """The box that is edited now, or the one around all that are."""
        return around(list(self._boxes().values()))

    @property
    def is_active(self) -> bool:
        return self._grip is not None

    @property
    def is_moving(self) -> bool:
        """Whether a drag has moved its target, and goes on."""
        return self._is_moving

    @property
    def moved_edges(self) -> Grip | None:
        """The edges that a drag moves; None if it moves whole boxes, or has not moved yet."""
        return self._grip if self._is_moving and self._grip != INSIDE else None

    @property
    def nudged(self) -> Nudged | None:
        """The box of which a run of arrow keys moves an edge, until it ends; None with several boxes."""
        boxes = list(self._boxes().values())
        return Nudged(boxes[0], self._run_grip) if self._run and self._run_grip != INSIDE and len(boxes) == 1 else None

    def grip_at(self, point: QPointF, view: View, *, by_inside: bool) -> Grip | None:
        """The grip at `point` on the screen; `by_inside`: the whole inside of the target counts as a grip.

        Several boxes have no handles: their borders move all of them.
        """
        rects = [view.to_screen(box) for box in self._boxes().values()]
        if len(rects) == 1:
            return grip_at(rects[0], point, by_inside=by_inside)
        near = [rect for rect in rects if rect.adjusted(-_NEAR, -_NEAR, _NEAR, _NEAR).contains(point)]
        return INSIDE if any(grip_at(rect, point, by_inside=by_inside) is not None for rect in near) else None

    def press(self, grip: Grip, point: QPointF) -> None:
        """Start a drag of the target."""
        self.end_run()
        self._grip, self._origins, self._start = grip, self._boxes(), point

    def move(self, point: QPointF, view: View) -> None:
        """Show the target at the mouse's position."""
        if self._grip is not None and (self._is_moving or self._grip != INSIDE or _is_drag(point, self._start)):
            self._is_moving = True
            by = (point - self._start) / view.scale
            self._show(self._edited(self._origins, self._grip, by.x(), by.y()))

    def release(self) -> bool:
        """End the drag and store the change. The result is False if it was a click and not a drag."""
        was_moving, self._is_moving, self._grip = self._is_moving, False, None
        self.commit()
        return was_moving

    def cancel(self) -> None:
        """Cancel the drag: the target moves back to where it was."""
        if self._grip is not None:
            self._grip, self._is_moving = None, False
            self._show(self._origins)
            self.commit(is_back=True)

    def nudge(self, *, right: int, down: int, is_edge: bool) -> None:
        """Move the target, or one edge of each box of it, by image pixels; `commit` stores it on the key's release.

        Key presses in a row are a run, which is one undo step. A pause or another action ends it.
        """
        boxes = self._boxes()
        if boxes:
            if not self._run or self._run_on != boxes.keys():
                self._run, self._run_on = uuid4().hex, frozenset(boxes)
            self.run_pause.start()
            grip = edge_to_move(self._confidence(), self._parts.session.chosen_edge, right=right, down=down)
            self._run_grip = grip if is_edge else INSIDE
            self._show(self._edited(boxes, self._run_grip, right, down))

    def end_run(self) -> None:
        """End the run, so that the next arrow key begins another undo step."""
        self._run = ""
        self.run_pause.stop()

    def choose_next_edge(self) -> None:
        """Choose the least sure edge first, then the others in order of doubt, then none."""
        if self.target is None:
            return
        confidence, chosen = self._confidence(), self._parts.session.chosen_edge
        order: list[int | None] = [*sorted(range(4), key=lambda edge: confidence[edge]), None]
        self._parts.session.choose_edge(order[(order.index(chosen) + 1) % len(order)])

    def commit(self, *, is_back: bool = False) -> None:
        """Store changed boxes once; one drag, or one run of arrow keys, is one undo step."""
        session = self._parts.session
        moved = {id: session.moving[id] for id in sorted(self._changed) if id in session.moving}
        self._changed = set()
        if not moved:
            return
        if is_back:
            session.set_pending(moving={key: box for key, box in session.moving.items() if key not in moved})
        else:
            move(self._parts, moved, run=self._run)

    def _boxes(self) -> dict[int, Box]:
        """The boxes that are edited now, by id; that of the drawn box is 0."""
        session = self._parts.session
        if session.draft is not None:
            return {_DRAWN: session.draft.box}
        return {entry.id: session.box_of(entry) for entry in session.selection}

    def _confidence(self) -> EdgeConfidence:
        session = self._parts.session
        if session.draft is not None:
            return session.draft.answer.edge_confidence if session.draft.answer else _SURE
        return (session.selected.edge_confidence if session.selected else None) or _SURE

    def _edited(self, boxes: Mapping[int, Box], grip: Grip, right: float, down: float) -> dict[int, Box]:
        """Move boxes, so far that all stay inside the image; or an edge of each."""
        image, whole = self._parts.session.image, around(list(boxes.values()))
        if image is None or whole is None:
            return dict(boxes)
        if grip == INSIDE and len(boxes) > 1:
            moved = move_edges(whole, grip, right=right, down=down, width=image.width, height=image.height)
            right, down = moved.x1 - whole.x1, moved.y1 - whole.y1
        return {
            id: move_edges(box, grip, right=right, down=down, width=image.width, height=image.height)
            for id, box in boxes.items()
        }

    def _show(self, boxes: Mapping[int, Box]) -> None:
        session = self._parts.session
        if session.draft is not None:
            if _DRAWN in boxes:
                session.set_nudged(boxes[_DRAWN])
            return
        known = {entry.id: session.box_of(entry) for entry in session.selection}
        changed = {id: box for id, box in boxes.items() if id in known and known[id] != box}
        if changed:
            self._changed |= changed.keys()
            session.set_pending(moving={**session.moving, **changed})
