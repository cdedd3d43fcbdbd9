"""The heads of a project: those that were learned from its accepted boxes, and the one in use."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from sqlite_utils import Database

from core.head_records import HeadRecord
from core.store.row_checks import BadRow, Row, flag_in, id_in, mapping_in, text_in
from core.store.rows import now
from core.translation import tr

MOST_HEADS = 30
"""Heads that a project keeps for each encoder; older ones are dropped, because a head is learned every few minutes."""

_COLUMNS = "id, identity, encoder, parent, promoted, pinned, data, figures, created"  # untranslated: SQL


class HeadLog:
    """Rows of `heads`; writes belong inside a transaction."""

    def __init__(self, db: Database, *, findings: dict[tuple[str, int], str]) -> None:
        """Damaged rows are added to `findings`, by table and id."""
        self._db, self._findings = db, findings

    def all(self, encoder: str) -> list[HeadRecord]:
        """The undamaged heads of an encoder, the oldest first."""
        rows = self._db.query(f"SELECT {_COLUMNS} FROM heads WHERE encoder = ? ORDER BY id", [encoder])
        return self._whole(rows)

    def weights(self, id: int) -> bytes:
        """What a head has learned; nothing if there is no such head."""
        row = self._db.execute("SELECT weights FROM heads WHERE id = ?", [id]).fetchone()
        return row[0] if row is not None and isinstance(row[0], bytes) else b""

    def add(self, record: HeadRecord, weights: bytes) -> HeadRecord:
        """Store a head and return it with its id; drop the oldest ones if there are too many."""
        row = {
            "identity": record.identity,
            "encoder": record.encoder,
            "parent": record.parent,
            "promoted": int(record.promoted),
            "pinned": int(record.pinned),
            "data": json.dumps(dict(record.data)),
            "figures": json.dumps(dict(record.figures)),
            "weights": weights,
            "created": now(),
        }
        columns, places = ", ".join(row), ", ".join("?" * len(row))
        cursor = self._db.execute(f"INSERT INTO heads ({columns}) VALUES ({places})", list(row.values()))
        stored = replace(record, id=int(cursor.lastrowid or 0), created=str(row["created"]))
        used = head_in_use(self.all(record.encoder))
        newest = "SELECT id FROM heads WHERE encoder = ? ORDER BY id DESC LIMIT ?"
        self._db.execute(
            f"DELETE FROM heads WHERE encoder = ? AND id != ? AND id NOT IN ({newest})",
            [record.encoder, used.id if used is not None else 0, record.encoder, MOST_HEADS],
        )
        return stored

    def pin(self, id: int | None, *, encoder: str) -> None:
        """Keep a head of an encoder in use, whatever is learned later; None: use the newest promoted one again."""
        self._db.execute("UPDATE heads SET pinned = (id = ?) WHERE encoder = ?", [id or 0, encoder])

    def _whole(self, rows: Iterable[Row]) -> list[HeadRecord]:
        found = []
        for row in rows:
            try:
                found.append(head_of(row))
            except BadRow as bad:
                self._findings["heads", row["id"]] = str(bad)
        return found


def head_in_use(heads: Iterable[HeadRecord]) -> HeadRecord | None:
    """Of the heads of an encoder, the oldest first, the one in use: the pinned one, else the newest promoted one."""
    found = None
    for head in heads:
        if head.pinned:
            return head
        found = head if head.promoted else found
    return found


def head_of(row: Row) -> HeadRecord:
    """Convert a row to a head. Raises BadRow if a value is invalid."""
    if "weights" in row and type(row["weights"]) is not bytes:
        raise BadRow(tr("{column} is no data", column="weights"))
    return HeadRecord(
        identity=text_in(row, "identity"),
        encoder=text_in(row, "encoder"),
        parent=text_in(row, "parent"),
        promoted=flag_in(row, "promoted"),
        pinned=flag_in(row, "pinned"),
        data=mapping_in(row, "data"),
        figures=mapping_in(row, "figures"),
        created=text_in(row, "created"),
        id=id_in(row),
    )
