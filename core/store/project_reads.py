"""What is read of a project: images, categories, corrections, and how many there are."""

from __future__ import annotations

from pathlib import Path

from sqlite_utils import Database

from core.records import Category, CategoryUse, Correction, Dataset, ImageRecord
from core.store.categories import rows_in_order
from core.store.checking import NEVER_REFINED
from core.store.project_file import naming_faults
from core.store.rows import correction_of, picture_path


class ProjectReads:
    """The reads of one project; its writes are in `ProjectStore`."""

    def __init__(self, path: Path, db: Database) -> None:
        self.path = path
        self._db = db

    def images(self) -> list[ImageRecord]:
        """All images in the order in which they were added; their files may be missing by now."""
        with naming_faults(self.path):
            rows = self._db.query("SELECT * FROM images ORDER BY id")
            return [
                ImageRecord(row["id"], picture_path(row["path"], folder=self._folder), row["width"], row["height"])
                for row in rows
            ]

    def categories(self) -> list[Category]:
        """All categories in the order that the user has given them, at first that in which they were added."""
        with naming_faults(self.path):
            return [Category(row["id"], row["name"]) for row in rows_in_order(self._db)]

    def category_use(self, id: int) -> CategoryUse:
        """How many boxes a category has; one that is not there has none."""
        with naming_faults(self.path):
            query = "SELECT count(*), count(DISTINCT image_id) FROM corrections WHERE category_id = ?"
            return CategoryUse(*self._db.execute(query, [id]).fetchone())

    def corrections(self, image_id: int) -> list[Correction]:
        """The corrections of one image by id; an image that is not there has none."""
        with naming_faults(self.path):
            rows = self._db.query("SELECT * FROM corrections WHERE image_id = ? ORDER BY id", [image_id])
            return [correction_of(row) for row in rows]

    def counts(self) -> dict[int, int]:
        """Image id -> number of its corrections, for images that have some."""
        with naming_faults(self.path):
            rows = self._db.execute("SELECT image_id, count(*) FROM corrections GROUP BY image_id")
            return dict(rows.fetchall())

    def to_check(self) -> dict[int, int]:
        """Image id -> number of its corrections that nobody has said yes to, for images that have some."""
        with naming_faults(self.path):
            rows = self._db.execute("SELECT image_id, count(*) FROM corrections WHERE confirmed = 0 GROUP BY image_id")
            return dict(rows.fetchall())

    def never_refined(self, image_id: int) -> list[Correction]:
        """Those corrections of an image that were neither refined nor changed since they were drawn or imported."""
        with naming_faults(self.path):
            query = f"SELECT * FROM corrections WHERE image_id = ? AND {NEVER_REFINED} ORDER BY id"
            return [correction_of(row) for row in self._db.query(query, [image_id])]

    def never_refined_images(self) -> list[int]:
        """Ids of the images with such corrections."""
        with naming_faults(self.path):
            query = f"SELECT DISTINCT image_id FROM corrections WHERE {NEVER_REFINED} ORDER BY image_id"
            return [image_id for (image_id,) in self._db.execute(query).fetchall()]

    def dataset(self) -> Dataset:
        """All records, as they were at one moment."""
        with naming_faults(self.path), self._db.atomic():
            rows = self._db.query("SELECT * FROM corrections ORDER BY id")
            corrections = tuple(correction_of(row) for row in rows)
            return Dataset(tuple(self.images()), tuple(self.categories()), corrections, folder=self._folder)

    @property
    def _folder(self) -> Path:
        return self.path.absolute().parent
