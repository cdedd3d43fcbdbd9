"""A part of a project as a project of its own: some of its images with all that belongs to them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path

from sqlite_utils import Database

from core.sources import kept_text
from core.store.project_file import convert_sqlite_errors, transaction
from core.store.project_store import ProjectStore
from core.store.rows import stored_path
from core.store.source_log import MORE

_OF_IMAGES = ("reviews", "twins", "rejected_boxes", "drawn_boxes", "corrections")


def keep_only(store: ProjectStore, image_ids: Collection[int], *, places: Mapping[int, Path]) -> None:
    """Remove all other images of a new copy of a project, and its undo steps; `places` are other paths of pictures.

    Ids stay as they are, so that a merge gives images the order back that they had. The undo steps stay in the project
    that is divided: one of several pictures cannot be undone for some of them.
    """
    db = store.database
    with convert_sqlite_errors(store.path):
        with transaction(db):
            db.execute("CREATE TEMP TABLE kept (id INTEGER PRIMARY KEY)")
            db.conn.executemany("INSERT INTO kept (id) VALUES (?)", [(id,) for id in image_ids])
            for table in _OF_IMAGES:
                db.execute(f"DELETE FROM {table} WHERE image_id NOT IN (SELECT id FROM kept)")
            for table in ("marks", "images"):
                db.execute(f"DELETE FROM {table} WHERE id NOT IN (SELECT id FROM kept)")
            db.execute("DELETE FROM undo_parts")
            db.execute("DELETE FROM undo_steps")
            _keep_of_sources(db, image_ids)
            folder = store.path.absolute().parent
            rows = [(stored_path(path, folder=folder), id) for id, path in places.items()]
            db.conn.executemany("UPDATE images SET path = ? WHERE id = ?", rows)
            db.execute("DROP TABLE kept")
        db.execute("VACUUM")


def _keep_of_sources(db: Database, image_ids: Collection[int]) -> None:
    """Leave out of imported files what they have on other images."""
    kept = set(image_ids)
    for id, text in db.execute("SELECT id, content FROM sources ORDER BY id").fetchall():
        content = json.loads(text)
        images = ", ".join(f"[{image}, {kept_text(entry)}]" for image, entry in content["images"] if image in kept)
        more = MORE if content.get("more") is True else ""
        text = f'{{"header": {kept_text(content["header"]) or "{}"}, "images": [{images}]{more}}}'
        db.execute("UPDATE sources SET content = ? WHERE id = ?", [text, id])
