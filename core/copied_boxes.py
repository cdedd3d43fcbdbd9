"""Copied boxes as text, for the clipboard: any window, or another program, may paste them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import BadInputError
from core.geometry import Box
from core.text import is_name
from core.translation import tr

LARGEST_TEXT = 8 * 1024 * 1024
"""Characters of the longest text that is parsed; the boxes of a picture take far fewer."""

MOST_BOXES = 20_000

_DIRECTIONS = ((1, 1), (-1, -1), (1, -1), (-1, 1), (1, 0), (-1, 0), (0, 1), (0, -1))
_KEY, _VERSION = "boxrefine_boxes", 1


@dataclass(frozen=True)
class CopiedBox:
    """A box in pixels of the upright image, and the name of its category."""

    category: str
    box: Box


@dataclass(frozen=True)
class CopiedBoxes:
    """Boxes that were copied from one image; `picture` is its file name."""

    picture: str
    boxes: tuple[CopiedBox, ...]


def text_of(copied: CopiedBoxes) -> str:
    """The JSON text of copied boxes."""
    boxes = [{"category": entry.category, "box": list(map(float, entry.box))} for entry in copied.boxes]
    return json.dumps({_KEY: _VERSION, "picture": copied.picture, "boxes": boxes}, ensure_ascii=False)


def parse(text: str) -> CopiedBoxes | None:
    """Copied boxes of a text; None if it is another kind of text.

    Raises BadInputError if it names itself so, but holds what cannot be pasted.
    """
    if _KEY not in text[:200] or len(text) > LARGEST_TEXT:
        return None
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, dict) or _KEY not in values:
        return None
    if values[_KEY] != _VERSION:
        raise BadInputError(
            tr("The copied boxes come from a newer version of BoxRefine: update this one, or copy them from here.")
        )
    listed, picture = values.get("boxes"), values.get("picture", "")
    if not isinstance(listed, list) or not listed or len(listed) > MOST_BOXES:
        raise _broken()
    return CopiedBoxes(picture if isinstance(picture, str) else "", tuple(map(_box_of, listed)))


def _box_of(entry: object) -> CopiedBox:
    edges, name = (entry.get("box"), entry.get("category")) if isinstance(entry, dict) else (None, None)
    if not isinstance(edges, list) or len(edges) != 4 or not isinstance(name, str) or not is_name(name):
        raise _broken()
    if any(isinstance(edge, bool) or not isinstance(edge, int | float) for edge in edges):
        raise _broken()
    try:
        box = Box(*map(float, edges))
    except OverflowError as error:
        raise _broken() from error
    if not all(map(math.isfinite, box)) or box.width <= 0 or box.height <= 0:
        raise _broken()
    return CopiedBox(name, box)


def _broken() -> BadInputError:
    return BadInputError(tr("The copied text is damaged and cannot be pasted: copy the boxes again."))


def place(boxes: Sequence[Box], *, taken: Sequence[Box], step: float, width: int, height: int) -> list[Box | None]:
    """Find the places of pasted boxes on an image of `width` x `height` pixels; None stands for one that lies outside.

    All keep their places, clipped to the image. If one would cover an equal box of `taken`, all move together by steps
    of `step` pixels, in the first direction in which the image has room for a free place.
    """
    there = {_rounded(box) for box in taken}
    inside = [box for box in boxes if _clipped(box, width, height) is not None]
    across, down = _way(inside, there, step=step, width=width, height=height)
    return [_clipped(_shifted(box, across, down), width, height) for box in boxes]


def _way(
    boxes: Sequence[Box], there: set[tuple[int, ...]], *, step: float, width: int, height: int
) -> tuple[float, float]:
    """How far boxes must move right and down to be free of equal ones; 0 if there is no room for that."""
    for right, below in _DIRECTIONS:
        for times in range(len(there) + 1):
            across, down = right * step * times, below * step * times
            moved = [_shifted(box, across, down) for box in boxes]
            if times and not all(_is_within(box, width, height) for box in moved):
                break
            if not any(_rounded(box) in there for box in moved):
                return across, down
    return 0.0, 0.0


def _clipped(box: Box, width: int, height: int) -> Box | None:
    cut = Box(max(box.x1, 0.0), max(box.y1, 0.0), min(box.x2, float(width)), min(box.y2, float(height)))
    return cut if min(cut.width, cut.height) >= min(1.0, box.width, box.height) else None


def _is_within(box: Box, width: int, height: int) -> bool:
    return box.x1 >= 0 and box.y1 >= 0 and box.x2 <= width and box.y2 <= height


def _shifted(box: Box, across: float, down: float) -> Box:
    return Box(box.x1 + across, box.y1 + down, box.x2 + across, box.y2 + down)


def _rounded(box: Box) -> tuple[int, ...]:
    return tuple(round(edge) for edge in box)
