"""Ids of a project that is merged into another one, and the same rows with the ids that they have there."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlite_utils import Database

from core.store.row_checks import Row

NUMBERED = ("corrections", "rejected_boxes", "twins")
"""Tables whose rows come with their id plus an offset, so that no id of the other project is used again, not even one
that only an undo step has."""


@dataclass
class MergeIds:
    """Old id -> new id of images, categories and openings, and what is added to the ids of other tables.

    `new_images` and `new_categories` are new ids of rows that the other project did not have.
    """

    offsets: dict[str, int] = field(default_factory=dict)
    images: dict[int, int] = field(default_factory=dict)
    categories: dict[int, int] = field(default_factory=dict)
    openings: dict[int, int] = field(default_factory=dict)
    new_images: set[int] = field(default_factory=set)
    new_categories: set[int] = field(default_factory=set)

    @classmethod
    def after(cls, db: Database) -> MergeIds:
        """Ids beyond those that the project has ever given."""
        return cls({table: last_id(db, table) for table in NUMBERED})

    def keep_free(self, source: Database, target: Database) -> None:
        """Let the project give no id that a step of the other one has; inside a transaction."""
        for table, offset in self.offsets.items():
            give_from(target, table, offset + last_id(source, table))

    def moved(self, table: str, row: Row) -> Row:
        """A copy of a row with the new ids. Raises KeyError for an image or category that is not known."""
        row = dict(row)
        if table == "categories":
            row["id"] = self.categories[row["id"]]
            return row
        if table == "marks":
            row["id"] = self.images[row["id"]]
            return row
        row["id"] += self.offsets["corrections" if table == "reviews" else table]
        row["image_id"] = self.images[row["image_id"]]
        if "category_id" in row:
            row["category_id"] = self.categories[row["category_id"]]
        if "correction_id" in row:
            row["correction_id"] += self.offsets["corrections"]
        if "writer" in row:
            row["writer"] = self.openings.get(row["writer"], 0)
        return row


def last_id(db: Database, table: str) -> int:
    """The highest id that a table has ever given."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", [table]).fetchone()
    return 0 if row is None else int(row[0])


def give_from(db: Database, table: str, last: int) -> None:
    """Let the next id of a table be above `last`."""
    if db.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", [last, table]).rowcount == 0:
        db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", [table, last])
