"""Reads of a project: images, categories, corrections, and their numbers.

Each row is checked when it is read. A damaged row is left out and recorded as a finding.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlite_utils import Database

from core.correction_table import as_sequence
from core.marks import Mark, Work
from core.pace import AcceptedWork
from core.progress import Job, Progress, run
from core.records import AcceptedAnswer, Category, CategoryUse, Correction, Dataset, Finding, ImageRecord
from core.sources import Source
from core.store.categories import rows_in_order
from core.store.checking import ACCEPTED_ANSWER, DOUBT, NEVER_REFINED, OF_A_HEAD
from core.store.correction_read import STEP, read_corrections
from core.store.opened_file import OpenedFile
from core.store.project_file import connect, convert_sqlite_errors
from core.store.row_checks import BadRow, Row
from core.store.rows import (
    ANSWER_COLUMNS,
    accepted_answer_of,
    category_of,
    correction_of,
    image_of,
    mark_of,
    seconds_of,
    work_of,
)
from core.store.source_log import joined, source_of
from core.translation import tr

T = TypeVar("T")
Record = TypeVar("Record", Category, Correction, ImageRecord, Source)


class ProjectReads(OpenedFile):
    """The reads of one project; its writes are in `ProjectStore`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._findings: dict[tuple[str, int], str] = {}

    def findings(self) -> list[Finding]:
        """The damaged rows that reads have left out so far."""
        return [Finding(table, id, what) for (table, id), what in self._findings.items()]

    def images(self) -> list[ImageRecord]:
        """All images in the order in which they were added; their files may be missing."""
        with convert_sqlite_errors(self.path):
            rows = self._db.query("SELECT * FROM images ORDER BY id")
            return list(self._whole("images", rows, partial(image_of, folder=self._folder)))

    def image_count(self) -> int:
        """The number of images, which are added and never removed."""
        with convert_sqlite_errors(self.path):
            return int(self._db.execute("SELECT count(*) FROM images").fetchone()[0])

    def last_image_id(self) -> int:
        """The highest id of an image, 0 without any."""
        with convert_sqlite_errors(self.path):
            return int(self._db.execute("SELECT coalesce(max(id), 0) FROM images").fetchone()[0])

    def categories(self) -> list[Category]:
        """All categories in the user's order, initially the order in which they were added."""
        with convert_sqlite_errors(self.path):
            return list(self._whole("categories", rows_in_order(self._db), category_of))

    def category_use(self, id: int) -> CategoryUse:
        """The number of boxes of a category, and of the images that they are on; an unknown id has none."""
        with convert_sqlite_errors(self.path):
            query = "SELECT count(*), count(DISTINCT image_id) FROM corrections WHERE category_id = ?"
            return CategoryUse(*self._db.execute(query, [id]).fetchone())

    def corrections(self, image_id: int) -> list[Correction]:
        """The corrections of one image, sorted by id; an unknown image has none."""
        with convert_sqlite_errors(self.path):
            rows = self._db.query("SELECT * FROM corrections WHERE image_id = ? ORDER BY id", [image_id])
            return self._corrections(rows)

    def counts(self) -> dict[int, int]:
        """Image id -> number of its corrections, for images that have some."""
        return self._count_by_image("1")

    def to_check(self) -> dict[int, int]:
        """Image id -> number of its corrections that the user has not confirmed, for images that have some."""
        return self._count_by_image("confirmed = 0")

    def unaccepted(self) -> dict[int, int]:
        """Image id -> number of its suggestions, see `Correction.is_label`, for images that have some."""
        return self._count_by_image(f"confirmed = 0 AND {OF_A_HEAD}")

    def marks(self, image_ids: Iterable[int] | None = None) -> dict[int, Mark]:
        """Image id -> its mark, for those of these images that have one; None: for all images that have one."""
        where = "" if image_ids is None else "WHERE id IN (SELECT value FROM json_each(?))"  # untranslated: SQL
        values = [] if image_ids is None else [json.dumps(sorted(image_ids))]
        return self._marks_where(where, values)

    def _marks_where(self, where: str, values: Sequence[object]) -> dict[int, Mark]:
        found = {}
        with convert_sqlite_errors(self.path):
            for row in self._db.query(f"SELECT * FROM marks {where} ORDER BY id", values):
                try:
                    found[row["id"]] = mark_of(row)
                except BadRow as bad:
                    self._findings["marks", row["id"]] = str(bad)
                else:
                    self._findings.pop(("marks", row["id"]), None)
        return found

    def doubtful(self) -> dict[int, int]:
        """Image id -> number of its corrections that were accepted with a doubtful edge, for images that have some."""
        return self._count_by_image("doubtful != 0")

    def work_on(self, image_ids: Iterable[int]) -> dict[int, Work]:
        """Image id -> doubt and date of its corrections, for those of these images that have some."""
        where = "image_id IN (SELECT value FROM json_each(?))"  # untranslated: SQL
        return self._work(where, [json.dumps(sorted(image_ids))])

    def work_between(self, first: int, last: int) -> dict[int, Work]:
        """The same for all images with ids from `first` to `last`, so that a large project can be read in parts."""
        return self._work("image_id BETWEEN ? AND ?", [first, last])  # untranslated: SQL

    def images_with(self, category_id: int) -> set[int]:
        """Ids of the images that have corrections of a category; an unknown id has none."""
        query = "SELECT DISTINCT image_id FROM corrections WHERE category_id = ?"
        with convert_sqlite_errors(self.path):
            return {id for (id,) in self._db.execute(query, [category_id]).fetchall()}

    def boxes_by_category(self) -> dict[int, int]:
        """Category id -> number of its corrections, for categories that have some."""
        query = (
            "SELECT category_id, count(*) FROM corrections WHERE typeof(category_id) = 'integer' GROUP BY category_id"
        )
        with convert_sqlite_errors(self.path):
            return dict(self._db.execute(query).fetchall())

    def images_by_category(self) -> dict[int, int]:
        """Category id -> number of the images that have its corrections, for categories that have some."""
        query = "SELECT category_id, count(DISTINCT image_id) FROM corrections GROUP BY category_id"
        with convert_sqlite_errors(self.path):
            return dict(self._db.execute(query).fetchall())

    def never_refined(self, image_id: int) -> list[Correction]:
        """Those corrections of an image that were neither refined nor changed since they were drawn or imported."""
        with convert_sqlite_errors(self.path):
            query = f"SELECT * FROM corrections WHERE image_id = ? AND {NEVER_REFINED} ORDER BY id"
            return self._corrections(self._db.query(query, [image_id]))

    def never_refined_images(self) -> list[int]:
        """Ids of the images with corrections that `never_refined` returns."""
        with convert_sqlite_errors(self.path):
            query = f"SELECT DISTINCT image_id FROM corrections WHERE {NEVER_REFINED} ORDER BY image_id"
            return [image_id for (image_id,) in self._db.execute(query).fetchall()]

    def accepted_work(self, first: int, last: int) -> list[AcceptedWork]:
        """When and how the accepted boxes with ids from `first` to `last` came about, for the pace of labelling."""
        query = (
            "SELECT id, category_id, drawn, refined, accepted, seconds, origin, created, changed FROM corrections "
            "WHERE confirmed = 1 AND id BETWEEN ? AND ? ORDER BY id"
        )
        found = []
        with convert_sqlite_errors(self.path):
            for row in self._db.query(query, [first, last]):
                with suppress(BadRow):  # a damaged box is reported where it is shown
                    found.append(work_of(row))
        return found

    def last_correction_id(self) -> int:
        """The highest id of a correction, 0 without any."""
        with convert_sqlite_errors(self.path):
            return int(self._db.execute("SELECT coalesce(max(id), 0) FROM corrections").fetchone()[0])

    def categories_on(self, image_ids: Iterable[int]) -> set[int]:
        """Ids of the categories of the boxes on these images."""
        query = "SELECT DISTINCT category_id FROM corrections WHERE image_id IN (SELECT value FROM json_each(?))"
        with convert_sqlite_errors(self.path):
            return {id for (id,) in self._db.execute(query, [json.dumps(sorted(image_ids))]).fetchall()}

    def accepted_answers(self, category_id: int, *, encoder: str, refiner: str, most: int) -> list[AcceptedAnswer]:
        """The last `most` accepted boxes of a category that this refiner has moved, the newest first.

        `encoder` and `refiner` are identities. Boxes that the refiner kept as they were drawn are left out, because its
        edges were not used, and those for which the user chose another candidate, which is not the refiner's. Damaged
        rows are left out, too.
        """
        query = f"SELECT {ANSWER_COLUMNS} FROM corrections WHERE {ACCEPTED_ANSWER} ORDER BY id DESC LIMIT ?"
        with convert_sqlite_errors(self.path):
            found = []
            for row in self._db.query(query, [refiner, category_id, encoder, most]):
                with suppress(BadRow):  # a read of the whole row records it as a finding
                    answer = accepted_answer_of(row)
                    if answer.choice is None or answer.choice.chosen == 0:
                        found.append(answer)
            return found

    def dataset(self) -> Dataset:
        """All records, read in one transaction."""
        with convert_sqlite_errors(self.path), self._db.atomic():
            return run(self._read_all())

    def dataset_steps(self) -> Job[Dataset]:
        """`dataset` as a job: all records as they are at its first step; other writes may run between its steps."""
        with convert_sqlite_errors(self.path):
            if self.is_gone:
                return self.dataset()
            if self.read_only:  # nothing changes it
                return (yield from self._read_all())
            with closing(connect(self.path, "ro")) as db:
                db.execute("BEGIN")
                return (yield from _Snapshot(self.path, db, self._findings)._read_all())

    def _read_all(self) -> Job[Dataset]:
        step = Progress(0, 0, tr("Reading {name}", name=self.path.name))
        images: list[ImageRecord] = []
        for image in self._whole(
            "images", self._db.query("SELECT * FROM images ORDER BY id"), partial(image_of, folder=self._folder)
        ):
            if len(images) % STEP == 0:
                yield step
            images.append(image)
        known = {image.id for image in images}
        categories = tuple(self.categories())
        reading = read_corrections(
            self._db,
            images=known,
            categories={category.id for category in categories},
            decode=lambda row: next(iter(self._corrections([row], known)), None),
        )
        table = yield from _steps_of(reading, step)
        marks = set[int]()
        for first in range(0, len(images), STEP):
            yield step
            ids = [image.id for image in images[first : first + STEP]]
            marks.update(id for id, mark in self.marks(ids).items() if mark.done)
        sources = []
        for source in self._whole("sources", self._db.query("SELECT * FROM sources ORDER BY id"), source_of):
            yield step
            sources.append(source)
        done = frozenset(marks)
        empty = done.difference(table.image_ids)
        return Dataset(tuple(images), categories, as_sequence(table), self._folder, empty, joined(sources), done)

    def _corrections(self, rows: Iterable[Row], images: set[int] | None = None) -> list[Correction]:
        """Decode undamaged rows whose categories are undamaged, and whose images are in `images`, if that is given."""
        categories = {category.id for category in self.categories()}

        def decode(row: Row) -> Correction:
            correction = correction_of(row)
            if correction.category_id not in categories:
                raise BadRow(tr("its category {id} is damaged or missing", id=correction.category_id))
            if images is not None and correction.image_id not in images:
                raise BadRow(tr("its image {id} is damaged or missing", id=correction.image_id))
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
                    self._findings.pop((table, record.id), None)  # undo or another process has restored it
                yield record

    def _count_by_image(self, condition: str) -> dict[int, int]:
        bad = [id for table, id in self._findings if table == "corrections"]
        where = f"{condition} AND typeof(image_id) = 'integer'"  # untranslated: SQL
        where += " AND id NOT IN (SELECT value FROM json_each(?))" if bad else ""  # untranslated: SQL
        query = f"SELECT image_id, count(*) FROM corrections WHERE {where} GROUP BY image_id"
        with convert_sqlite_errors(self.path):
            return dict(self._db.execute(query, [json.dumps(bad)] if bad else []).fetchall())

    def _work(self, condition: str, values: list[object]) -> dict[int, Work]:
        columns = f"image_id, min({DOUBT}), max(changed)"  # untranslated: SQL
        query = f"SELECT {columns} FROM corrections WHERE {condition} GROUP BY image_id"
        with convert_sqlite_errors(self.path):
            rows = self._db.execute(query, values).fetchall()
        return {id: Work(_number(doubt), seconds_of(changed)) for id, doubt, changed in rows}


class _Snapshot(ProjectReads):
    """Reads through a connection of their own, in a transaction that sees no later writes."""

    def __init__(self, path: Path, db: Database, findings: dict[tuple[str, int], str]) -> None:
        self.path, self._db, self._findings = path, db, findings


def _steps_of(reading: Generator[None, None, T], step: Progress) -> Job[T]:
    while True:
        try:
            next(reading)
        except StopIteration as end:
            found: T = end.value
            return found
        yield step


def _number(value: object) -> float | None:
    """A confidence that SQLite has read from JSON; None for anything else, as a damaged row may hold."""
    return float(value) if isinstance(value, float | int) and math.isfinite(value) else None
