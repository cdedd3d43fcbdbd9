"""Playing a step of the undo log: its rows are put back, but for those that somebody else has changed since."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from sqlite_utils import Database

from core.records import Changes, Step
from core.store.row_checks import BadRow, Row, id_in
from core.store.rows import check_row
from core.store.schema_check import column_names, current_shape

_NOT_IN_STEPS = frozenset(
    {"drawn_boxes", "images", "openings", "refiner_choices", "refiners", "undo_steps", "_sqlite_migrations"}
)
"""Tables that no step may write, whatever a file says."""


class RowChange(NamedTuple):
    """One row before and after; None where it was not there."""

    table: str
    id: int
    before: Row | None
    after: Row | None


class BadStep(Exception):
    """A step that was damaged; none of it was played."""

    def __init__(self, id: int, what: str) -> None:
        super().__init__(what)
        self.id = id


@dataclass(frozen=True)
class Others:
    """Whose steps and rows are not ours to take back: openings later than `watermark`, and `openings` before it."""

    watermark: int
    openings: frozenset[int]

    def without(self, opening: int) -> Others:
        """The same, less one of them."""
        return Others(self.watermark, self.openings - {opening})

    def condition(self, *, mine: int) -> str:
        """SQL for steps that are not theirs."""
        theirs = ", ".join(map(str, sorted(self.openings)))
        return f"(opening = {mine or -1} OR (opening <= {self.watermark} AND opening NOT IN ({theirs})))"

    def made(self, opening: object, *, mine: int) -> bool:
        """Whether a row was written by one of them."""
        if opening == mine or not isinstance(opening, int):
            return False
        if opening < 0:  # a table that does not tell
            return True
        return opening > self.watermark or opening in self.openings

    def have_written(self, db: Database, *, mine: int) -> bool:
        """Whether any of them has ever written; if not, no row needs to be looked at."""
        if self.openings:
            return True
        row = db.execute("SELECT max(id) FROM openings WHERE id != ?", [mine]).fetchone()
        return row[0] is not None and row[0] > self.watermark


class Touched:
    """What the panels must know of row changes."""

    def __init__(self) -> None:
        self._tables: set[str] = set()
        self._image_ids: set[int] = set()

    def note(self, change: RowChange) -> None:
        """Remember what a change touches."""
        self._tables.add(change.table)
        if change.table == "corrections":
            self._image_ids.update(row["image_id"] for row in (change.before, change.after) if row)

    def changes(self, step: Step | None, *, note: str = "") -> Changes:
        """All of it."""
        images = frozenset(self._image_ids)
        return Changes(step, categories="categories" in self._tables, image_ids=images, note=note)


@dataclass
class Played:
    """What came of playing a step: how many row changes were made and how many left, and those made, as a step."""

    count: int = 0
    left: int = 0
    touched: Touched = field(default_factory=Touched)
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The changes that were made, in the order of the step."""
        return f"[{','.join(self.texts)}]"

    def changes(self, step: Step, *, note: str) -> Changes:
        """For the panels, with a sentence on what was left."""
        rows = "1 change" if self.left == 1 else f"{self.left} changes"
        stays = "stays" if self.left == 1 else "stay"
        kept = f"{rows} of this step {stays}, because another window has changed the same since." if self.left else ""
        return self.touched.changes(step if self.count else None, note=" ".join(filter(None, (note, kept))))


def play(db: Database, step: Row, *, undo: bool, others: Others, mine: int, is_careful: bool) -> Played:
    """Inside a transaction: put the rows of a step to where they were before it (`undo`), or after it.

    Rows that another window has changed since stay as they are; `mine` is the id of this opening. `is_careful` compares
    all rows, also where nobody else has written. Raises BadStep where the step is damaged; nothing is written then.
    """
    changes = checked_changes(step, undo=undo)
    if not undo:
        changes.reverse()  # they are taken from the end
    if not is_careful and not others.have_written(db, mine=mine):
        try:
            with db.atomic():
                return _play_all(db, list(changes), undo=undo)
        except sqlite3.IntegrityError:  # a name that is taken by now, for instance: leave only what cannot be
            is_careful = True
    return _play_carefully(db, changes, undo=undo, others=others, mine=mine, is_careful=is_careful)


def joined(first: str, then: str) -> str:
    """The changes of two steps as those of one: of a row that both change, before the first and after the last."""
    whole: dict[tuple[str, int], RowChange] = {}
    for change in (*_parsed(first), *_parsed(then)):
        key = change.table, change.id
        whole[key] = change._replace(before=whole[key].before) if key in whole else change
    return json.dumps(list(whole.values()))


def checked_changes(step: Row, *, undo: bool | None = None) -> list[RowChange]:
    """The changes of a step, in its order; of rows that playing it one way only removes or replaces, no more is asked
    than that they are rows. Raises BadStep.
    """
    columns = {name: frozenset(column_names(table)) for name, table in current_shape().items()}
    try:
        changes = list(_parsed(step["row_changes"]))
        for change in changes:
            if change.table not in columns or change.table in _NOT_IN_STEPS:
                raise BadRow("it changes a table that no step changes")
            for row, is_written in ((change.before, undo is not False), (change.after, undo is not True)):
                if row is not None:
                    _check(row, change, columns[change.table], is_written=is_written)
    except (BadRow, ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        raise BadStep(step["id"], str(error)) from error
    return changes


def _check(row: Row, change: RowChange, columns: frozenset[str], *, is_written: bool) -> None:
    """Names of columns become SQL, so none but the table's own may stand here."""
    if type(change.id) is not int or row["id"] != change.id or not row.keys() <= columns:
        raise BadRow("it has columns that its table has not")
    if is_written:
        check_row(change.table, row)
    elif change.table == "corrections":
        id_in(row, "image_id")


def _play_all(db: Database, changes: list[RowChange], *, undo: bool) -> Played:
    played = Played(count=len(changes))

    def wanted() -> Iterator[tuple[str, int, Row | None]]:
        while changes:  # each is let go of at once: freeing all together would hold up the other threads
            change = changes.pop()
            played.touched.note(change)
            yield change.table, change.id, change.before if undo else change.after

    for (table, columns), rows in groupby(wanted(), key=lambda entry: (entry[0], tuple(entry[2] or ()))):
        values = (tuple(row.values()) if row else (id,) for _, id, row in rows)
        db.conn.executemany(_statement(table, columns), values)
    return played


def _play_carefully(
    db: Database, changes: list[RowChange], *, undo: bool, others: Others, mine: int, is_careful: bool
) -> Played:
    played = Played()
    while changes:
        change = changes.pop()
        was, row = (change.after, change.before) if undo else (change.before, change.after)
        now = next(db.query(f"SELECT * FROM {change.table} WHERE id = ?", [change.id]), None)
        is_theirs = is_careful or now is None or others.made(now.get("writer", -1), mine=mine)
        if not (_is_same(now, was) or (was is not None and not is_theirs)):
            played.left += 1
            continue
        try:
            values = tuple(row.values()) if row else (change.id,)
            db.execute(_statement(change.table, tuple(row or ())), values)
        except sqlite3.IntegrityError:  # boxes that stay still need their category, or another one has its name
            played.left += 1
            continue
        played.count += 1
        played.touched.note(change)
        played.texts.append(json.dumps(change))
    if undo:
        played.texts.reverse()
    return played


def _is_same(now: Row | None, was: Row | None) -> bool:
    """Whether a row is as a step has left it; columns that are newer than the step say nothing."""
    if now is None or was is None:
        return now is was
    return all(now[name] == value for name, value in was.items())


def _statement(table: str, columns: tuple[str, ...]) -> str:
    """What puts rows of these columns in their places, or, where there are none, takes the one of an id away."""
    if not columns:
        return f"DELETE FROM {table} WHERE id = ?"
    names, places = ", ".join(columns), ", ".join("?" * len(columns))
    # Not REPLACE, which deletes first: other rows may point at this one.
    there = ", ".join(f"{name} = excluded.{name}" for name in columns)
    return f"INSERT INTO {table} ({names}) VALUES ({places}) ON CONFLICT (id) DO UPDATE SET {there}"


def _parsed(text: object) -> Iterator[RowChange]:
    """The row changes of a step, read one by one as they are written."""
    if not isinstance(text, str):
        raise BadRow("row_changes is no text")
    decoder, at = json.JSONDecoder(), 1
    while text[at] != "]":
        entry, at = decoder.raw_decode(text, at)
        yield RowChange(*entry)
        while text[at] in ", ":
            at += 1
