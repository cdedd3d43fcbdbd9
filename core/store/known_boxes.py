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
        self._cells: dict[tuple[int, int, Cell], set[Box]] = {}  # by image, category and cell
        self._read: set[int] = set()
        self.compared = 0

    def take(self, new: Correction) -> bool:
        """Return whether an imported box is new, and add it to the index.

        A box that was refined or moved after its import is recognized by the box in its file. A box that
        `boxrefine refine` refined is recognized by its drawn box, whichever refiner was used.
        """
        self._read_image(new.image_id)
        where = new.image_id, new.category_id
        box = new.accepted if new.origin is None else new.origin.box
        if self._holds(where, box) or (not new.confirmed and self._holds(where, new.drawn)):
            return False
        for each in {box} if new.confirmed else {box, new.drawn}:
            self._add(where, each)
        return True

    def _read_image(self, image_id: int) -> None:
        if image_id in self._read:
            return
        self._read.add(image_id)
        query = "SELECT category_id, drawn, accepted, origin FROM corrections WHERE image_id = ?"
        rows = self._db.execute(query, [image_id])
        for category_id, drawn, accepted, origin in rows.fetchall():
            with contextlib.suppress(BadRow):  # a damaged box matches none
                for box in boxes_of(drawn, accepted, origin):
                    self._add((image_id, category_id), box)

    def _add(self, where: tuple[int, int], box: Box) -> None:
        if not all(map(math.isfinite, box)):
            return  # from a damaged project; no box of a file can match it
        level = _level(_slack(box))
        size = _CELLS * 2.0**level
        left, top, right, bottom = (math.floor(edge / size) for edge in box)
        self._cells.setdefault((*where, (level, left, top, right, bottom)), set()).add(box)

    def _holds(self, where: tuple[int, int], box: Box) -> bool:
        """Whether the index has an equal box, within the slack."""
        slack = _slack(box)
        for cell in _cells_near(box, slack):
            for held in self._cells.get((*where, cell), ()):
                self.compared += 1
                if max(map(abs, map(sub, held, box))) <= slack:
                    return True
        return False


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
