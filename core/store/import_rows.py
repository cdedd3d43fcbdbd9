"""The rows of imported boxes, made from columns: a dictionary for each of a million boxes would take minutes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.correction_table import BoxTable
from core.geometry import Box
from core.records import Correction, Origin
from core.store.correction_columns import COLUMNS, Group, came_text, columns_of, plain_text, start_of_origin

NAMES: Sequence[str] = ("id", *(column.name for column in COLUMNS), "created", "changed", "writer")
"""The columns of a row of `corrections`, in the order in which `ImportRows` fills them."""

_PLACE = {name: place for place, name in enumerate(NAMES)}
_IMAGE, _CATEGORY, _ORIGIN, _CONFIRMED = (_PLACE[name] for name in ("image_id", "category_id", "origin", "confirmed"))
_DRAWN, _ACCEPTED = _PLACE["drawn"], _PLACE["accepted"]


class ImportRows:
    """Makes rows of the boxes of a table."""

    def __init__(self, boxes: BoxTable) -> None:
        self._table = boxes.corrections
        box = Box(0.0, 0.0, 1.0, 1.0)
        sample = Correction(0, 0, box, box, origin=Origin("", box), confirmed=False)
        self._sample = [0, *columns_of(sample, *Group).values(), "", "", 0]

    def row(self, place: int, category_id: int, *, moment: str, writer: int) -> list[Any]:
        """The values of NAMES for the box at a place, without an id."""
        table, row = self._table, list(self._sample)
        row[-3] = row[-2] = moment
        row[-1] = writer
        whole = table.whole.get(place)
        if whole is not None:
            row[1:-3] = columns_of(whole, *Group).values()
        else:
            came = table.kind_of(place)
            text = plain_text(*table.edges[4 * place : 4 * place + 4])
            row[_IMAGE], row[_CONFIRMED] = table.image_ids[place], int(came.confirmed)
            row[_DRAWN] = row[_ACCEPTED] = text
            row[_ORIGIN] = came_text(
                start_of_origin(came.file),
                table.scores[place],
                came.is_crowd,
                text,
                format=came.format,
                entry=table.text(place),
            )
        row[_CATEGORY] = category_id
        return row
