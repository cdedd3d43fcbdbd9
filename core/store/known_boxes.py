"""Which boxes a project holds already, so that a file that is imported twice doubles nothing."""

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
"""Two boxes of one image and category are one where their edges differ by no more than so many pixels, and no more than
this share of the shorter side: Pascal VOC has whole pixels alone."""

_LEAST_SLACK = 1e-6
_CELLS = 4.0
"""Of a cell's side in slacks: most boxes then have all that is the same in one cell, and few share it."""

Cell = tuple[int, int, int, int, int]
"""A level, and where a box's four edges are in steps of it."""


class KnownBoxes:
    """The boxes that a project holds, to tell which ones of a file are among them.

    They lie in cells by all four edges, because a file may have any number of boxes with one edge in common. The cells'
    size goes with that of the box, since small boxes have less slack.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._cells: dict[tuple[int, int, Cell], set[Box]] = {}  # by image, category and cell
        self._read: set[int] = set()
        self.compared = 0

    def take(self, new: Correction) -> bool:
        """Whether this imported box is new; from now on it is not.

        A box that was refined or moved after its import is still known by what its file had, and one that was refined
        outside by what was drawn there, also where another refiner answered.
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
        columns = "category_id, drawn, accepted, origin"
        rows = self._db.execute(f"SELECT {columns} FROM corrections WHERE image_id = ?", [image_id])
        for category_id, drawn, accepted, origin in rows.fetchall():
            with contextlib.suppress(BadRow):  # nothing is known of a damaged box
                for box in boxes_of(drawn, accepted, origin):
                    self._add((image_id, category_id), box)

    def _add(self, where: tuple[int, int], box: Box) -> None:
        if not all(map(math.isfinite, box)):
            return  # of a damaged project; no box of a file is the same
        level = _level(_slack(box))
        size = _CELLS * 2.0**level
        left, top, right, bottom = (math.floor(edge / size) for edge in box)
        self._cells.setdefault((*where, (level, left, top, right, bottom)), set()).add(box)

    def _holds(self, where: tuple[int, int], box: Box) -> bool:
        """Whether there is the same box."""
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
    """The cells that hold all boxes which are the same; the slack of those is larger or smaller by a tenth."""
    for level in {_level(slack * 0.89), _level(slack * 1.11)}:
        size = _CELLS * 2.0**level
        spans = [range(math.floor((edge - slack) / size), math.floor((edge + slack) / size) + 1) for edge in box]
        for left, top, right, bottom in product(*spans):
            yield level, left, top, right, bottom
