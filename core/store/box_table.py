"""The boxes of a project as rows of a table, read in parts, so that ten million of them need little memory."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

from core.store.correction_columns import origin_of
from core.store.project_file import convert_sqlite_errors
from core.store.project_store import ProjectStore
from core.store.row_checks import BadRow, Row

_IMAGES_AT_ONCE = 500
_NONE = (None, None, None, None)
_EDGES = ("left", "top", "right", "bottom")
_BOXES = (
    "SELECT c.*, r.verdict, r.comment FROM corrections c LEFT JOIN reviews r ON r.id = c.id "
    "WHERE c.image_id BETWEEN ? AND ? ORDER BY c.image_id, c.id"
)


def box_rows(
    store: ProjectStore,
    *,
    splits: Callable[[int, str], str],
    content: Callable[[str], str | None],
    empty: Callable[[tuple[Any, ...], str | None], tuple[Any, ...]],
) -> Iterator[tuple[Any, ...]]:
    """The rows of `core.formats.parquet.COLUMNS`, by pictures in their order; damaged boxes are left out.

    `splits` gives the split of an image by its id and name, `content` the identity of a picture's content by its stored
    path, and `empty` makes the row of a picture that is done without boxes.
    """
    db = store.database
    with convert_sqlite_errors(store.path):
        names = dict(db.execute("SELECT id, name FROM categories").fetchall())
        writers = store.annotators()
        last = 0
        query = (
            "SELECT i.id, i.path, i.width, i.height, m.done, m.flag FROM images i LEFT JOIN marks m ON m.id = i.id "
            "WHERE i.id > ? ORDER BY i.id LIMIT ?"
        )
        while images := db.execute(query, [last, _IMAGES_AT_ONCE]).fetchall():
            first, last = images[0][0], images[-1][0]
            boxes: dict[int, list[Row]] = {}
            for row in db.query(_BOXES, [first, last]):
                boxes.setdefault(row["image_id"], []).append(row)
            for id, path, width, height, done, flag in images:
                name = os.fsdecode(path)
                head = (name, content(name), width, height, splits(id, name) or None)
                held = boxes.pop(id, ())
                for row in held:
                    try:
                        told = _of_box(row, done=bool(done), flag=flag, annotator=writers.get(row["writer"]))
                        yield (*head, names[row["category_id"]], *told)
                    except (BadRow, ValueError, TypeError, KeyError):  # `project check` reports them
                        continue
                if done and not held:
                    yield empty(head, flag)


def _of_box(row: Row, *, done: bool, flag: str | None, annotator: str | None) -> tuple[Any, ...]:
    load = json.loads
    accepted = load(row["accepted"])
    drawn = accepted if row["drawn"] == row["accepted"] else load(row["drawn"])
    refined = row["refined"]
    origin = None if row["origin"] is None else origin_of(row["origin"])
    confirmed, doubtful = row["confirmed"] or origin is None, row["doubtful"]
    return (
        *drawn,
        *(_NONE if refined is None else accepted if refined == row["accepted"] else load(refined)),
        *accepted,
        *(_NONE if row["edge_confidence"] is None else load(row["edge_confidence"])),
        row["score"],
        None if origin is None else origin.probability or None,
        "accepted" if confirmed else "suggested" if origin is not None and origin.head else "to_check",
        " ".join(name for bit, name in enumerate(_EDGES) if doubtful >> bit & 1) or None if doubtful else None,
        row["verdict"] or None,
        row["comment"] or None,
        done,
        flag,
        row["refiner"] or None,
        row["encoder"] or None,
        (None if origin is None else origin.head) or None,
        (None if origin is None else origin.file) or None,
        annotator,
        row["seconds"],
        row["created"],
        row["changed"],
    )
