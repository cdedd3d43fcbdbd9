"""The history of a project's refiners: those that were taught, and the one in use."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from sqlite_utils import Database

from core.records import RefinerRecord, VerdictKind
from core.store.row_checks import BadRow, Row, flag_in, id_in, mapping_in, text_in
from core.store.rows import now, picture_path, stored_path
from core.translation import tr


class RefinerLog:
    """Rows of `refiners` and `refiner_choices`; writes belong inside a transaction."""

    def __init__(self, db: Database, *, folder: Path, findings: dict[tuple[str, int], str]) -> None:
        """Damaged rows are added to `findings`, by table and id."""
        self._db, self._folder, self._findings = db, folder, findings

    def all(self) -> list[RefinerRecord]:
        """All undamaged refiners, the oldest first."""
        return self._whole(self._db.query("SELECT * FROM refiners ORDER BY id"))

    def chosen(self, encoder: str) -> RefinerRecord | None:
        """The refiner in use for an encoder, None for the shipped one."""
        last = "SELECT refiner_id FROM refiner_choices WHERE encoder = ? ORDER BY id DESC LIMIT 1"
        rows = self._db.query(f"SELECT * FROM refiners WHERE id = ({last})", [encoder])
        return next(iter(self._whole(rows)), None)

    def add(self, record: RefinerRecord) -> RefinerRecord:
        """Store a refiner, and choose it if it was promoted; return it with its id."""
        created = now()
        row = {
            "folder": stored_path(record.folder, folder=self._folder),
            "identity": record.identity,
            "encoder": record.encoder,
            "parent": record.parent,
            "promoted": int(record.promoted),
            "verdict": record.verdict.value,
            "remark": record.remark,
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
        """Use a refiner for an encoder from now on; None: the shipped one."""
        statement = "INSERT INTO refiner_choices (encoder, refiner_id, created) VALUES (?, ?, ?)"
        self._db.execute(statement, [encoder, id, now()])

    def _whole(self, rows: Iterable[Row]) -> list[RefinerRecord]:
        found = []
        for row in rows:
            try:
                found.append(refiner_of(row, folder=self._folder))
            except BadRow as bad:
                self._findings["refiners", row["id"]] = str(bad)
        return found


def refiner_of(row: Row, *, folder: Path) -> RefinerRecord:
    """Convert a row to a refiner. Raises BadRow if a value is invalid."""
    return RefinerRecord(
        folder=picture_path(row["folder"], folder=folder),
        identity=text_in(row, "identity"),
        encoder=text_in(row, "encoder"),
        parent=text_in(row, "parent"),
        promoted=flag_in(row, "promoted"),
        verdict=verdict_in(row),
        data=mapping_in(row, "data"),
        config=mapping_in(row, "config"),
        figures=mapping_in(row, "figures"),
        created=text_in(row, "created"),
        id=id_in(row),
        remark=text_in(row, "remark" if "remark" in row else "sentence"),
    )


def verdict_in(row: Row) -> VerdictKind:
    """The gate's verdict; TEXT for a row of a version that stored sentences. Raises BadRow if it is invalid."""
    if "verdict" not in row:
        return VerdictKind.TEXT
    text = text_in(row, "verdict")
    if text not in {*VerdictKind}:
        raise BadRow(tr("{column} is none of the known ones", column="verdict"))
    return VerdictKind(text)
