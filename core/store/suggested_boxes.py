"""Rows of suggested boxes: put them, remove them, and remember those that the user rejected."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
from sqlite_utils import Database

from core.geometry import Boxes, as_boxes, iou
from core.head_records import SAME_OBJECT, SAME_PLACE
from core.records import ImportedBox
from core.store.correction_columns import box_text, origin_of
from core.store.row_checks import BadRow, Row, box_of, json_of
from core.store.rows import correction_row, is_whole, now
from core.store.undo_log import Operation

SUGGESTED = "confirmed = 0 AND origin LIKE '{\"head\":%'"  # untranslated: SQL
"""Suggestions of this project that the user has not reviewed; those that came by a file belong to that import."""

ACCEPTED = "(confirmed = 1 OR origin IS NULL)"  # untranslated: SQL
"""Boxes that the user has accepted, perhaps before a later proposal came."""


def put(
    operation: Operation, db: Database, image_id: int, found: Sequence[ImportedBox], *, only: Collection[str] | None
) -> None:
    """Replace the unreviewed suggestions of an image, or those of the categories `only`.

    Suggestions that are there already stay, with their ids. Those of unknown categories, and those at the place of
    another box or of a rejected one, are left out.
    """
    ids = {row["name"]: row["id"] for row in db.query("SELECT id, name FROM categories")}
    wanted = {}
    for entry in found:
        if entry.category in ids and entry.correction.origin is not None:
            new = replace(entry.correction, image_id=image_id, category_id=ids[entry.category], confirmed=False)
            wanted[new.category_id, box_text(new.drawn), entry.correction.origin.head] = new
    for row in list(db.query(f"SELECT * FROM corrections WHERE image_id = ? AND {SUGGESTED}", [image_id])):
        if not is_whole("corrections", row):
            continue
        if wanted.pop((row["category_id"], row["drawn"], origin_of(row["origin"]).head), None) is not None:
            continue
        if only is None or row["category_id"] in {ids[name] for name in only if name in ids}:
            operation.remove("corrections", row)
    boxes, categories = _taken(db, image_id)
    for new in wanted.values():
        if not len(boxes) or not _is_taken(new.accepted, new.category_id, boxes, categories):
            operation.insert("corrections", correction_row(new))


def _taken(db: Database, image_id: int) -> tuple[Boxes, np.ndarray]:
    """Boxes (N, 4) of an image that nothing may be suggested over, and the ids of their categories (N,)."""
    places, categories = [], []
    for table, column in (("corrections", "accepted"), ("drawn_boxes", "accepted"), ("rejected_boxes", "box")):
        rows = db.execute(f"SELECT {column}, category_id FROM {table} WHERE image_id = ?", [image_id])
        for text, category_id in rows.fetchall():
            try:
                places.append(box_of(json_of(text, column), column))
            except BadRow:  # a damaged box is at no place
                continue
            categories.append(category_id if isinstance(category_id, int) else 0)
    return as_boxes(places), np.array(categories, np.int64)


def _is_taken(box: Sequence[float], category_id: int, boxes: Boxes, categories: np.ndarray) -> bool:
    overlap = iou(np.tile(np.array(box, np.float64), (len(boxes), 1)), boxes)
    return bool((overlap > np.where(categories == category_id, SAME_OBJECT, SAME_PLACE)).any())


def suggested_rows(db: Database, image_id: int | None = None) -> list[Row]:
    """The undamaged rows of unreviewed suggestions, of one image or of all."""
    where, values = (SUGGESTED, []) if image_id is None else (f"image_id = ? AND {SUGGESTED}", [image_id])
    rows = db.query(f"SELECT * FROM corrections WHERE {where} ORDER BY id", values)
    return [row for row in rows if is_whole("corrections", row)]


def remove_box(operation: Operation, row: Row) -> None:
    """Delete a box; if it was a suggestion to check, remember that the user rejected it."""
    operation.remove("corrections", row)
    head = origin_of(row["origin"]).head if not row["confirmed"] and row["origin"] is not None else ""
    if head:
        values = {"image_id": row["image_id"], "category_id": row["category_id"], "box": row["drawn"], "head": head}
        operation.insert("rejected_boxes", {**values, "created": now()})


def move_rejected(operation: Operation, db: Database, category_id: int, *, into: int | None) -> None:
    """Give the rejected boxes of a category to another one; None: delete them."""
    for row in list(db.query("SELECT * FROM rejected_boxes WHERE category_id = ? ORDER BY id", [category_id])):
        if into is None:
            operation.remove("rejected_boxes", row)
        else:
            operation.update("rejected_boxes", row, category_id=into)
