"""The usable boxes of a COCO file in columns, from which they are made picture by picture."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.formats.defects import Defects
from core.formats.importers.coco_reader import CocoId, CocoImage, UnusableError, id_of, place_of
from core.formats.importers.json_steps import STEP, JsonEntries
from core.formats.importers.parsed import NO_CATEGORY, ParsedBox, is_finite
from core.geometry import Box
from core.progress import Job, Progress
from core.translation import tr

COCO = "COCO"
OUR_KEYS = frozenset(
    (
        *("drawn_bbox", "refined_bbox", "edge_confidence", "refine_score", "encoder", "refiner", "seconds", "margin"),
        *("confirmed", "choice", "doubtful", "source", "suggested", "candidates", "drawn_by"),
    )
)
"""The keys of BoxRefine's own exports; they become fields of a correction."""

_CROWD, _RESTORED = 1, 2
_NO_SCORE = -1.0


class CocoColumns:
    """Boxes of a file: the place of their image and of their entry, edges, category, score.

    A score that is -1 stands for none; scores are in [0, 1], as an import cuts them to that.
    """

    def __init__(self, entries: Sequence[Any], names: Mapping[CocoId, str]) -> None:
        self._entries = entries
        self._names = [NO_CATEGORY, *names.values()]
        self._place_of = {id: place for place, id in enumerate(names, start=1)}
        self._images, self._rows, self._categories = array("i"), array("i"), array("i")
        self._edges, self._scores, self._marks = array("d"), array("d"), bytearray()
        self._slices: dict[int, tuple[int, int]] = {}
        self._order: list[int] = []

    def add(self, row: int, image: int, edges: Sequence[float], entry: Mapping[str, Any]) -> None:
        """Add the box of the entry at `row`, on the image at the place `image`."""
        category = id_of(entry.get("category_id"))
        score = entry.get("score")
        self._rows.append(row)
        self._images.append(image)
        self._categories.append(0 if category is None else self._place_of.get(category, 0))
        self._edges.extend(edges)
        self._scores.append(min(max(float(score), 0.0), 1.0) if is_finite(score) else _NO_SCORE)
        is_crowd = entry.get("iscrowd") in (1, True)
        self._marks.append((_CROWD if is_crowd else 0) | (0 if OUR_KEYS.isdisjoint(entry) else _RESTORED))

    def sort(self) -> None:
        """Group the boxes by their images, in their order on each."""
        images = np.array(self._images, np.int64)
        order = np.argsort(images, kind="stable")
        places, starts = np.unique(images[order], return_index=True)
        ends = [*starts.tolist(), len(order)][1:]
        self._order = order.astype(np.int32)  # type: ignore[assignment]
        self._slices = dict(zip(places.tolist(), zip(starts.tolist(), ends, strict=True), strict=True))

    def on_image(self, place: int) -> _OnImage:
        """The boxes of the image at a place, to be made when they are iterated."""
        return _OnImage(self, place)

    def boxes(self, image: int) -> Iterator[ParsedBox]:
        """Make the boxes of an image."""
        start, end = self._slices.get(image, (0, 0))
        entries = self._entries
        lazy = entries if isinstance(entries, JsonEntries) else None
        for place in np.asarray(self._order[start:end]).tolist():
            row, mark, score = self._rows[place], self._marks[place], self._scores[place]
            x1, y1, x2, y2 = self._edges[4 * place : 4 * place + 4]
            text = lazy.text_at(row) if lazy is not None and not mark & _RESTORED else ""
            yield ParsedBox(
                self._names[self._categories[place]],
                Box(x1, y1, x2, y2),
                None if score == _NO_SCORE else score,
                None if text else entries[row],
                COCO,
                text,
                bool(mark & _CROWD),
            )


class _OnImage:
    """The boxes of one image; small, because a file may have 100,000 images."""

    __slots__ = ("_columns", "_image")

    def __init__(self, columns: CocoColumns, image: int) -> None:
        self._columns, self._image = columns, image

    def __iter__(self) -> Iterator[ParsedBox]:
        return self._columns.boxes(self._image)


def read_columns(
    path: Path,
    entries: Sequence[Any],
    images: Mapping[CocoId, CocoImage],
    names: Mapping[CocoId, str],
    defects: Defects,
) -> Job[CocoColumns]:
    """Check the annotations of a document; those that cannot be used are counted in `defects`."""
    columns = CocoColumns(entries, names)
    places = {id: place for place, id in enumerate(images)}
    for row, entry in enumerate(entries):
        if row % STEP == 0:
            yield Progress(row, len(entries), tr("Checking the boxes of {name}", name=path.name))
        try:
            image_id, edges = place_of(entry, images)
        except UnusableError as error:
            error.count(defects, path, row, entry)
        else:
            columns.add(row, places[image_id], edges, entry)
    columns.sort()
    return columns
