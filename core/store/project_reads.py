"""What is read of a project: images, categories, corrections, and how many there are.

Each row is checked when it is read. One that is damaged is left out and remembered as a finding.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

from core.records import Category, CategoryUse, Correction, Dataset, Finding, ImageRecord
from core.store.categories import rows_in_order
from core.store.checking import NEVER_REFINED
from core.store.opened_file import OpenedFile
from core.store.project_file import naming_faults
from core.store.row_checks import BadRow, Row
from core.store.rows import category_of, correction_of, image_of

Record = TypeVar("Record", Category, Correction, ImageRecord)


class ProjectReads(OpenedFile):
    """The reads of one project; its writes are in `ProjectStore`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._findings: dict[tuple[str, int], str] = {}

    def findings(self) -> list[Finding]:
        """The rows that were read so far and left out because they are damaged."""
        return [Finding(table, id, what) for (table, id), what in self._findings.items()]

    def images(self) -> list[ImageRecord]:
        """All images in the order in which they were added; their files may be missing by now."""
        with naming_faults(self.path):
            rows = self._db.query("SELECT * FROM images ORDER BY id")
            return list(self._whole("images", rows, partial(image_of, folder=self._folder)))

    def image_count(self) -> int:
        """How many images there are; they are added and never removed."""
        with naming_faults(self.path):
            return int(self._db.execute("SELECT count(*) FROM images").fetchone()[0])

    def categories(self) -> list[Category]:
        """All categories in the order that the user has given them, at first that in which they were added."""
        with naming_faults(self.path):
            return list(self._whole("categories", rows_in_order(self._db), category_of))

    def category_use(self, id: int) -> CategoryUse:
        """How many boxes a category has; one that is not there has none."""
        with naming_faults(self.path):
            query = "SELECT count(*), count(DISTINCT image_id) FROM corrections WHERE category_id = ?"
            return CategoryUse(*self._db.execute(query, [id]).fetchone())

    def corrections(self, image_id: int) -> list[Correction]:
        """The corrections of one image by id; an image that is not there has none."""
        with naming_faults(self.path):
            rows = self._db.query("SELECT * FROM corrections WHERE image_id = ? ORDER BY id", [image_id])
            return self._corrections(rows)

    def counts(self) -> dict[int, int]:
        """Image id -> number of its corrections, for images that have some."""
        return self._count_by_image("1")

    def to_check(self) -> dict[int, int]:
        """Image id -> number of its corrections that nobody has said yes to, for images that have some."""
        return self._count_by_image("confirmed = 0")

    def unaccepted(self) -> dict[int, int]:
        """Image id -> number of its corrections that nobody has ever said yes to, for images that have some."""
        return self._count_by_image("confirmed = 0 AND origin IS NOT NULL")

    def never_refined(self, image_id: int) -> list[Correction]:
        """Those corrections of an image that were neither refined nor changed since they were drawn or imported."""
        with naming_faults(self.path):
            query = f"SELECT * FROM corrections WHERE image_id = ? AND {NEVER_REFINED} ORDER BY id"
            return self._corrections(self._db.query(query, [image_id]))

    def never_refined_images(self) -> list[int]:
        """Ids of the images with such corrections."""
        with naming_faults(self.path):
            query = f"SELECT DISTINCT image_id FROM corrections WHERE {NEVER_REFINED} ORDER BY image_id"
            return [image_id for (image_id,) in self._db.execute(query).fetchall()]

    def dataset(self) -> Dataset:
        """All records, as they were at one moment."""
        with naming_faults(self.path), self._db.atomic():
            images = tuple(self.images())
            known = {image.id for image in images}
            rows = self._db.query("SELECT * FROM corrections ORDER BY id")
            corrections = tuple(self._corrections(rows, known))
            return Dataset(images, tuple(self.categories()), corrections, folder=self._folder)

    def _corrections(self, rows: Iterable[Row], images: set[int] | None = None) -> list[Correction]:
        """Those that are whole and point at categories, and at `images` if those are given, that are whole, too."""
        categories = {category.id for category in self.categories()}

        def decode(row: Row) -> Correction:
            correction = correction_of(row)
            if correction.category_id not in categories:
                raise BadRow(f"its category {correction.category_id} is damaged or missing")
            if images is not None and correction.image_id not in images:
                raise BadRow(f"its image {correction.image_id} is damaged or missing")
            return correction

        return list(self._whole("corrections", rows, decode))

    def _whole(self, table: str, rows: Iterable[Row], decode: Callable[[Row], Record]) -> Iterator[Record]:
        for row in rows:
            try:
                record = decode(row)
            except BadRow as bad:
                self._findings[table, row["id"]] = str(bad)
            else:
                if self._findings:
                    self._findings.pop((table, record.id), None)  # undo or another process has brought it back
                yield record

    def _count_by_image(self, condition: str) -> dict[int, int]:
        bad = [id for table, id in self._findings if table == "corrections"]
        where = f"{condition} AND typeof(image_id) = 'integer'"
        where += " AND id NOT IN (SELECT value FROM json_each(?))" if bad else ""
        query = f"SELECT image_id, count(*) FROM corrections WHERE {where} GROUP BY image_id"
        with naming_faults(self.path):
            return dict(self._db.execute(query, [json.dumps(bad)] if bad else []).fetchall())
