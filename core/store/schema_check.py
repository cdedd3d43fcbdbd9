"""Check that a project file has exactly the tables of its version: names, types, keys, and no code.

Triggers, views and CHECK clauses run when a table is read or written, so a file that holds some is refused.
"""

from __future__ import annotations

from contextlib import closing
from functools import cache
from typing import Any

from sqlite_utils import Database

from core.records import Finding
from core.store.migrations import MIGRATIONS
from core.store.row_checks import is_unicode
from core.translation import tr

Shape = dict[str, tuple[Any, ...]]
"""Table name -> its columns, unique keys and references, as SQLite reports them."""

_LOG = "_sqlite_migrations"
_SQLITES_OWN = ("sqlite_sequence", "sqlite_stat1", "sqlite_stat4")


def schema_findings(db: Database, *, expected: Shape | None = None) -> list[Finding]:
    """Differences of a project's tables from the `expected` shape, or from that of this version."""
    wanted, found = expected or current_shape(), shape_of(db)
    findings = [Finding(name, 0, tr("this table is missing")) for name in wanted if name not in found]
    foreign = tr("this table is of no version of BoxRefine")
    findings += [Finding(name, 0, foreign) for name in found if name not in wanted]
    findings += [
        Finding(name, 0, _difference(wanted[name], found[name]))
        for name in wanted
        if name in found and found[name] != wanted[name]
    ]
    for kind, name, sql in db.execute("SELECT type, name, sql FROM sqlite_master").fetchall():
        if kind in ("trigger", "view"):
            findings.append(Finding(str(name), 0, tr("this is a {kind}, which no BoxRefine project has", kind=kind)))
        elif kind == "table" and isinstance(sql, str) and ("CHECK" in sql.upper() or " AS (" in sql.upper()):
            findings.append(Finding(str(name), 0, tr("this table computes something when it is written")))
    return findings


def log_findings(db: Database) -> list[Finding]:
    """Damage of the table of applied migrations; a project without any table has none."""
    if not db.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone()[0]:
        return []
    wanted, found = current_shape()[_LOG], shape_of(db).get(_LOG)
    if found is None:
        return [Finding(_LOG, 0, tr("this table is missing"))]
    return [] if found == wanted else [Finding(_LOG, 0, _difference(wanted, found))]


def shape_of(db: Database) -> Shape:
    """The tables of a database as SQLite parses them."""
    names = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return {str(name): _shape_of_table(db, str(name)) for (name,) in names if name not in _SQLITES_OWN}


@cache
def current_shape() -> Shape:
    """The tables of this version."""
    return shape_after(without=frozenset())


@cache
def shape_after(*, without: frozenset[str]) -> Shape:
    """The tables of an earlier version, which lacks some migrations."""
    with closing(project_in_memory(without=without)) as db:
        return shape_of(db)


def project_in_memory(*, without: frozenset[str] = frozenset()) -> Database:
    """An empty project in memory, to compare with, perhaps without some migrations."""
    db = Database(memory=True, execute_plugins=False)
    MIGRATIONS.ensure_migrations_table(db)
    for step in MIGRATIONS.pending(db):
        if step.name not in without:
            step.fn(db)
    return db


def column_names(table: tuple[Any, ...]) -> list[str]:
    """The names of a table's columns in their order."""
    return [str(column[0]) for column in table[0]]


def patch_schema(db: Database) -> None:
    """Replace table definitions in a copy of a damaged project by those of this version, so that rows can be read.

    A table with an unknown name gets the name of the most similar missing table. A table with unknown columns gets the
    columns of this version, in the order in which the migrations have added them. Everything else in the schema is
    removed. The connection cannot be used afterwards.
    """
    with closing(project_in_memory()) as reference:
        wanted = dict(reference.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall())
    db.execute("PRAGMA writable_schema = ON")  # SQLite then skips tables that it cannot parse
    entries = db.execute("SELECT rowid, name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
    tables = {rowid: (str(name), str(sql)) for rowid, name, sql in entries if name not in _SQLITES_OWN}
    known = {name: set(column_names(shape)) for name, shape in current_shape().items()}
    free = [name for name in known if name not in {name for name, _ in tables.values()}]
    db.execute("BEGIN")
    for rowid, (name, sql) in tables.items():
        if name not in known and free:
            alike = max(free, key=lambda other: sum(column in sql for column in known[other]))
            free.remove(alike)
            name = alike
        if name not in known:
            db.execute("DELETE FROM sqlite_master WHERE rowid = ?", [rowid])
            continue
        if not (name == tables[rowid][0] and _names_only(db, name)):
            db.execute("UPDATE sqlite_master SET sql = ? WHERE rowid = ?", [wanted[name], rowid])
        db.execute("UPDATE sqlite_master SET name = ?, tbl_name = ? WHERE rowid = ?", [name, name, rowid])
    db.execute("DELETE FROM sqlite_master WHERE type NOT IN ('table', 'index')")
    db.execute("DELETE FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
    db.execute("COMMIT")


def _names_only(db: Database, table: str) -> bool:
    """Whether SQLite can parse a table and it has exactly the columns of this version or an earlier one."""
    found = {str(column[0]) for column in _shape_of_table(db, table)[0]}
    return found in _columns_by_version(table)


@cache
def _columns_by_version(table: str) -> list[set[str]]:
    with closing(Database(memory=True, execute_plugins=False)) as empty:
        steps = [step.name for step in MIGRATIONS.pending(empty)]
    shapes = [shape_after(without=frozenset(steps[count:])) for count in range(1, len(steps) + 1)]
    return [set(column_names(shape[table])) for shape in shapes if table in shape]


def _shape_of_table(db: Database, table: str) -> tuple[Any, ...]:
    if not is_unicode(table):
        return (), frozenset(), frozenset()
    quoted = '"' + table.replace('"', '""') + '"'
    columns = [tuple(row[1:]) for row in db.execute(f"PRAGMA table_xinfo({quoted})").fetchall()]
    # The order of columns depends on the order of migrations; rows are read by name.
    columns.sort(key=repr)
    keys: set[tuple[str, ...]] = set()
    for _, name, unique, *_ in db.execute(f"PRAGMA index_list({quoted})").fetchall():
        if unique and not is_unicode(str(name)):
            keys.add(("an index without a name",))  # untranslated: only compared
        elif unique:
            index = '"' + str(name).replace('"', '""') + '"'
            keys.add(tuple(str(row[2]) for row in db.execute(f"PRAGMA index_info({index})").fetchall()))
    references = {tuple(row[2:]) for row in db.execute(f"PRAGMA foreign_key_list({quoted})").fetchall()}
    return tuple(columns), frozenset(keys), frozenset(references)


def _difference(wanted: tuple[Any, ...], found: tuple[Any, ...]) -> str:
    missing = [name for name in column_names(wanted) if name not in column_names(found)]
    if missing:
        return tr("this table has no column {columns}", columns=", ".join(missing))
    return tr("the columns, keys or references of this table are others than BoxRefine's")
