"""Repair damaged rows: keep every value that can be read, and replace the others by defaults."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import KnownError
from core.images import read_size
from core.records import Step, StepKind, VerdictKind
from core.reviews import Verdict
from core.store.correction_columns import COLUMNS
from core.store.row_checks import (
    LARGEST_SIDE,
    BadRow,
    Row,
    box_in,
    id_in,
    is_unicode,
    mapping_in,
    text_in,
    whole_number_in,
)
from core.store.rows import is_look, now, picture_path
from core.store.steps import step_columns, step_of
from core.translation import tr

UNKNOWN_CATEGORY = "unknown"
"""Category of boxes whose category is lost. It is stored, so it is not translated."""

Check = Callable[[Row, str], object]

_EXTRAS: Mapping[str, tuple[Check, Any]] = {
    **{column.name: (column.read, column.unread) for column in COLUMNS if column.can_be_lost},
    "created": (text_in, ""),
    "changed": (text_in, ""),
    "writer": (lambda row, name: whole_number_in(row, name, least=0, most=2**63 - 1), 0),
}
"""Optional columns of a box: the function that reads one, and the value to store if that fails."""

_OF_THE_REFINEMENT = dict.fromkeys(("refined", "edge_confidence", "score", "outline", "margin", "choice"))


@dataclass
class RowRepairer:
    """Repairs rows, table by table: images and categories before the rows that refer to them.

    `folder` is the project's. `notes` has a line for each repaired or dropped row.
    """

    folder: Path
    notes: list[str] = field(default_factory=list)
    images: dict[int, int] = field(default_factory=dict)  # id in the damaged file -> in the new one
    categories: set[int] = field(default_factory=set)
    boxes: dict[int, int] = field(default_factory=dict)  # id -> id of the image in the new file
    refiners: set[int] = field(default_factory=set)
    _paths: dict[object, int] = field(default_factory=dict)
    _names: set[str] = field(default_factory=set)
    _marked: set[int] = field(default_factory=set)

    def image(self, row: Row, *, extent: tuple[int, int]) -> Row | None:
        """Repair an image. `extent` is the largest x and y of its boxes, used if the picture's size cannot be read."""
        path = row["path"]
        if isinstance(path, str) and not is_unicode(path):
            path = os.fsencode(path)
            self._note("images", row, tr("the path is kept as the bytes that are there"))
        try:
            whole = picture_path(path, folder=self.folder)
            id = id_in(row)
        except BadRow as bad:
            return self._drop("images", row, str(bad))
        if path in self._paths:
            self.images[id] = self._paths[path]
            return self._drop("images", row, tr("the same picture is there already, and its boxes go there"))
        self._paths[path] = self.images[id] = id
        try:
            size = whole_number_in(row, "width"), whole_number_in(row, "height")
        except BadRow as bad:
            size = _size_of(whole, extent)
            self._note(
                "images", row, tr("{problem}: now {width} x {height}", problem=bad, width=size[0], height=size[1])
            )
        return {"id": id, "path": path, "width": size[0], "height": size[1]}

    def category(self, row: Row) -> Row | None:
        """Repair a category: it keeps its id, and the readable part of its name."""
        name, id, place = row["name"], row["id"], row.get("place")
        if id < 1:
            return self._drop("categories", row, tr("it has no id"))
        if not isinstance(name, str) or not is_unicode(name) or not name.strip():
            name = _readable(name) or f"category {id}"
            self._note("categories", row, tr("the name is now {name}", name=name))
        if name in self._names:
            name = f"{name} ({id})"
            self._note("categories", row, tr("the name was there already and is now {name}", name=name))
        if place is not None and (type(place) is not int or place < 1):
            place = None
            self._note("categories", row, tr("it stands where its id puts it"))
        looks = {column: row.get(column) for column in ("color", "key")}
        for column, value in looks.items():
            if value is not None and not is_look(column, value):
                looks[column] = None
                self._note("categories", row, tr("its {column} is the automatic one again", column=column))
        self._names.add(name)
        self.categories.add(id)
        return {"id": id, "name": name, "place": place, **looks}

    def correction(self, row: Row, *, unknown: Callable[[], int]) -> Row | None:
        """Repair a box: it keeps its readable values, and becomes unconfirmed if the accepted box is not the user's.

        `unknown` returns the id of the category for boxes whose category is lost.
        """
        image_id = row["image_id"]
        if type(image_id) is not int or image_id not in self.images or row["id"] < 1:
            return self._drop("corrections", row, tr("its image {id} is lost", id=repr(image_id)))
        repaired, done = dict(row) | {"image_id": self.images[image_id]}, []
        boxes = {name: _box_or_none(row, name) for name in ("drawn", "refined", "accepted")}
        best = boxes["accepted"] or boxes["refined"] or boxes["drawn"]
        if best is None:
            return self._drop("corrections", row, tr("none of its boxes can be read"))
        if boxes["accepted"] is None:
            repaired |= {"accepted": best, "confirmed": 0}
            done.append(tr("the accepted box is now the refined or drawn one, to be checked"))
        if boxes["drawn"] is None:
            repaired["drawn"] = repaired["accepted"]
            done.append(tr("the drawn box is now the accepted one"))
        if boxes["refined"] is None and row["refined"] is not None:
            repaired |= _OF_THE_REFINEMENT
            done.append(tr("the refinement is gone"))
        if row["category_id"] not in self.categories:
            repaired |= {"category_id": unknown(), "confirmed": 0}
            done.append(tr("the category is now {name}, to be checked", name=UNKNOWN_CATEGORY))
        done += _repair_extras(repaired)
        if done:
            self._note("corrections", row, "; ".join(done))
        self.boxes[row["id"]] = repaired["image_id"]
        return repaired

    def mark(self, row: Row) -> Row | None:
        """Repair a mark: it keeps what can be read; an image that cannot be read as done is not done."""
        id = self.images.get(row["id"])
        if id is None:
            return self._drop("marks", row, tr("its image {id} is lost", id=repr(row["id"])))
        if id in self._marked:
            return self._drop("marks", row, tr("its image has a mark already"))
        self._marked.add(id)
        done, flag = row["done"], row["flag"]
        repaired = {
            "id": id,
            "done": done if type(done) is int and done in (0, 1) else 0,
            "flag": flag if flag is None or (isinstance(flag, str) and is_unicode(flag)) else _readable(flag),
        }
        if (repaired["done"], repaired["flag"]) != (done, flag):
            self._note("marks", row, tr("what could not be read is empty"))
        return repaired

    def review(self, row: Row) -> Row | None:
        """Repair a review: it keeps what can be read; without its box it is left out."""
        image_id = self.boxes.pop(row["id"], None)  # a damaged file may have two of one id
        if image_id is None:
            return self._drop("reviews", row, tr("its box {id} is lost", id=repr(row["id"])))
        verdict, comment, writer, changed = (row[name] for name in ("verdict", "comment", "writer", "changed"))
        repaired = {
            "id": row["id"],
            "image_id": image_id,
            "verdict": verdict if verdict in {*Verdict} else "",
            "comment": comment if isinstance(comment, str) and is_unicode(comment) else _readable(comment),
            "writer": writer if type(writer) is int and writer >= 0 else 0,
            "changed": changed if isinstance(changed, str) and is_unicode(changed) else now(),
        }
        if any(repaired[name] != row[name] for name in repaired):
            self._note("reviews", row, tr("what could not be read is empty"))
        return repaired

    def refiner(self, row: Row) -> Row | None:
        """Repair a refiner: it needs its folder; its other values may be lost."""
        try:
            id = id_in(row)
            picture_path(row["folder"], folder=self.folder)
        except BadRow as bad:
            return self._drop("refiners", row, str(bad))
        repaired = dict(row)
        remark = row["remark"] if "remark" in row and row["remark"] is not None else row.get("sentence", "")
        if "verdict" not in row or row["verdict"] not in {*VerdictKind}:
            remark = remark or row.get("verdict", "")  # a file of a version that stored sentences here
            repaired["verdict"] = VerdictKind.TEXT.value
        repaired["remark"] = remark
        for name in ("identity", "encoder", "parent", "remark", "created"):
            value = repaired[name]
            repaired[name] = value if isinstance(value, str) and is_unicode(value) else _readable(value)
        for name in ("data", "config", "figures"):
            repaired[name] = row[name] if _is_valid(row, name, lambda row, name: mapping_in(row, name)) else "{}"
        repaired["promoted"] = row["promoted"] if row["promoted"] in (0, 1) else 0
        if any(repaired[name] != value for name, value in row.items()):
            self._note("refiners", row, tr("what could not be read is empty"))
        self.refiners.add(id)
        return repaired

    def step(self, row: Row) -> Row:
        """Repair an undo step: it keeps its row changes; if its kind is lost, the readable text becomes its title."""
        try:
            step_of(row)
        except BadRow as bad:
            title = row.get("kind", row.get("title"))
            step = Step(StepKind.TEXT, name="" if title in {*StepKind} else _readable(title))
            self._note("undo_steps", row, tr("{problem}: it goes by what can be read of its name", problem=bad))
        else:
            if "kind" in row:
                return row
            step = step_of(row)
        return {**row, **step_columns(step)}

    def drop_if(self, table: str, row: Row, why: str) -> Row | None:
        """Return the row, or None and a note if there is a reason `why` to leave it out."""
        return self._drop(table, row, why) if why else row

    def _drop(self, table: str, row: Row, why: str) -> Row | None:
        self._note(table, row, tr("left out: {why}", why=why))
        return None

    def _note(self, table: str, row: Row, what: str) -> None:
        self.notes.append(f"{table} {row['id']}: {what}")


def _repair_extras(row: Row) -> list[str]:
    wrong = [name for name, (check, _) in _EXTRAS.items() if name in row and not _is_valid(row, name, check)]
    for name in wrong:
        row[name] = now() if name in ("created", "changed") else _EXTRAS[name][1]
    return [tr("{columns} could not be read", columns=", ".join(wrong))] if wrong else []


def _is_valid(row: Row, name: str, check: Check) -> bool:
    try:
        check(row, name)
    except BadRow:
        return False
    return True


def _box_or_none(row: Row, name: str) -> str | None:
    """The box as JSON; None if it cannot be read."""
    try:
        return json.dumps(list(box_in(row, name)))
    except BadRow:
        return None


def _size_of(picture: Path, extent: tuple[int, int]) -> tuple[int, int]:
    try:
        width, height = read_size(picture)
    except KnownError:  # the picture may be elsewhere; it is at least as large as the extent of its boxes
        width, height = extent
    return min(max(width, 1), LARGEST_SIDE), min(max(height, 1), LARGEST_SIDE)


def _readable(value: object) -> str:
    text = os.fsencode(value).decode("utf-8", "replace") if isinstance(value, str) else ""
    return "".join(letter for letter in text if letter.isprintable()).strip()
