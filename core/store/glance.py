"""A glance at a project: its progress and first picture, without opening it.

The file is read as it is: nothing is migrated, repaired or written, and another process may have it open.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from core.store.project_file import project_path_for
from core.store.row_checks import BadRow
from core.store.rows import picture_path

_PATIENCE_S = 0.5


@dataclass(frozen=True)
class Glance:
    """Numbers of images, images done, and boxes; `picture` is the path of the first image, None without one."""

    images: int
    done: int
    boxes: int
    picture: Path | None


def glance(path: Path) -> Glance | None:
    """Look at the project of a folder or in a file; None if it is gone, damaged, or in another format."""
    try:
        file = project_path_for(path) if path.is_dir() else path
        if not file.is_file():
            return None
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE_S)) as db:
            return _read(db, folder=file.parent)
    except (sqlite3.Error, OSError, ValueError, OverflowError):
        return None


def _read(db: sqlite3.Connection, *, folder: Path) -> Glance:
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    done = _number(db, "SELECT count(*) FROM marks WHERE done = 1") if "marks" in tables else 0
    first = db.execute("SELECT path FROM images ORDER BY id LIMIT 1").fetchone()
    picture = None
    if first is not None:
        try:
            picture = picture_path(first[0], folder=folder)
        except BadRow:
            picture = None
    return Glance(
        images=_number(db, "SELECT count(*) FROM images"),
        done=done,
        boxes=_number(db, "SELECT count(*) FROM corrections WHERE confirmed = 1 OR origin IS NULL")
        if _has_column(db, "corrections", "confirmed")
        else _number(db, "SELECT count(*) FROM corrections"),
        picture=picture,
    )


def _number(db: sqlite3.Connection, query: str) -> int:
    return int(db.execute(query).fetchone()[0])


def _has_column(db: sqlite3.Connection, table: str, column: str) -> bool:
    return any(row[1] == column for row in db.execute(f"PRAGMA table_info({table})"))
