"""Speed and memory of Parquet tables on a made-up project, whose pictures do not exist."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

from core.evaluation.format_speed import CATEGORIES, HEIGHT, WIDTH
from core.evaluation.peak_memory import peak_megabytes
from core.formats.importers.parquet_reader import TableParts
from core.formats.parquet import read_rows, write_table
from core.formats.table_rows import empty_row
from core.progress import run
from core.store.box_table import box_rows
from core.store.project_store import ProjectStore

PROJECT, TABLE = "boxrefine.sqlite", "boxes.parquet"

_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)"  # untranslated: SQL
_LEFT, _TOP = "(i * 7919 % 1700 + i * 104729 % 997 / 997.0)", "(i * 6101 % 900 + i * 15485863 % 991 / 991.0)"


def _box(margin: float) -> str:
    """The SQL of a box that is different for each row, so that the table is no smaller than one of real boxes."""
    edges = f"{_LEFT} - {margin}, {_TOP} - {margin}, {_LEFT} + 180 + {margin}, {_TOP} + 140 + {margin}"
    return f"printf('[%.3f, %.3f, %.3f, %.3f]', {edges})"


_PICTURES = (
    f"{_NUMBERS} INSERT INTO images (path, width, height) SELECT printf('p/%08d.jpg', i), {WIDTH}, {HEIGHT} FROM n"
)
_BOXES = (
    f"{_NUMBERS} INSERT INTO corrections (image_id, category_id, drawn, refined, accepted, edge_confidence, score, "
    f"encoder, refiner, seconds, created, changed) SELECT i / ? + 1, i % ? + 1, {_box(4.5)}, {_box(0)}, {_box(0)}, "
    "printf('[0.91, %.4f, 0.95, 0.7]', i * 31 % 1009 / 1009.0), i * 17 % 1013 / 1013.0, 'light-0123456789abcdef', "
    "'light-refiner-0123456789abcdef', 1.5, '2026-01-01T10:00:00.000+00:00', '2026-01-01T10:00:00.000+00:00' FROM n"
)


def make_project(folder: Path, *, rows: int, boxes_a_picture: int, empty: bool = False) -> None:
    """Make a project of refined boxes, or only its pictures and categories (`empty`), without its undo steps."""
    pictures = -(-rows // boxes_a_picture)
    with closing(ProjectStore.create(folder / PROJECT)) as store:
        store.add_categories(CATEGORIES)
        db = store.database
        db.execute("BEGIN")
        db.execute(_PICTURES, [pictures])
        if not empty:
            db.execute(_BOXES, [rows, boxes_a_picture, len(CATEGORIES)])
        db.execute("COMMIT")


def measure_writing(folder: Path) -> dict[str, float]:
    """Seconds to write the table of the project, megabytes of it, and the peak of memory."""
    start = time.perf_counter()
    with closing(ProjectStore.open(folder / PROJECT)) as store:
        rows = box_rows(store, splits=lambda id, name: "", content=lambda name: None, empty=empty_row)
        count = run(write_table(folder / TABLE, rows, message=""))
    size = (folder / TABLE).stat().st_size / 1e6
    return {"rows": count, "seconds": time.perf_counter() - start, "file MB": size, "memory MB": peak_megabytes()}


def measure_reading(folder: Path) -> dict[str, float]:
    """Seconds to read every value of the table, and the peak of memory."""
    start = time.perf_counter()
    count = sum(len(rows) for rows in read_rows(folder / TABLE))
    return {"rows": count, "seconds": time.perf_counter() - start, "memory MB": peak_megabytes()}


def measure_import(folder: Path, project: Path) -> dict[str, float]:
    """Seconds to import the table into a project of the same pictures, as one undo step, and the peak of memory."""
    start = time.perf_counter()
    with closing(ProjectStore.open(project / PROJECT)) as store:
        table = run(TableParts.find(folder / TABLE, store.images(), folder=project))
        count, _ = run(store.import_parts(table.parts(), total=table.total, file=TABLE, categories=table.categories))
    return {"rows": count, "seconds": time.perf_counter() - start, "memory MB": peak_megabytes()}
