"""Find the boxes that a project has already, so that importing a file twice adds none."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from itertools import product
from operator import sub

from sqlite_utils import Database

from core.geometry import Box
from core.records import Correction
from core.store.row_checks import BadRow
from core.store.rows import boxes_of

SAME_PX, SAME_SHARE = 0.51, 0.05
"""Largest difference of the edges of two boxes that count as one, in pixels and as a fraction of the shorter side.
Pascal VOC rounds edges to whole pixels."""

_LEAST_SLACK = 1e-6
_CELLS = 4.0
"""Side of a cell in slacks, so that most comparisons need one cell, and few boxes share one."""

Cell = tuple[int, int, int, int, int]
"""A level of the grid, and the cell's index for each of the four edges."""


class KnownBoxes:
    """An index of a project's boxes, to detect which boxes of a file the project has already.

    It is a hash grid over all four edges, because many boxes of a file may share one edge. The size of a cell grows
    with that of the box, because small boxes have less slack.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._cells: dict[int, dict[tuple[int, Cell], list[Box]]] = {}  # by image, then by category and cell
        self.compared = 0

    def forget(self, image_id: int) -> None:
        """Free what is known of an image that has no more boxes to come."""
        self._cells.pop(image_id, None)

    def take(self, new: Correction, category_id: int | None = None) -> bool:
        """Return whether an imported box is new, and add it to the index; `category_id` replaces its own.

        A box that was refined or moved after its import is recognized by the box in its file. A box that
        `boxrefine refine` refined is recognized by its drawn box, whichever refiner was used.
        """
        cells = self._cells.get(new.image_id)
        if cells is None:
            cells = self._cells[new.image_id] = {}
            self._read_image(cells, new.image_id)
        category_id = new.category_id if category_id is None else category_id
        box = new.accepted if new.origin is None else new.origin.box
        boxes = (box,) if new.confirmed or new.drawn == box else (box, new.drawn)
        if any(self._holds(cells, category_id, each) for each in boxes):
            return False
        for each in boxes:
            _add(cells, category_id, each)
        return True

    def _read_image(self, cells: dict[tuple[int, Cell], list[Box]], image_id: int) -> None:
        query = "SELECT category_id, drawn, accepted, origin FROM corrections WHERE image_id = ?"
        rows = self._db.execute(query, [image_id])
        for category_id, drawn, accepted, origin in rows.fetchall():
            with contextlib.suppress(BadRow):  # a damaged box matches none
                for box in boxes_of(drawn, accepted, origin):
                    _add(cells, category_id, box)

    def _holds(self, cells: dict[tuple[int, Cell], list[Box]], category_id: int, box: Box) -> bool:
        """Whether the index has an equal box, within the slack."""
        if not cells:
            return False
        slack = _slack(box)
        for cell in _cells_near(box, slack):
            for held in cells.get((category_id, cell), ()):
                self.compared += 1
                if max(map(abs, map(sub, held, box))) <= slack:
                    return True
        return False


def _add(cells: dict[tuple[int, Cell], list[Box]], category_id: int, box: Box) -> None:
    if not all(map(math.isfinite, box)):
        return  # from a damaged project; no box of a file can match it
    level = _level(_slack(box))
    size = _CELLS * 2.0**level
    left, top, right, bottom = (math.floor(edge / size) for edge in box)
    held = cells.setdefault((category_id, (level, left, top, right, bottom)), [])
    if box not in held:
        held.append(box)


def _slack(box: Box) -> float:
    return max(_LEAST_SLACK, min(SAME_PX, SAME_SHARE * min(box.width, box.height)))


def _level(slack: float) -> int:
    return math.ceil(math.log2(slack))


def _cells_near(box: Box, slack: float) -> Iterator[Cell]:
    """The cells that may hold an equal box, whose slack may differ by a tenth."""
    for level in {_level(slack * 0.89), _level(slack * 1.11)}:
        size = _CELLS * 2.0**level
        spans = [range(math.floor((edge - slack) / size), math.floor((edge + slack) / size) + 1) for edge in box]
        for left, top, right, bottom in product(*spans):
            yield level, left, top, right, bottom
