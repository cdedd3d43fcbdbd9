"""Projects as earlier versions made them: their own tables, with rows that hold what those versions wrote."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlite_utils import Database

from core.records import Step, StepKind
from core.store.migrations import APPLICATION_ID, MIGRATIONS
from core.wording import step_title

NO_SENTENCES = "m008_no_sentences"
SENTENCE = "Better: mean IoU rises from 0.800 to 0.900 on 12 boxes held out (+0.100, at least +0.050)."


def versions() -> list[str]:
    """The names of the steps that a project can lack, each with all that come after it; the oldest first."""
    with closing(Database(memory=True, execute_plugins=False)) as empty:
        return [step.name for step in MIGRATIONS.pending(empty)][1:]


def make_old(project: Path, path: Path, *, before: str) -> Path:
    """Write what `project`, of this version, holds as the version did that did not have the step `before` yet."""
    with closing(Database(path, execute_plugins=False)) as old, closing(sqlite3.connect(project)) as new:
        old.execute("PRAGMA journal_mode = WAL")
        old.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        MIGRATIONS.apply(old, stop_before=before)
        new.row_factory = sqlite3.Row
        tables = {name: _columns(old, name) for name in old.table_names()}
        with old.atomic():
            for table, columns in tables.items():
                if table not in ("_sqlite_migrations", "sqlite_sequence"):
                    for row in new.execute(f"SELECT * FROM {table} ORDER BY id").fetchall():
                        _insert(old, table, _as_it_was(table, dict(row), tables), columns)
    return path


def _columns(db: Database, table: str) -> set[str]:
    return {str(row[1]) for row in db.execute(f"PRAGMA table_info({table})").fetchall()}


def _insert(db: Database, table: str, row: dict[str, object], columns: set[str]) -> None:
    kept = {name: value for name, value in row.items() if name in columns}
    names, places = ", ".join(kept), ", ".join("?" * len(kept))
    db.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", list(kept.values()))


def _as_it_was(table: str, row: dict[str, object], tables: dict[str, set[str]]) -> dict[str, object]:
    if table == "refiners" and "sentence" in tables[table]:
        return row | {"sentence": SENTENCE}
    if table == "undo_steps":
        told = Step(StepKind(row["kind"]), **json.loads(str(row["parameters"])))
        changes = [_narrowed(change, tables) for change in json.loads(str(row["row_changes"]))]
        return row | {"title": step_title(told), "row_changes": json.dumps(changes)}
    return row


def _narrowed(change: list[object], tables: dict[str, set[str]]) -> list[object]:
    table, id, *rows = change
    columns = tables[str(table)]
    return [table, id, *({k: v for k, v in row.items() if k in columns} if row else None for row in rows)]  # type: ignore[attr-defined]
