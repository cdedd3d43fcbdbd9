"""Play a step of the undo log: restore its rows, except for rows that another window has changed since."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from sqlite_utils import Database

from core.records import Changes, Step
from core.store.correction_read import is_plain
from core.store.row_checks import BadRow, Row, id_in
from core.store.rows import check_row
from core.store.schema_check import column_names, current_shape
from core.translation import tr, tr_plural

_NOT_IN_STEPS = frozenset(
    {
        "drawn_boxes",
        "heads",
        "images",
        "openings",
        "refiner_choices",
        "refiners",
        "undo_parts",
        "undo_steps",
        "_sqlite_migrations",
    }
)
"""Tables that no step may write, also if a damaged file has such a step."""


class RowChange(NamedTuple):
    """One row before and after a change; None if it did not exist."""

    table: str
    id: int
    before: Row | None
    after: Row | None


class BadStep(Exception):
    """A damaged step, of which nothing was played."""

    def __init__(self, id: int, what: str) -> None:
        super().__init__(what)
        self.id = id


@dataclass(frozen=True)
class Others:
    """Other openings, whose work this one must not undo: all ids above `watermark`, and `openings` below it."""

    watermark: int
    openings: frozenset[int]

    def without(self, opening: int) -> Others:
        """A copy without one of them."""
        return Others(self.watermark, self.openings - {opening})

    def condition(self, *, mine: int) -> str:
        """SQL condition for steps that none of them has made."""
        theirs = ", ".join(map(str, sorted(self.openings)))
        earlier = f"opening <= {self.watermark} AND opening NOT IN ({theirs})"  # untranslated: SQL
        return f"(opening = {mine or -1} OR ({earlier}))"

    def made(self, opening: object, *, mine: int) -> bool:
        """Whether the opening that wrote a row is one of them."""
        if opening == mine or not isinstance(opening, int):
            return False
        if opening < 0:  # a table without the column `writer`
            return True
        return opening > self.watermark or opening in self.openings

    def have_written(self, db: Database, *, mine: int) -> bool:
        """Whether any of them has ever written; if not, rows need not be compared."""
        if self.openings:
            return True
        row = db.execute("SELECT max(id) FROM openings WHERE id != ?", [mine]).fetchone()
        return row[0] is not None and row[0] > self.watermark


class Touched:
    """Collects which tables and images row changes touch."""

    def __init__(self) -> None:
        self._tables: set[str] = set()
        self._image_ids: set[int] = set()
        self._marked_ids: set[int] = set()
        self._counts: Counter[int] = Counter()

    def note(self, change: RowChange, *, undo: bool = False) -> None:
        """Add a row change, or its reversal (`undo`)."""
        self._tables.add(change.table)
        if change.table == "corrections":
            self._image_ids.update(row["image_id"] for row in (change.before, change.after) if row)
            removed, added = (change.after, change.before) if undo else (change.before, change.after)
            for row, step in ((removed, -1), (added, 1)):
                if row and isinstance(row.get("category_id"), int):  # damaged rows hold anything
                    self._counts[row["category_id"]] += step
        elif change.table == "reviews":
            self._image_ids.update(row["image_id"] for row in (change.before, change.after) if row)
        elif change.table == "marks":
            self._marked_ids.add(change.id)

    def note_boxes(self, image_ids: Iterable[int], counts: Mapping[int, int], *, undo: bool = False) -> None:
        """Add boxes that are inserted, or removed (`undo`): their images, and their number by category."""
        self._tables.add("corrections")
        self._image_ids.update(image_ids)
        (self._counts.subtract if undo else self._counts.update)(counts)

    def add(self, other: Touched) -> None:
        """Add what other row changes touch."""
        self._tables |= other._tables
        self._image_ids |= other._image_ids
        self._marked_ids |= other._marked_ids
        self._counts.update(other._counts)

    def changes(self, step: Step | None, *, note: str = "") -> Changes:
        """All touched tables and images, as Changes."""
        return Changes(
            step,
            categories="categories" in self._tables,
            image_ids=frozenset(self._image_ids),
            note=note,
            marked_ids=frozenset(self._marked_ids),
            counts={id: step for id, step in self._counts.items() if step},
        )


@dataclass
class Played:
    """The result of playing a step: the numbers of row changes made and skipped, and those made, as text."""

    count: int = 0
    left: int = 0
    touched: Touched = field(default_factory=Touched)
    texts: list[str] = field(default_factory=list)

    def add(self, part: Played) -> None:
        """Add the result of playing a part of the same step, without its text."""
        self.count, self.left = self.count + part.count, self.left + part.left
        self.touched.add(part.touched)

    @property
    def text(self) -> str:
        """The changes that were made, as a JSON array in the order of the step."""
        return f"[{','.join(self.texts)}]"

    def changes(self, step: Step, *, note: str) -> Changes:
        """The Changes for the panels, with a sentence on skipped row changes."""
        kept = ""
        if self.left:
            kept = tr_plural(
                "{count} change of this step stays, because another window has changed the same since.",
                "{count} changes of this step stay, because another window has changed the same since.",
                self.left,
            )
        return self.touched.changes(step if self.count else None, note=" ".join(filter(None, (note, kept))))


def play(db: Database, step: Row, *, undo: bool, others: Others, mine: int, is_careful: bool) -> Played:
    """Restore the rows of a step to their state before it (`undo`) or after it, inside a transaction.

    Rows that another window has changed since stay as they are; `mine` is the id of this opening. `is_careful` compares
    all rows, also if no other opening has written. Raises BadStep if the step is damaged; then nothing is written.
    """
    return play_changes(
        db, read_changes(step, undo=undo), undo=undo, others=others, mine=mine, is_careful=is_careful
    )  # fmt: skip


def play_changes(
    db: Database, changes: list[RowChange], *, undo: bool, others: Others, mine: int, is_careful: bool
) -> Played:
    """The same for changes that are checked; the list is used up."""
    if not undo:
        changes.reverse()  # they are played from the end of the list
    if not is_careful and not others.have_written(db, mine=mine):
        try:
            with db.atomic():
                return _play_all(db, list(changes), undo=undo)
        except sqlite3.IntegrityError:  # such as a name that is taken by now: skip only those rows
            is_careful = True
    return _play_carefully(db, changes, undo=undo, others=others, mine=mine, is_careful=is_careful)


def merge_changes(first: str, then: str) -> str:
    """Merge the changes of two steps: a row that both change gets its state before the first and after the second."""
    whole: dict[tuple[str, int], RowChange] = {}
    for change in (*parse_changes(first), *parse_changes(then)):
        key = change.table, change.id
        whole[key] = change._replace(before=whole[key].before) if key in whole else change
    return json.dumps(list(whole.values()))


def read_changes(step: Row, *, undo: bool | None = None) -> list[RowChange]:
    """Read and check the changes of a step, in its order. Raises BadStep.

    With `undo`, only the rows that this direction writes are checked in full; None checks all of them.
    """
    columns = {name: frozenset(column_names(table)) for name, table in current_shape().items()}
    try:
        changes = list(parse_changes(step["row_changes"]))
        for change in changes:
            if change.table not in columns or change.table in _NOT_IN_STEPS:
                raise BadRow(tr("it changes a table that no step changes"))
            for row, is_written in ((change.before, undo is not False), (change.after, undo is not True)):
                if row is not None:
                    _check(row, change, columns[change.table], is_written=is_written)
    except (BadRow, ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        raise BadStep(step["id"], str(error)) from error
    return changes


def _check(row: Row, change: RowChange, columns: frozenset[str], *, is_written: bool) -> None:
    """Check a row and the names of its columns, which become part of SQL statements. Raises BadRow."""
    if type(change.id) is not int or row["id"] != change.id or not row.keys() <= columns:
        raise BadRow(tr("it has columns that its table has not"))
    if is_written:
        if change.table != "corrections" or not _is_plain(row):
            check_row(change.table, row)
    elif change.table in ("corrections", "reviews"):
        id_in(row, "image_id")


def _is_plain(row: Row) -> bool:
    """Whether a box is whole and as it came in a file, as those of an import are; this is far faster to check."""
    try:
        ids = row["id"], row["image_id"], row["category_id"] + 1, row["writer"] + 1
        return is_plain(row) and type(row["confirmed"]) is int and min(ids) >= 1 and max(ids) < 2**63
    except (KeyError, TypeError):  # of an older version, or damaged
        return False


def _play_all(db: Database, changes: list[RowChange], *, undo: bool) -> Played:
    played = Played(count=len(changes))

    def wanted() -> Iterator[tuple[str, int, Row | None]]:
        while changes:  # freed one by one, because freeing all at once would block the other threads
            change = changes.pop()
            played.touched.note(change, undo=undo)
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
        except sqlite3.IntegrityError:  # remaining boxes need their category, or the name is taken
            played.left += 1
            continue
        played.count += 1
        played.touched.note(change, undo=undo)
        played.texts.append(json.dumps(change))
    if undo:
        played.texts.reverse()
    return played


def _is_same(now: Row | None, was: Row | None) -> bool:
    """Whether a row is as the step left it; columns that are newer than the step are ignored."""
    if now is None or was is None:
        return now is was
    return all(now[name] == value for name, value in was.items())


def _statement(table: str, columns: tuple[str, ...]) -> str:
    """The SQL that writes rows of these columns, or, without columns, deletes the row of an id."""
    if not columns:
        return f"DELETE FROM {table} WHERE id = ?"
    names, places = ", ".join(columns), ", ".join("?" * len(columns))
    # Not REPLACE, which deletes first, because other rows may refer to this one.
    there = ", ".join(f"{name} = excluded.{name}" for name in columns)
    return f"INSERT INTO {table} ({names}) VALUES ({places}) ON CONFLICT (id) DO UPDATE SET {there}"


def parse_changes(text: object) -> Iterator[RowChange]:
    """Parse the row changes of a step one by one."""
    if not isinstance(text, str):
        raise BadRow(tr("{column} is no text", column="row_changes"))
    decoder, at = json.JSONDecoder(), 1
    while text[at] != "]":
        entry, at = decoder.raw_decode(text, at)
        yield RowChange(*entry)
        while text[at] in ", ":
            at += 1
