"""Merge another project into an open one: rows with new ids, and one undo step for what follows from both.

The other project is a private copy, see `core.store.private_copy`. What is to happen to boxes of pictures that both
have is decided above, in `core.merging`.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sqlite_utils import Database

from core.errors import KnownError
from core.geometry import Box
from core.marks import Mark
from core.records import Changes, Step, StepKind
from core.reviews import LONGEST_COMMENT, Verdict
from core.store import merge_tables
from core.store.merge_history import Removed, bring_history, removed_boxes
from core.store.merge_ids import MergeIds
from core.store.merge_rows import Decision, Drop, SharedPicture, Side
from core.store.project_file import convert_sqlite_errors, transaction
from core.store.project_store import ProjectStore
from core.store.row_checks import Row, box_of, json_of
from core.store.rows import mark_of, now
from core.store.undo_log import Operation

logger = logging.getLogger(__name__)

_AT_ONCE = 5000
_OF_IMAGES = ("corrections", "rejected_boxes", "twins")


class Merging:
    """The merge of one project into another.

    `is_own_file`: no other process has the file open, and it is not kept if the merge fails. Then all rows of the other
    project are stored first, outside the undo log, and its undo steps can be played. Else, everything is in the undo
    step of the merge, and the undo steps of the other project are only shown in the history of its boxes.
    """

    def __init__(self, store: ProjectStore, source: ProjectStore, *, name: str, is_own_file: bool) -> None:
        self.store, self.source, self.name, self._is_raw = store, source, name, is_own_file
        self._db, self._from = store.database, source.database
        self.ids = MergeIds()
        self._long = store.long_step(Step(StepKind.MERGE, name=name))
        self._removed: tuple[dict[int, list[Removed]], dict[int, list[Removed]]] = ({}, {})
        self.category_names: dict[int, str] = {}
        self.annotators: dict[int, str] = {}
        self.known: tuple[dict[int, str], dict[int, str]] = ({}, {})
        """The openings that the project and the other one know, and when the last box of each was changed there."""

    def prepare(self, same: Mapping[int, int], *, renamed: Mapping[str, str]) -> list[str]:
        """Store what is no box, and return the names of new categories; `same` has our image ids by theirs."""
        folders = (self.source.path.absolute().parent, self.store.path.absolute().parent)
        with convert_sqlite_errors(self.store.path):
            ours = _last_writes(self._db)
            _collect(removed_boxes(self._db), self._removed[0])
            if self._is_raw:
                self._db.execute("PRAGMA foreign_keys = OFF")  # steps get new numbers with their parts
            with transaction(self._db):
                self.ids = MergeIds.after(self._db)
                self.ids.keep_free(self._from, self._db)  # also from what is accepted while the merge goes on
                merge_tables.bring_openings(self._from, self._db, self.ids)
                merge_tables.bring_images(self._from, self._db, self.ids, same=same, folders=folders)
                added = self._categories(renamed, None) if self._is_raw else []
            if not self._is_raw:
                with self._long.part() as operation:
                    added = self._categories(renamed, operation)
            self.known = (ours, {self.ids.openings[id]: last for id, last in _last_writes(self._from).items()})
            theirs = (
                Removed(self.ids.images[gone.image_id], self.ids.categories[gone.category_id], gone.box)
                for gone in removed_boxes(self._from)
            )
            _collect(theirs, self._removed[1])
        names = self._db.execute("SELECT id, name FROM categories").fetchall()
        self.category_names = {id: str(name) for id, name in names}
        self.annotators = self.store.annotators()
        return added

    def _categories(self, renamed: Mapping[str, str], operation: Operation | None) -> list[str]:
        return merge_tables.bring_categories(
            self._from, self._db, self.ids, renamed=renamed, operation=operation
        )  # fmt: skip

    def bring_all(self) -> Iterator[int]:
        """Store all boxes of the other project in a file of our own; yields how many are stored."""
        with convert_sqlite_errors(self.store.path):
            with transaction(self._db):
                done = 0
                for table in (*_OF_IMAGES, "reviews", "marks"):
                    for rows in _in_parts(self._from, table):
                        moved = [self.ids.moved(table, row) for row in rows]
                        if table == "marks":
                            moved = [row for row in moved if row["id"] in self.ids.new_images]
                        merge_tables.insert_rows(self._db, table, moved)
                        done += len(rows) if table == "corrections" else 0
                        yield done
                bring_history(self._from, self._db, self.ids, to_read=False)
            self._db.execute("PRAGMA foreign_keys = ON")

    def read(self, old_ids: Sequence[int]) -> list[SharedPicture]:
        """What both have on images, which are given by their ids in the other project."""
        with convert_sqlite_errors(self.store.path):
            of: dict[int, list[int]] = {}
            for id in old_ids:
                of.setdefault(self.ids.images[id], []).append(id)
            ours = _sides(self._db, list(of), self._removed[0], last=self.ids.offsets)
            theirs = _sides(self._from, old_ids, self._removed[1], ids=self.ids)
        return [SharedPicture(new, tuple(old), ours[new], theirs[new]) for new, old in of.items()]

    def write(self, decided: Sequence[tuple[SharedPicture, Decision]]) -> None:
        """Store what was decided, as a part of the undo step."""
        with convert_sqlite_errors(self.store.path), self._long.part() as operation:
            for picture, decision in decided:
                self._write(operation, picture, decision)
            kept = {drop.row["id"]: drop.kept for _, each in decided for drop in each.drops if drop.kept}
            for twin in _on(self._db, "twins", [picture.image_id for picture, _ in decided], "image_id"):
                if twin["correction_id"] in kept:  # of an earlier merge
                    operation.update("twins", twin, correction_id=kept[twin["correction_id"]])

    def bring(self, old_ids: Sequence[int]) -> int:
        """Store the boxes of pictures that the project did not have, as a part of the undo step; return how many."""
        count = 0
        with convert_sqlite_errors(self.store.path), self._long.part() as operation:
            for table in (*_OF_IMAGES, "reviews", "marks"):
                column = "id" if table == "marks" else "image_id"
                rows = [self.ids.moved(table, row) for row in _on(self._from, table, old_ids, column)]
                operation.bring(table, rows)
                count += len(rows) if table == "corrections" else 0
        return count

    def complete(self) -> Changes:
        """Store what was learned and imported in the other project, and end the undo step."""
        folders = (self.source.path.absolute().parent, self.store.path.absolute().parent)
        with convert_sqlite_errors(self.store.path), transaction(self._db):
            merge_tables.bring_heads(self._from, self._db)
            merge_tables.bring_refiners(self._from, self._db, folders=folders)
            merge_tables.bring_sources(self._from, self._db, self.ids)
            merge_tables.bring_drawn(self._from, self._db, self.ids)
            if not self._is_raw:
                bring_history(self._from, self._db, self.ids, to_read=True)
            self.store.complete(self._long)
        return replace(self._long.changes, images=bool(self.ids.new_images))

    def abandon(self) -> None:
        """Take back what is stored, after an error or Cancel."""
        with contextlib.suppress(KnownError), convert_sqlite_errors(self.store.path):
            self.store.abandon(self._long)
            with transaction(self._db):
                self._db.conn.executemany("DELETE FROM images WHERE id = ?", [(id,) for id in self.ids.new_images])
        logger.info("the merge of %s is not complete: it is taken back", self.name)

    def _write(self, operation: Operation, picture: SharedPicture, decision: Decision) -> None:
        gone = {drop.row["id"] for drop in decision.drops}
        if not self._is_raw:
            kept = [row for row in picture.theirs.boxes if row["id"] not in gone]
            operation.bring("corrections", kept)
            reviews = picture.theirs.reviews
            operation.bring("reviews", [reviews[row["id"]] for row in kept if row["id"] in reviews])
            for table in ("rejected_boxes", "twins"):
                rows = _on(self._from, table, picture.old_ids, "image_id")
                operation.bring(table, [self.ids.moved(table, row) for row in rows])
        for drop in decision.drops:
            self._drop(operation, picture, drop)
        for row, comment in decision.fix:
            _find_to_fix(operation, row, comment)
        _set_mark(operation, picture.image_id, decision.mark)

    def _drop(self, operation: Operation, picture: SharedPicture, drop: Drop) -> None:
        row = drop.row
        is_theirs = row["id"] > self.ids.offsets["corrections"]
        side = picture.theirs if is_theirs else picture.ours
        review = side.reviews.get(row["id"])
        if self._is_raw or not is_theirs:
            operation.remove("corrections", row)
        if not drop.kept:
            return
        if review is not None and operation.row("reviews", drop.kept) is None:
            operation.bring("reviews", [{**review, "id": drop.kept}])
        if drop.is_twin:
            values = {
                "correction_id": drop.kept,
                "image_id": row["image_id"],
                "category": self.category_names[row["category_id"]],
                "annotator": self.annotators.get(row["writer"], ""),
                "source": self.name if is_theirs else "",
                "box": json.dumps(row),
            }
            operation.insert("twins", values)


def _find_to_fix(operation: Operation, row: Row, comment: str) -> None:
    """Mark a box to be fixed, with a comment after the one that it has."""
    review = operation.row("reviews", row["id"])
    said = comment if review is None or not review["comment"] else f"{review['comment']}; {comment}"
    values = {"verdict": Verdict.FIX.value, "comment": said[:LONGEST_COMMENT], "changed": now()}
    if review is None:
        operation.insert("reviews", {"id": row["id"], "image_id": row["image_id"], **values})
    else:
        operation.update("reviews", review, **values)


def _set_mark(operation: Operation, image_id: int, mark: Mark) -> None:
    row = operation.row("marks", image_id)
    if mark == (Mark() if row is None else mark_of(row)):
        return
    values = {"done": int(mark.done), "flag": mark.flag}
    if row is None:
        operation.insert("marks", {"id": image_id, **values})
    elif mark == Mark():
        operation.remove("marks", row)
    else:
        operation.update("marks", row, **values)


def _last_writes(db: Database) -> dict[int, str]:
    """When the last box was changed that each opening has written; empty for one that has written none."""
    written = dict(db.execute("SELECT writer, max(changed) FROM corrections GROUP BY writer").fetchall())
    return {id: str(written.get(id, "")) for (id,) in db.execute("SELECT id FROM openings").fetchall()}


def _collect(removed: Iterator[Removed], into: dict[int, list[Removed]]) -> None:
    for gone in removed:
        into.setdefault(gone.image_id, []).append(gone)


def _in_parts(db: Database, table: str) -> Iterator[list[Row]]:
    """The rows of a table in the order of ids; a reader in one query would keep the table from being written."""
    last = 0
    while rows := list(db.query(f"SELECT * FROM {table} WHERE id > ? ORDER BY id LIMIT ?", [last, _AT_ONCE])):
        yield rows
        last = rows[-1]["id"]


def _on(db: Database, table: str, ids: Sequence[int], column: str) -> list[Row]:
    where = f"{column} IN (SELECT value FROM json_each(?))"  # untranslated: SQL
    return list(db.query(f"SELECT * FROM {table} WHERE {where} ORDER BY id", [json.dumps(list(ids))]))


def _sides(
    db: Database,
    image_ids: Sequence[int],
    removed: Mapping[int, list[Removed]],
    *,
    last: Mapping[str, int] | None = None,
    ids: MergeIds | None = None,
) -> dict[int, Side]:
    """What a project has on images, by their new ids; `last` leaves out rows beyond, `ids` gives new ones."""
    new = {id: id if ids is None else ids.images[id] for id in image_ids}
    found = {id: Side(removed=list(removed.get(id, ()))) for id in new.values()}
    for table in ("corrections", "reviews", "rejected_boxes", "marks"):
        limit = None if last is None else last.get("corrections" if table == "reviews" else table)
        for row in _on(db, table, image_ids, "id" if table == "marks" else "image_id"):
            if limit is not None and row["id"] > limit:
                continue
            moved = row if ids is None else ids.moved(table, row)
            side = found[moved["id"] if table == "marks" else moved["image_id"]]
            _put(side, table, moved)
    return found


def _put(side: Side, table: str, row: Row) -> None:
    if table == "corrections":
        side.boxes.append(row)
    elif table == "reviews":
        side.reviews[row["id"]] = row
    elif table == "marks":
        side.mark = mark_of(row)
    else:
        box: Box = box_of(json_of(row["box"], "box"), "box")
        side.removed.append(Removed(row["image_id"], row["category_id"], box))
