"""Handles of a box on the screen: their positions, and which one a press grabs.

The handles of a small box are outside it, so that they do not cover it. A drag inside a box draws, since objects may
contain objects: a box is moved by its border, and a box too small to draw in by its inside.
"""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QLineF, QPointF, QRectF

from core.geometry import Box

HANDLE_SIZE = 7.0
_REACH = 7.0
_ROOMY = 28.0
"""A side of this many screen pixels has room for its handles and for a pointer between them."""

FARTHEST = 5.0
"""Largest distance of handles from their edges, in screen pixels."""

BORDER = 5.0
"""A press within so many screen pixels of an edge, on either side, moves the box."""

ROOM_TO_DRAW = 18.0
"""A box with a shorter side below so many screen pixels is too small to draw in."""

_GAP = 5.0
_LEAST_INSIDE = 6.0
LEFT, TOP, RIGHT, BOTTOM = range(4)


class Grip(NamedTuple):
    """The edges that a drag moves: -1 the left or top one, 1 the right or bottom one, 0 none; both 0: the whole box."""

    across: int
    down: int


class Nudged(NamedTuple):
    """A box, and the edge of it that arrow keys move."""

    box: Box
    grip: Grip


INSIDE = Grip(0, 0)
_HANDLES = tuple(Grip(across, down) for down in (-1, 0, 1) for across in (-1, 0, 1) if (across, down) != (0, 0))


def handle_points(rect: QRectF) -> dict[Grip, QPointF]:
    """The positions of the eight handles of a rectangle on the screen: on its edges, or outside if it is small."""
    around, middle = _around(rect), rect.center()
    xs = {-1: around.left(), 0: middle.x(), 1: around.right()}
    ys = {-1: around.top(), 0: middle.y(), 1: around.bottom()}
    return {grip: QPointF(xs[grip.across], ys[grip.down]) for grip in _HANDLES}


def shown_handles(rect: QRectF) -> list[QPointF]:
    """The positions of the visible handles: those in the middle of an edge only if the corners leave room."""
    around, least = _around(rect), 3 * HANDLE_SIZE + 2 * _GAP
    fits = {"across": around.width() >= least, "down": around.height() >= least}
    points = handle_points(rect)
    return [
        at for grip, at in points.items() if (grip.across != 0 or fits["across"]) and (grip.down != 0 or fits["down"])
    ]


def push(side: float) -> float:
    """The distance of handles from the box, for a side of this length; both in screen pixels."""
    return min(max((_ROOMY - side) / 2, 0.0), FARTHEST)


def edge_of(rect: QRectF, edge: int) -> QLineF:
    """An edge of a rectangle: 0 left, 1 top, 2 right, 3 bottom."""
    corners = [rect.topLeft(), rect.topRight(), rect.bottomRight(), rect.bottomLeft()]
    first, second = {LEFT: (3, 0), TOP: (0, 1), RIGHT: (1, 2), BOTTOM: (2, 3)}[edge]
    return QLineF(corners[first], corners[second])


def grip_at(rect: QRectF, point: QPointF, *, by_inside: bool = False) -> Grip | None:
    """The grip at `point`: a nearby handle, INSIDE on the border, or None. Corners win where handles are close.

    `by_inside`: the whole inside moves the box, too.
    """
    grip = _handle_or_inside(rect, point)
    if grip not in (None, INSIDE) or by_inside or min(rect.width(), rect.height()) < ROOM_TO_DRAW:
        return grip
    is_near = rect.adjusted(-BORDER, -BORDER, BORDER, BORDER).contains(point)
    is_within = rect.adjusted(BORDER, BORDER, -BORDER, -BORDER).contains(point)
    return INSIDE if is_near and not is_within else None


def _handle_or_inside(rect: QRectF, point: QPointF) -> Grip | None:
    if _inside(rect).contains(point):
        return INSIDE
    near = {
        grip: QLineF(at, point).length()
        for grip, at in handle_points(rect).items()
        if abs(at.x() - point.x()) <= _REACH and abs(at.y() - point.y()) <= _REACH
    }
    if near:
        return min(near, key=lambda grip: (abs(grip.across) + abs(grip.down) != 2, near[grip]))
    return INSIDE if rect.contains(point) else None


def _around(rect: QRectF) -> QRectF:
    across, down = push(rect.width()), push(rect.height())
    return rect.adjusted(-across, -down, across, down)


def _inside(rect: QRectF) -> QRectF:
    """The region that belongs to no handle. It shrinks with the box, but not below a size that can be hit."""
    across, down = (_REACH * (1 - push(side) / FARTHEST) for side in (rect.width(), rect.height()))
    core = rect.adjusted(across, down, -across, -down)
    wider, higher = (max((_LEAST_INSIDE - side) / 2, 0.0) for side in (core.width(), core.height()))
    return core.adjusted(-wider, -higher, wider, higher)
