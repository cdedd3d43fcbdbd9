"""The lineage of a project's refiners: each that was taught, and which one is in use."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from sqlite_utils import Database

from core.records import RefinerRecord
from core.store.rows import now, picture_path, stored_path
from core.store.undo_log import Row


class RefinerLog:
    """Rows of `refiners` and `refiner_choices`; writes belong inside a transaction."""

    def __init__(self, db: Database, *, folder: Path) -> None:
        self._db, self._folder = db, folder

    def all(self) -> list[RefinerRecord]:
        """Every refiner, the oldest first."""
        return [self._record(row) for row in self._db.query("SELECT * FROM refiners ORDER BY id")]

    def chosen(self, encoder: str) -> RefinerRecord | None:
        """The one in use for an encoder, None for the one that ships."""
        last = "SELECT refiner_id FROM refiner_choices WHERE encoder = ? ORDER BY id DESC LIMIT 1"
        rows = self._db.query(f"SELECT * FROM refiners WHERE id = ({last})", [encoder])
        return next((self._record(row) for row in rows), None)

    def add(self, record: RefinerRecord) -> RefinerRecord:
        """Store a refiner, and choose it if it was promoted; gives it with its id."""
        created = now()
        row = {
            "folder": stored_path(record.folder, folder=self._folder),
            "identity": record.identity,
            "encoder": record.encoder,
            "parent": record.parent,
            "promoted": int(record.promoted),
            "sentence": record.sentence,
            "data": json.dumps(dict(record.data)),
            "config": json.dumps(dict(record.config)),
            "figures": json.dumps(dict(record.figures)),
            "created": created,
        }
        columns, places = ", ".join(row), ", ".join("?" * len(row))
        cursor = self._db.execute(f"INSERT INTO refiners ({columns}) VALUES ({places})", list(row.values()))
        stored = replace(record, id=int(cursor.lastrowid or 0), created=created)
        if record.promoted:
            self.choose(stored.id, encoder=record.encoder)
        return stored

    def choose(self, id: int | None, *, encoder: str) -> None:
        """Use a refiner for an encoder from now on."""
        statement = "INSERT INTO refiner_choices (encoder, refiner_id, created) VALUES (?, ?, ?)"
        self._db.execute(statement, [encoder, id, now()])

    def _record(self, row: Row) -> RefinerRecord:
        return RefinerRecord(
            folder=picture_path(row["folder"], folder=self._folder),
            identity=row["identity"],
            encoder=row["encoder"],
            parent=row["parent"],
            promoted=bool(row["promoted"]),
            sentence=row["sentence"],
            data=json.loads(row["data"]),
            config=json.loads(row["config"]),
            figures=json.loads(row["figures"]),
            created=row["created"],
            id=row["id"],
        )
