"""The undo log: what each operation did to which row, kept in the file, played backwards and forwards.

Each step says which opening of the project made it. An opening undoes and redoes its own steps, and those that were
there before it came and that nobody else who has the project open has made. So two windows do not undo each other's
work, and one that is alone has the whole history.

Rows are written by plain SQL: sqlite-utils looks a table up at each call, which took ten times as long as writing the
row, and undoing an import of 100,000 boxes kept everything else that was to be stored waiting.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from sqlite_utils import Database

from core.records import Changes, Step
from core.store.file_place import FilePlace
from core.store.openings import Opening
from core.store.project_file import transaction
from core.store.row_checks import Row
from core.store.rows import now
from core.store.steps import readable_step, step_columns
from core.store.undo_play import BadStep, Others, Played, RowChange, Touched, joined, play

UNDO_DEPTH = 1000
"""Steps that are kept; each holds only the rows that it changed."""

_FIRST, _LAST = "ORDER BY id LIMIT 1", "ORDER BY id DESC LIMIT 1"


class Operation:
    """All writes that the user sees as one; what is not written through it cannot be undone."""

    def __init__(self, db: Database, step: Step | None, *, token: str) -> None:
        """`token` is that of the opening of the project that writes."""
        self._db = db
        self._step = step
        self._token = token
        self._opening = 0
        self._texts: list[str] = []
        self._touched = Touched()

    @property
    def opening(self) -> int:
        """The id of the opening that writes, which the file is told with its first write."""
        if not self._opening:
            self._opening = _id_of(self._db, self._token)
        if not self._opening:
            values = [self._token, now()]
            cursor = self._db.execute("INSERT INTO openings (token, created) VALUES (?, ?)", values)
            self._opening = int(cursor.lastrowid or 0)
        return self._opening

    @property
    def changes(self) -> Changes:
        """What the writes so far have touched."""
        return self._touched.changes(self._step)

    @property
    def text(self) -> str:
        """The row changes as a JSON array, for the log; empty where nothing was written."""
        return f"[{','.join(self._texts)}]" if self._texts else ""

    def row(self, table: str, id: int) -> Row | None:
        """The row as it is now."""
        return next(self._db.query(f"SELECT * FROM {table} WHERE id = ?", [id]), None)

    def insert(self, table: str, row: Row) -> int:
        """Write a new row and give its id."""
        row = {**row, **self._signature(table)}
        columns, places = ", ".join(row), ", ".join("?" * len(row))
        cursor = self._db.execute(f"INSERT INTO {table} ({columns}) VALUES ({places})", list(row.values()))
        id = int(cursor.lastrowid or 0)
        self._note(RowChange(table, id, None, {"id": id, **row}))
        return id

    def update(self, table: str, before: Row, **columns: object) -> None:
        """Write some columns of the row that is now `before`."""
        columns |= self._signature(table)
        places = ", ".join(f"{name} = ?" for name in columns)
        self._db.execute(f"UPDATE {table} SET {places} WHERE id = ?", [*columns.values(), before["id"]])
        self._note(RowChange(table, before["id"], before, {**before, **columns}))

    def remove(self, table: str, before: Row) -> None:
        """Take away the row that is now `before`."""
        self._db.execute(f"DELETE FROM {table} WHERE id = ?", [before["id"]])
        self._note(RowChange(table, before["id"], before, None))

    def _signature(self, table: str) -> dict[str, object]:
        """Boxes are also written in the background, by no step: the row itself tells whose work it is."""
        return {"writer": self.opening} if table == "corrections" else {}

    def _note(self, change: RowChange) -> None:
        # As text at once: one call for an import of 100,000 boxes would keep all other threads waiting, and so would
        # the cycle collector, which passes strings over.
        self._texts.append(json.dumps(change))
        self._touched.note(change)


class UndoLog:
    """Undo and redo over one connection; each call is one transaction."""

    def __init__(self, db: Database, place: FilePlace, opening: Opening) -> None:
        self._db, self._place, self._token = db, place, opening.token
        self._bad: set[int] = set()
        watermark = next(self._db.query("SELECT max(id) AS id FROM openings"))["id"]
        others_ids = [id for id in (_id_of(db, other) for other in opening.other_tokens()) if id]
        self._others = Others(watermark=watermark or 0, openings=frozenset(others_ids))

    def inherit(self, token: str) -> None:
        """Steps of this other opening are ours, too."""
        self._others = self._others.without(_id_of(self._db, token))

    @contextmanager
    def operation(self, step: Step, *, run: str = "") -> Iterator[Operation]:
        """One change that the user sees: one transaction, one undo step; an error leaves neither.

        Changes in a row with the same `run` are one step; empty: it is a step of its own.
        """
        with self.unlogged(step) as operation:
            yield operation
            if text := operation.text:
                self._record(step, text, operation.opening, run=run)

    @contextmanager
    def unlogged(self, step: Step) -> Iterator[Operation]:
        """One transaction that is no undo step."""
        with transaction(self._db, self._place):
            yield Operation(self._db, step, token=self._token)

    def undo(self) -> Changes:
        """Take back the newest step that stands and is this opening's to undo; no step gives empty Changes."""
        return self._travel(undo=True)

    def redo(self) -> Changes:
        """Do again the step that was undone last, with the same limits; no step gives empty Changes."""
        return self._travel(undo=False)

    def steps(self) -> tuple[Step | None, Step | None]:
        """What undo and redo would do next, None where there is nothing."""
        return self._step(undone=0, order=_LAST), self._step(undone=1, order=_FIRST)

    def bad_steps(self) -> frozenset[int]:
        """Ids of damaged steps that undo and redo have passed over."""
        return frozenset(self._bad)

    def forget_undone(self) -> None:
        """Inside a transaction: this opening can redo nothing from here on."""
        self._db.execute(f"DELETE FROM undo_steps WHERE undone = 1 AND {self._is_ours()}")

    def _travel(self, *, undo: bool) -> Changes:
        passed = 0
        while True:
            try:
                with transaction(self._db, self._place):
                    step = self._next("*", undone=int(not undo), order=_LAST if undo else _FIRST)
                    if step is None:
                        return Changes(note=_words_on_bad(passed))
                    mine = _id_of(self._db, self._token)
                    careful = bool(self._bad)  # what comes before a step that was passed over may not fit any more
                    played = play(self._db, step, undo=undo, others=self._others, mine=mine, is_careful=careful)
                    self._keep(step, played, undone=undo)
            except BadStep as bad:
                self._bad.add(bad.id)
                passed += 1
            else:
                return played.changes(readable_step(step), note=_words_on_bad(passed))

    def _keep(self, step: Row, played: Played, *, undone: bool) -> None:
        """The step is the other way round now, and this opening's; of one that could do nothing, nothing is left."""
        if not played.count:
            self._db.execute("DELETE FROM undo_steps WHERE id = ?", [step["id"]])
            return
        opening = Operation(self._db, None, token=self._token).opening
        self._db.execute(
            "UPDATE undo_steps SET undone = ?, opening = ? WHERE id = ?", [int(undone), opening, step["id"]]
        )
        if played.left:
            self._db.execute("UPDATE undo_steps SET row_changes = ? WHERE id = ?", [played.text, step["id"]])

    def _step(self, *, undone: int, order: str) -> Step | None:
        # Not the row changes: a step that imported 100,000 boxes is large.
        row = self._next("kind, parameters", undone=undone, order=order)
        return None if row is None else readable_step(row)

    def _next(self, columns: str, *, undone: int, order: str) -> Row | None:
        where = f"undone = {undone} AND {self._is_ours()}"
        if self._bad:
            where += f" AND id NOT IN ({', '.join(map(str, self._bad))})"
        return next(self._db.query(f"SELECT {columns} FROM undo_steps WHERE {where} {order}"), None)

    def _is_ours(self) -> str:
        """SQL: whether a step may be undone here."""
        return self._others.condition(mine=_id_of(self._db, self._token))

    def _record(self, told: Step, text: str, opening: int, *, run: str) -> None:
        self.forget_undone()
        step = self._next("*", undone=0, order=_LAST) if run else None
        if step is not None and (step["run"], step["opening"]) == (run, opening):
            values = [joined(step["row_changes"], text), step["id"]]
            self._db.execute("UPDATE undo_steps SET row_changes = ? WHERE id = ?", values)
            return
        row = {**step_columns(told), "row_changes": text, "opening": opening, "run": run}
        self._db.table("undo_steps").insert(row)
        self._db.execute(
            "DELETE FROM undo_steps WHERE id <= (SELECT id FROM undo_steps ORDER BY id DESC LIMIT 1 OFFSET ?)",
            [UNDO_DEPTH],
        )


def _id_of(db: Database, token: str) -> int:
    """The id of an opening, 0 where it has written nothing yet."""
    row = db.execute("SELECT id FROM openings WHERE token = ?", [token]).fetchone()
    return int(row[0]) if row is not None else 0


def _words_on_bad(count: int) -> str:
    if not count:
        return ""
    what = "A step of the history is damaged and was" if count == 1 else f"{count} steps are damaged and were"
    return f"{what} left out."
