"""Boxes that are drawn and not accepted yet: a table of their own, so that no reader takes one for a labelled box.

Writes here are no undo steps, because undo starts with the acceptance of a box.
"""

from __future__ import annotations

from dataclasses import replace

from sqlite_utils import Database

from core.errors import ProjectReadOnlyError
from core.records import DrawnBox
from core.store.correction_columns import OF_DRAWN_ROWS, OF_OLD_ROWS
from core.store.part_reads import PartReads
from core.store.project_file import convert_sqlite_errors, transaction
from core.store.row_checks import BadRow, Row, flag_in, id_in, text_in
from core.store.rows import check_boxes, correction_of, now, refinement_columns
from core.translation import tr


class DrawnBoxes(PartReads):
    """Reads and writes of the drawn boxes of one project."""

    def drawn_boxes(self, image_id: int) -> list[DrawnBox]:
        """The drawn boxes of one image, in the order of drawing."""
        found = []
        with convert_sqlite_errors(self.path):
            for row in self._db.query("SELECT * FROM drawn_boxes WHERE image_id = ? ORDER BY id", [image_id]):
                try:
                    found.append(drawn_box_of(row))
                except BadRow as bad:
                    self._findings["drawn_boxes", row["id"]] = str(bad)
        return found

    def drawn_counts(self) -> dict[int, int]:
        """Image id -> number of its drawn boxes, for images that have some."""
        with convert_sqlite_errors(self.path):
            rows = self._db.execute("SELECT image_id, count(*) FROM drawn_boxes GROUP BY image_id")
            return dict(rows.fetchall())

    def keep_drawn(self, box: DrawnBox) -> None:
        """Store a drawn box, replacing the one with its key.

        Raises BadInputError if one of its boxes is not finite or has no area.
        """
        check_boxes(box.correction)
        self.refuse_read_only()
        row = {
            "key": box.key,
            "image_id": box.correction.image_id,
            "category_id": box.correction.category_id or None,
            "plain": int(box.plain),
            "drawn_by": str(box.correction.drawn_by),
            **refinement_columns(box.correction),
            "created": now(),
        }
        columns, places = ", ".join(row), ", ".join("?" * len(row))
        changing = ", ".join(f"{name} = excluded.{name}" for name in row if name not in ("key", "created"))
        statement = f"INSERT INTO drawn_boxes ({columns}) VALUES ({places}) ON CONFLICT (key) DO UPDATE SET {changing}"
        with convert_sqlite_errors(self.path), transaction(self._db, self._place):
            self._db.execute(statement, list(row.values()))

    def discard_drawn(self, key: str) -> None:
        """Delete the drawn box with this key, if there is one."""
        self.refuse_read_only()
        with convert_sqlite_errors(self.path), transaction(self._db, self._place):
            forget_drawn(self._db, key)

    def refuse_read_only(self) -> None:
        """Raise ProjectReadOnlyError if the project is read-only."""
        if self.read_only:
            raise ProjectReadOnlyError(
                tr("The project {path} is read-only: copy it to a folder of your own to change it.", path=self.path)
            )


def forget_drawn(db: Database, key: str) -> bool:
    """Delete a drawn box, inside a transaction; return whether it existed."""
    return bool(db.execute("DELETE FROM drawn_boxes WHERE key = ?", [key]).rowcount)


def drawn_box_of(row: Row) -> DrawnBox:
    """Convert a row to a drawn box. Raises BadRow if a value is invalid."""
    category = 0 if row["category_id"] is None else id_in(row, "category_id")
    kept = {**OF_DRAWN_ROWS, "id": 1, "category_id": 1, "confirmed": 0, "changed": row["created"]}
    correction = replace(correction_of({**OF_OLD_ROWS, **row, **kept}), id=0, category_id=category)
    return DrawnBox(text_in(row, "key"), correction, flag_in(row, "plain"))
