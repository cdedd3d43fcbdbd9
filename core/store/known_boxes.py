"""Find the boxes that a project has already, so that importing a file twice adds none."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from sqlite_utils import Database

from core.geometry import Box
from core.records import Correction
from core.store.row_checks import BadRow
from core.store.rows import boxes_of

SAME_PX, SAME_SHARE = 0.51, 0.05
"""Largest difference of the edges of two boxes that count as one, in pixels and as a fraction of the shorter side.
Pascal VOC rounds edges to whole pixels."""

_LEAST_SLACK = 1e-6
_FEW = 8
_CELLS = 4.0
"""Side of a cell in slacks, so that most comparisons need one cell, and few boxes share one."""

Cell = tuple[int, int, int, int, int]
"""A level of the grid, and the cell's index for each of the four edges."""


class KnownBoxes:
    """An index of a project's boxes, to detect which boxes of a file the project has already.

    The boxes of an image and a category are compared one by one while they are few. For many, the index is a hash grid
    over all four edges, because many boxes of a file may share one edge. The size of a cell grows with that of the box,
    because small boxes have less slack.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._images: dict[int, dict[int, _Held]] = {}  # by image and category
        self.compared = 0

    def read(self, image_ids: Iterable[int]) -> None:
        """Read the boxes of images at once; `take` reads those of others one by one."""
        wanted = [id for id in image_ids if id not in self._images]
        self._images |= {id: {} for id in wanted}
        query = (
            "SELECT image_id, category_id, drawn, accepted, origin FROM corrections "
            "WHERE image_id IN (SELECT value FROM json_each(?))"
        )
        for image_id, category_id, drawn, accepted, origin in self._db.execute(query, [json.dumps(wanted)]).fetchall():
            with contextlib.suppress(BadRow):  # a damaged box matches none
                for box in boxes_of(drawn, accepted, origin):
                    self._add(image_id, category_id, box)

    def forget(self, image_id: int) -> None:
        """Free what is known of an image that has no more boxes to come."""
        self._images.pop(image_id, None)

    def take(self, new: Correction, category_id: int | None = None) -> bool:
        """Return whether an imported box is new, and add it to the index; `category_id` replaces its own.

        A box that was refined or moved after its import is recognized by the box in its file. A box that
        `boxrefine refine` refined is recognized by its drawn box, whichever refiner was used.
        """
        category_id = new.category_id if category_id is None else category_id
        box = new.accepted if new.origin is None else new.origin.box
        return self.take_boxes(
            new.image_id, category_id, (box,) if new.confirmed or new.drawn == box else (box, new.drawn)
        )

    def take_boxes(self, image_id: int, category_id: int, boxes: Sequence[Box]) -> bool:
        """The same for an imported box by all the boxes that identify it."""
        if image_id not in self._images:
            self.read([image_id])
        held = self._images[image_id].get(category_id)
        if held is not None:
            for each in boxes:
                if self._holds(held, each):
                    return False
        for each in boxes:
            self._add(image_id, category_id, each)
        return True

    def _add(self, image_id: int, category_id: int, box: Box) -> None:
        held = self._images[image_id].get(category_id)
        if held is None:
            held = self._images[image_id][category_id] = _Held()
        held.add(box)

    def _holds(self, held: _Held, box: Box) -> bool:
        """Whether the index has an equal box, within the slack."""
        slack = _slack(box)
        for other in held.near(box, slack):
            self.compared += 1
            if (
                abs(other[0] - box[0]) <= slack
                and abs(other[1] - box[1]) <= slack
                and abs(other[2] - box[2]) <= slack
                and abs(other[3] - box[3]) <= slack
            ):
                return True
        return False


class _Held:
    """The boxes of one image and category; `cells` is the grid, None while they are few."""

    __slots__ = ("boxes", "cells")

    def __init__(self) -> None:
        self.boxes: list[Box] = []
        self.cells: dict[Cell, list[Box]] | None = None

    def add(self, box: Box) -> None:
        if not all(map(math.isfinite, box)):
            return  # from a damaged project; no box of a file can match it
        if self.cells is None:
            self.boxes.append(box)
            if len(self.boxes) > _FEW:
                self.cells = {}
                for each in self.boxes:
                    self._put(self.cells, each)
                self.boxes = []
        else:
            self._put(self.cells, box)

    def near(self, box: Box, slack: float) -> Iterable[Box]:
        """The boxes that may be equal to `box`."""
        if self.cells is None:
            return self.boxes
        cells = self.cells
        return (held for cell in _cells_near(box, slack) for held in cells.get(cell, ()))

    def _put(self, cells: dict[Cell, list[Box]], box: Box) -> None:
        level = _level(_slack(box))
        size = _CELLS * 2.0**level
        left, top, right, bottom = (math.floor(edge / size) for edge in box)
        held = cells.setdefault((level, left, top, right, bottom), [])
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
