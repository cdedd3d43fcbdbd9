"""The undo log: the row changes of each operation, stored in the project file and played backwards and forwards.

Each step has the id of the opening of the project that made it. An opening undoes and redoes its own steps, and earlier
steps of openings that have ended. So two windows do not undo each other's work, and a single window has the whole
history.

Rows are written by plain SQL, because sqlite-utils reads the schema in each call, which takes ten times as long as
writing the row. Undoing an import of 100,000 boxes would delay all other writes.
"""

from __future__ import annotations

import getpass
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlite_utils import Database

from core.progress import Job
from core.records import Changes, Step
from core.reviews import Verdict
from core.store.file_place import FilePlace
from core.store.long_travel import LongTravel
from core.store.openings import Opening
from core.store.pending_steps import TRAVELLING, abandon, clean_up, forget, reclaim
from core.store.project_file import transaction
from core.store.row_checks import Row, is_unicode
from core.store.rows import is_whole, now
from core.store.steps import readable_step, step_columns
from core.store.undo_play import BadStep, Others, Played, RowChange, Touched, merge_changes, play
from core.translation import tr, tr_plural

UNDO_DEPTH = 1000
"""Number of steps to keep; each holds only the rows that it changed."""

_FIRST, _LAST = "ORDER BY id LIMIT 1", "ORDER BY id DESC LIMIT 1"  # untranslated: SQL


class Operation:
    """The writes of one operation of the user. Only writes through this class can be undone."""

    def __init__(self, db: Database, step: Step | None, *, token: str, annotator: str = "") -> None:
        """`token` identifies the opening of the project that writes, `annotator` is the name of who has opened it."""
        self._db = db
        self._step = step
        self._token = token
        self._annotator = annotator
        self._opening = 0
        self._texts: list[str] = []
        self._touched = Touched()
        self._boxes: tuple[int, int] | None = None

    @property
    def opening(self) -> int:
        """The id of the opening that writes; its first write stores the opening in the file."""
        if not self._opening:
            self._opening = _id_of(self._db, self._token)
        if not self._opening:
            values = [self._token, now(), self._annotator]
            cursor = self._db.execute("INSERT INTO openings (token, created, annotator) VALUES (?, ?, ?)", values)
            self._opening = int(cursor.lastrowid or 0)
        return self._opening

    @property
    def changes(self) -> Changes:
        """The changes of all writes so far."""
        return self._touched.changes(self._step)

    @property
    def text(self) -> str:
        """The row changes as a JSON array, for the log; empty if nothing was written."""
        return f"[{','.join(self._texts)}]" if self._texts else ""

    def row(self, table: str, id: int) -> Row | None:
        """The row as it is now; None if there is none."""
        return next(self._db.query(f"SELECT * FROM {table} WHERE id = ?", [id]), None)

    def insert(self, table: str, row: Row) -> int:
        """Insert a row and return its id."""
        row = {**row, **self._signature(table)}
        columns, places = ", ".join(row), ", ".join("?" * len(row))
        cursor = self._db.execute(f"INSERT INTO {table} ({columns}) VALUES ({places})", list(row.values()))
        id = int(cursor.lastrowid or 0)
        self._note(RowChange(table, id, None, {"id": id, **row}))
        return id

    def insert_boxes(self, names: Sequence[str], rows: Sequence[list[Any]]) -> None:
        """Insert rows of `corrections`, whose first column is the id that they get; the log keeps only their ids."""
        if not rows:
            return
        newest = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'corrections'").fetchone()
        first = 1 + (int(newest[0]) if newest is not None else 0)
        for id, row in enumerate(rows, start=first):
            row[0] = id
        columns, places = ", ".join(names), ", ".join("?" * len(names))
        self._db.conn.executemany(f"INSERT INTO corrections ({columns}) VALUES ({places})", rows)
        image, category = names.index("image_id"), names.index("category_id")
        self._touched.note_boxes((row[image] for row in rows), Counter(row[category] for row in rows))
        self._boxes = first, first + len(rows) - 1

    def take_boxes(self) -> tuple[int, int] | None:
        """The ids of the first and the last box of `insert_boxes` since the last call; None if there were none."""
        boxes, self._boxes = self._boxes, None
        return boxes

    def bring(self, table: str, rows: Sequence[Row]) -> None:
        """Insert whole rows of the same columns, with the ids and writers that they have, as of another project."""
        if not rows:
            return
        columns, places = ", ".join(rows[0]), ", ".join("?" * len(rows[0]))
        statement = f"INSERT INTO {table} ({columns}) VALUES ({places})"
        self._db.conn.executemany(statement, [tuple(row.values()) for row in rows])
        changes = [RowChange(table, row["id"], None, row) for row in rows]
        self._texts.append(json.dumps(changes)[1:-1])
        for change in changes:
            self._touched.note(change)

    def take_text(self) -> str:
        """The row changes since the last call, as `text`, so that they can be stored in parts."""
        text, self._texts = self.text, []
        return text

    def update(self, table: str, before: Row, **columns: object) -> None:
        """Update columns of a row, which is `before` now; a box that is changed or accepted loses its verdict."""
        columns |= self._signature(table)
        places = ", ".join(f"{name} = ?" for name in columns)
        self._db.execute(f"UPDATE {table} SET {places} WHERE id = ?", [*columns.values(), before["id"]])
        self._note(RowChange(table, before["id"], before, {**before, **columns}))
        if table == "corrections" and _is_another_box(before, columns):
            self.end_verdict(before["id"])

    def end_verdict(self, correction_id: int, *verdicts: Verdict) -> None:
        """Take the verdict back that a box has, or only one of `verdicts`; its comment stays."""
        review = self._review(correction_id)
        if review is None or not is_whole("reviews", review):
            return
        if review["verdict"] and (not verdicts or review["verdict"] in verdicts):
            if review["comment"]:
                self.update("reviews", review, verdict="", changed=now())
            else:
                self.remove("reviews", review)

    def remove(self, table: str, before: Row) -> None:
        """Delete a row, which is `before` now, and with a box its review."""
        if table == "corrections" and (review := self._review(before["id"])) is not None:
            if is_whole("reviews", review):
                self.remove("reviews", review)
            else:  # a damaged row must not get into a step
                self._db.execute("DELETE FROM reviews WHERE id = ?", [before["id"]])
        self._db.execute(f"DELETE FROM {table} WHERE id = ?", [before["id"]])
        self._note(RowChange(table, before["id"], before, None))

    def _review(self, correction_id: int) -> Row | None:
        """The review of a box; most have none, so `row`, which is slower, is called for those that have one."""
        if self._db.execute("SELECT 1 FROM reviews WHERE id = ?", [correction_id]).fetchone() is None:
            return None
        return self.row("reviews", correction_id)

    def _signature(self, table: str) -> dict[str, object]:
        """The column that records the writer of a box, because background writes of boxes make no undo step."""
        return {"writer": self.opening} if table in ("corrections", "reviews") else {}

    def _note(self, change: RowChange) -> None:
        # Converted to text at once: converting 100,000 boxes at the end would block other threads. So would the cycle
        # collector with as many dictionaries; it does not traverse strings.
        self._texts.append(json.dumps(change))
        self._touched.note(change)


class UndoLog:
    """Undo and redo over one connection; each call is one transaction."""

    def __init__(self, db: Database, place: FilePlace, opening: Opening) -> None:
        self._db, self._place, self._token = db, place, opening.token
        self.login = self.annotator = login_name()
        """The name of the user on this computer, and the one that is stored with what this opening writes."""
        self._bad: set[int] = set()
        watermark = next(self._db.query("SELECT max(id) AS id FROM openings"))["id"]
        others_ids = [id for id in (_id_of(db, other) for other in opening.other_tokens()) if id]
        self._others = Others(watermark=watermark or 0, openings=frozenset(others_ids))

    def inherit(self, token: str) -> None:
        """Treat the steps of another opening as this one's."""
        self._others = self._others.without(_id_of(self._db, token))

    @contextmanager
    def operation(self, step: Step, *, run: str = "") -> Iterator[Operation]:
        """Run the block as one transaction and one undo step; an error discards both.

        Consecutive operations with the same `run` become one step; an empty `run` is never merged.
        """
        with self.unlogged_operation(step) as operation:
            yield operation
            if text := operation.text:
                self._record(step, text, operation.opening, run=run)

    @contextmanager
    def unlogged_operation(self, step: Step) -> Iterator[Operation]:
        """Run the block as one transaction without an undo step."""
        with transaction(self._db, self._place):
            yield Operation(self._db, step, token=self._token, annotator=self.annotator)

    def new_operation(self, step: Step) -> Operation:
        """The writes of a long operation, which opens its own transactions; see `core.store.long_steps`."""
        return Operation(self._db, step, token=self._token, annotator=self.annotator)

    def abandon(self, step_id: int) -> None:
        """Undo what is stored of a pending step of this opening."""
        row = next(self._db.query("SELECT * FROM undo_steps WHERE id = ?", [step_id]), None)
        if row is not None:
            abandon(self._db, self._place, row, others=self._others, mine=_id_of(self._db, self._token))

    def clean_up(self) -> None:
        """Undo what is stored of the incomplete steps of openings that have ended without completing them."""
        clean_up(self._db, self._place, others=self._others)

    def trim(self) -> None:
        """Delete the steps beyond UNDO_DEPTH, inside a transaction."""
        self._db.execute(
            "DELETE FROM undo_steps WHERE id <= (SELECT id FROM undo_steps ORDER BY id DESC LIMIT 1 OFFSET ?)",
            [UNDO_DEPTH],
        )

    def steps(self) -> tuple[Step | None, Step | None]:
        """The next steps of undo and redo, None if there is none."""
        return self._step(undone=0, order=_LAST), self._step(undone=1, order=_FIRST)

    def bad_steps(self) -> frozenset[int]:
        """Ids of damaged steps that undo and redo have skipped."""
        return frozenset(self._bad)

    def forget_undone(self) -> None:
        """Delete the steps that this opening could redo, inside a transaction."""
        forget(self._db, f"undone = 1 AND {self._own_condition()}")  # untranslated: SQL

    def travel(self, *, undo: bool) -> Job[Changes]:
        """Undo the newest step that this opening may undo, or redo the one that was undone last, as a job.

        A step with parts is played part by part; others in one transaction, without a step of the job. Returns empty
        Changes if there is none, or while another one is under way.
        """
        skipped = 0
        while True:
            long: LongTravel | None = None
            step: Row | None = None
            try:
                with transaction(self._db, self._place):
                    if self._is_travelling():
                        return Changes(note=tr("A large step is just being undone or redone: wait until it is done."))
                    step = self._next("*", undone=int(not undo), order=_LAST if undo else _FIRST)
                    if step is None:
                        return Changes(note=_note_on_bad(skipped))
                    mine = _id_of(self._db, self._token)
                    careful = bool(self._bad)  # rows may not match a step before a skipped one
                    if self._has_parts(step):
                        long = LongTravel(
                            self._db,
                            self._place,
                            step,
                            undo=undo,
                            others=self._others,
                            mine=mine or self._new_opening(),
                            is_careful=careful,
                        )
                        self._mark(step, TRAVELLING)
                    else:
                        played = play(self._db, step, undo=undo, others=self._others, mine=mine, is_careful=careful)
                        self._keep(step, played, undone=undo)
                if long is not None:
                    played = yield from long.steps(readable_step(step).name)
                    with transaction(self._db, self._place):
                        self._keep_long(step, played, undone=undo)
            except BadStep as bad:
                self._bad.add(bad.id if step is None else step["id"])
                skipped += 1
            else:
                return played.changes(readable_step(step), note=_note_on_bad(skipped))

    def _is_travelling(self) -> bool:
        query = f"SELECT 1 FROM undo_steps WHERE undone = {TRAVELLING} AND opening = ?"  # untranslated: SQL
        return self._db.execute(query, [_id_of(self._db, self._token)]).fetchone() is not None

    def _has_parts(self, step: Row) -> bool:
        return self._db.execute("SELECT 1 FROM undo_parts WHERE step = ? LIMIT 1", [step["id"]]).fetchone() is not None

    def _mark(self, step: Row, undone: int) -> None:
        statement = "UPDATE undo_steps SET undone = ?, opening = ? WHERE id = ?"
        self._db.execute(statement, [undone, self._new_opening(), step["id"]])

    def _new_opening(self) -> int:
        """The id of this opening, which is stored if it is not yet."""
        return Operation(self._db, None, token=self._token, annotator=self.annotator).opening

    def _keep_long(self, step: Row, played: Played, *, undone: bool) -> None:
        """Mark a step that was played in parts; it cannot be redone if the user has gone on meanwhile."""
        self._mark(step, int(undone))
        newer = f"id > ? AND undone = 0 AND {self._own_condition()}"  # untranslated: SQL
        is_past = self._db.execute(f"SELECT 1 FROM undo_steps WHERE {newer}", [step["id"]]).fetchone() is not None
        if not played.count or (undone and is_past):
            forget(self._db, f"id = {int(step['id'])}")  # untranslated: SQL

    def _keep(self, step: Row, played: Played, *, undone: bool) -> None:
        """Mark a played step as undone or redone by this opening; delete a step that could change nothing."""
        if not played.count:
            self._db.execute("DELETE FROM undo_steps WHERE id = ?", [step["id"]])
            return
        self._mark(step, int(undone))
        if played.left:
            self._db.execute("UPDATE undo_steps SET row_changes = ? WHERE id = ?", [played.text, step["id"]])

    def _step(self, *, undone: int, order: str) -> Step | None:
        # Without the row changes, because a step that imported 100,000 boxes is large.
        row = self._next("kind, parameters", undone=undone, order=order)  # untranslated: SQL
        return None if row is None else readable_step(row)

    def _next(self, columns: str, *, undone: int, order: str) -> Row | None:
        where = f"undone = {undone} AND {self._own_condition()}"
        if self._bad:
            where += f" AND id NOT IN ({', '.join(map(str, self._bad))})"  # untranslated: SQL
        return next(self._db.query(f"SELECT {columns} FROM undo_steps WHERE {where} {order}"), None)

    def _own_condition(self) -> str:
        """SQL condition for steps that this opening may undo or redo."""
        return self._others.condition(mine=_id_of(self._db, self._token))

    def _record(self, operation: Step, text: str, opening: int, *, run: str) -> None:
        self.forget_undone()
        reclaim(self._db)
        step = self._next("*", undone=0, order=_LAST) if run else None
        if step is not None and (step["run"], step["opening"]) == (run, opening):
            values = [merge_changes(step["row_changes"], text), step["id"]]
            self._db.execute("UPDATE undo_steps SET row_changes = ? WHERE id = ?", values)
            return
        row = {**step_columns(operation), "row_changes": text, "opening": opening, "run": run}
        self._db.table("undo_steps").insert(row)
        self.trim()


def login_name() -> str:
    """The name of the user on this computer; empty if there is none."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user id without a name, as in a container
        return ""
    return name if is_unicode(name) else ""


def _is_another_box(before: Row, after: dict[str, object]) -> bool:
    """Whether columns change the accepted box, or accept it."""
    if after.get("accepted", before["accepted"]) != before["accepted"]:
        return True
    return not before["confirmed"] and bool(after.get("confirmed"))


def _id_of(db: Database, token: str) -> int:
    """The id of an opening; 0 if it has written nothing yet."""
    row = db.execute("SELECT id FROM openings WHERE token = ?", [token]).fetchone()
    return int(row[0]) if row is not None else 0


def _note_on_bad(count: int) -> str:
    if not count:
        return ""
    return tr_plural(
        "A step of the history is damaged and was left out.",
        "{count} steps are damaged and were left out.",
        count,
    )
