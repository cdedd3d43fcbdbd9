"""Boxes that nobody has said yes to yet: imports and proposals, how they come into a project and how they leave."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence
from dataclasses import replace
from operator import itemgetter, sub

from sqlite_utils import Database

from core.geometry import Box
from core.records import Correction, ImportedBox
from core.store.rows import box_text, boxes_of, correction_of, correction_row, now, refinement_columns
from core.store.undo_log import Operation, Row

SAME_PX, SAME_SHARE = 0.51, 0.05
"""Two boxes of one image and category are one where their edges differ by no more than so many pixels, and no more than
this share of the shorter side: Pascal VOC has whole pixels alone."""

NEVER_REFINED = "refined IS NULL AND accepted = drawn AND (confirmed = 0 OR origin IS NULL)"
"""Boxes that neither the refiner nor, after they were drawn or imported, a person has had a say in."""

PROPOSED = "confirmed = 0 AND refined IS NOT NULL"


class KnownBoxes:
    """The boxes that a project holds, to tell which ones of a file are among them."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: dict[tuple[int, int], list[Box]] = {}  # each by x1
        self._read: set[int] = set()

    def take(self, new: Correction) -> bool:
        """Whether this imported box is new; from now on it is not.

        A box that was refined or moved after its import is still known by what its file had, and one that was refined
        outside by what was drawn there, also where another refiner answered.
        """
        self._read_image(new.image_id)
        known = self._known.setdefault((new.image_id, new.category_id), [])
        box = new.accepted if new.origin is None else new.origin.box
        if _is_among(known, box) or (not new.confirmed and _is_among(known, new.drawn)):
            return False
        for each in {box} if new.confirmed else {box, new.drawn}:
            insort(known, each)
        return True

    def _read_image(self, image_id: int) -> None:
        if image_id in self._read:
            return
        self._read.add(image_id)
        columns = "category_id, drawn, accepted, origin"
        rows = self._db.execute(f"SELECT {columns} FROM corrections WHERE image_id = ?", [image_id])
        for category_id, drawn, accepted, origin in rows.fetchall():
            group = self._known.setdefault((image_id, category_id), [])
            for box in boxes_of(drawn, accepted, origin):
                insort(group, box)


def _is_among(known: Sequence[Box], box: Box) -> bool:
    """Whether one of these, which are sorted by x1, is the same box."""
    slack = min(SAME_PX, SAME_SHARE * min(box.width, box.height))
    low = bisect_left(known, box.x1 - slack, key=itemgetter(0))
    high = bisect_right(known, box.x1 + slack, key=itemgetter(0))
    return any(max(map(abs, map(sub, held, box))) <= slack for held in known[low:high])


def insert_new(operation: Operation, db: Database, boxes: Sequence[ImportedBox]) -> int:
    """Store those imported boxes that are not there yet, with their categories; gives how many that are."""
    names = {row["name"]: row["id"] for row in db.query("SELECT id, name FROM categories")}
    known = KnownBoxes(db)
    count = 0
    for entry in boxes:
        if entry.category not in names:
            names[entry.category] = operation.insert("categories", {"name": entry.category})
        new = replace(entry.correction, category_id=names[entry.category])
        if known.take(new):
            operation.insert("corrections", correction_row(new))
            count += 1
    return count


def write_proposals(operation: Operation, db: Database, answers: Iterable[Correction]) -> None:
    """Keep refinements beside the boxes that they answer, which stay; not where a box has changed since it was asked.

    Each of `answers` is a stored correction with its refinement.
    """
    for answer in answers:
        row = next(db.query(f"SELECT * FROM corrections WHERE id = ? AND {NEVER_REFINED}", [answer.id]), None)
        if row is not None and row["drawn"] == box_text(answer.drawn):
            columns = refinement_columns(replace(answer, accepted=answer.drawn, seconds=row["seconds"]))
            operation.update("corrections", row, **columns, confirmed=0, changed=now())


def write_later_answer(operation: Operation, db: Database, seen: Correction, answer: Correction) -> None:
    """Keep a refinement that came after its box was accepted beside that box, unless it has changed since."""
    row = next(db.query("SELECT * FROM corrections WHERE id = ? AND confirmed = 1", [seen.id]), None)
    if row is not None and correction_of(row) == seen:
        columns = refinement_columns(replace(answer, accepted=seen.accepted, seconds=row["seconds"]))
        operation.update("corrections", row, **columns, confirmed=0, changed=now())


def is_sure(row: Row, *, least_score: float, least_edge: float) -> bool:
    """Whether the refiner's own doubts about a proposal are this small; what it did not tell counts for none."""
    proposed = correction_of(row)
    edges = proposed.edge_confidence or (0.0,)
    return (proposed.score or 0.0) >= least_score and min(edges) >= least_edge


def confirm_rows(operation: Operation, rows: Iterable[Row], *, take: bool) -> None:
    """Say yes to boxes: to what is proposed for them (`take`), or to what they are."""
    for row in rows:
        if not row["confirmed"]:
            accepted = row["refined"] if take and row["refined"] is not None else row["accepted"]
            operation.update("corrections", row, accepted=accepted, confirmed=1, changed=now())


def withdraw_rows(operation: Operation, rows: Iterable[Row]) -> None:
    """Take proposals away; imported boxes are still to check, boxes drawn here are as they were accepted.

    What came refined with its file is no proposal of ours and stays. A box that was accepted before a later answer was
    proposed was accepted as it had been refined, and is so again.
    """
    for row in rows:
        came_refined = row["accepted"] == row["refined"] != row["drawn"]
        if came_refined or not row["refiner"]:
            continue
        proposed = correction_of(row)
        if proposed.origin is None and proposed.accepted != proposed.drawn:
            bare = replace(proposed, refined=proposed.accepted, edge_confidence=None, score=None, outline=())
        else:
            bare = replace(proposed, refined=None, edge_confidence=None, score=None, encoder="", refiner="", outline=())
        confirmed = int(row["origin"] is None)
        operation.update("corrections", row, **refinement_columns(bare), confirmed=confirmed, changed=now())
