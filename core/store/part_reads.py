"""Numbers of boxes, read for a part of the images at a time, so that no other function of the store lane waits for all.

While the parts are read, other functions write. Temporary triggers record the images of those writes, so that a reader
reads their parts again. Rejected: a snapshot, which would show the user's own edits as not made.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from sqlite_utils import Database

from core.marks import Mark
from core.store.checking import OF_A_HEAD
from core.store.project_file import convert_sqlite_errors
from core.store.project_reads import ProjectReads

_IMAGE_OF = {"corrections": "image_id", "drawn_boxes": "image_id", "reviews": "image_id", "marks": "id"}
_EVENTS = {"INSERT": "NEW", "UPDATE": "NEW", "DELETE": "OLD"}
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Counted:
    """Counts of some images: by image id as `Tallies` has them, and `categories` by category id."""

    boxes: Mapping[int, int]
    to_check: Mapping[int, int]
    unaccepted: Mapping[int, int]
    doubtful: Mapping[int, int]
    drawn: Mapping[int, int]
    to_fix: Mapping[int, int]
    marks: Mapping[int, Mark]
    categories: Mapping[int, int]


class WrittenImages:
    """The images that this connection has written since the last look."""

    def __init__(self, db: Database, table: str) -> None:
        """Without a `table`, nothing is written."""
        self._db, self._table = db, table

    def take(self) -> list[int]:
        """Ids of the images that were written since the last call."""
        if not self._table:
            return []
        found = [id for (id,) in self._db.execute(f"SELECT id FROM temp.{self._table}").fetchall()]
        if found:
            self._db.execute(f"DELETE FROM temp.{self._table}")
            self._db.conn.commit()
        return found


class PartReads(ProjectReads):
    """Reads of parts of one project."""

    def counted(self, first: int, last: int) -> Counted:
        """The counts of the images with ids from `first` to `last`. Raises StorageError."""
        bad = [id for table, id in self._findings if table == "corrections"]
        where = "image_id BETWEEN ? AND ? AND typeof(image_id) = 'integer'"  # untranslated: SQL
        where += " AND id NOT IN (SELECT value FROM json_each(?))" if bad else ""  # untranslated: SQL
        values = [first, last, *([json.dumps(bad)] if bad else [])]
        numbers = ", ".join(
            f"count(CASE WHEN {condition} THEN 1 END)"
            for condition in ("confirmed = 0", f"confirmed = 0 AND {OF_A_HEAD}", "doubtful != 0")
        )
        of_image = f"SELECT image_id, count(*), {numbers} FROM corrections WHERE {where} GROUP BY image_id"
        of_category = (
            "SELECT category_id, count(*) FROM corrections WHERE image_id BETWEEN ? AND ? "
            "AND typeof(category_id) = 'integer' GROUP BY +category_id"
        )
        drawn = "SELECT image_id, count(*) FROM drawn_boxes WHERE image_id BETWEEN ? AND ? GROUP BY image_id"
        to_fix = (
            "SELECT image_id, count(*) FROM reviews WHERE verdict = 'fix' AND image_id BETWEEN ? AND ? "
            "GROUP BY image_id"
        )
        with convert_sqlite_errors(self.path):
            rows = self._db.execute(of_image, values).fetchall()
            boxes, to_check, unaccepted, doubtful = ({row[0]: row[at] for row in rows if row[at]} for at in range(1, 5))
            return Counted(
                boxes,
                to_check,
                unaccepted,
                doubtful,
                dict(self._db.execute(drawn, [first, last]).fetchall()),
                dict(self._db.execute(to_fix, [first, last]).fetchall()),
                self._marks_where("WHERE id BETWEEN ? AND ?", [first, last]),  # untranslated: SQL
                dict(self._db.execute(of_category, [first, last]).fetchall()),
            )

    @contextmanager
    def written_images(self) -> Iterator[WrittenImages]:
        """Watch in this block which images this connection writes. Raises StorageError."""
        if self.read_only:  # nothing is written
            yield WrittenImages(self._db, "")
            return
        name = f"written_{next(_numbers)}"
        triggers = [(f"{name}_{table}_{event}", table, event) for table in _IMAGE_OF for event in _EVENTS]
        with convert_sqlite_errors(self.path):
            self._db.execute(f"CREATE TEMP TABLE {name} (id INTEGER PRIMARY KEY)")
            for trigger, table, event in triggers:
                id = f"{_EVENTS[event]}.{_IMAGE_OF[table]}"
                self._db.execute(
                    f"CREATE TEMP TRIGGER {trigger} AFTER {event} ON main.{table} WHEN typeof({id}) = 'integer' "
                    f"BEGIN INSERT OR IGNORE INTO {name} VALUES ({id}); END"
                )
        try:
            yield WrittenImages(self._db, name)
        finally:
            with contextlib.suppress(sqlite3.Error):  # a connection that ends takes them with it
                for trigger, _, _ in triggers:
                    self._db.execute(f"DROP TRIGGER temp.{trigger}")
                self._db.execute(f"DROP TABLE temp.{name}")
