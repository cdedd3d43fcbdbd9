"""The history of a box: its row, and the states that the undo log has of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from sqlite_utils import Database

from core.records import Correction
from core.reviews import DRAWN, EARLIER, IMPORTED, NOW, REFINED, SUGGESTED, TWIN, Version
from core.store.correction_columns import OF_OLD_ROWS
from core.store.row_checks import BadRow, Row
from core.store.rows import check_twin, correction_of, twin_box
from core.store.steps import readable_step


def versions_of(db: Database, row: Row, annotators: Mapping[int, str]) -> list[Version]:
    """The versions of a box, by its row and steps; the row is undamaged."""
    now, logged = correction_of(row), list(_logged(db, row))
    found = [_beginning(now, logged[0][1] if logged else row, when=_text(row, "created"))]
    if now.refined is not None:
        found.append(
            Version(
                REFINED, now.refined, now.category_id, encoder=now.encoder, refiner=now.refiner, score=now.score
            )
        )  # fmt: skip
    for kind, state in logged:
        with suppress(BadRow, KeyError, TypeError):  # a damaged step holds anything
            then = correction_of({**OF_OLD_ROWS, **state})
            by = annotators.get(state.get("writer", 0), "")
            when = _text(state, "changed")
            found.append(Version(kind, then.accepted, then.category_id, when, by, **_maker(then)))
    last = Version(
        NOW, now.accepted, now.category_id, _text(row, "changed"), annotators.get(row["writer"], ""), **_maker(now)
    )
    if found and logged and (found[-1].box, found[-1].category_id) == (last.box, last.category_id):
        found.pop()  # the last step has led to the box as it is now
    return [*found, *_twins(db, now), last]


def _twins(db: Database, now: Correction) -> Iterator[Version]:
    """The same object as other annotators had it, before their projects were merged with this one."""
    ids = {str(name): id for id, name in db.execute("SELECT id, name FROM categories").fetchall()}
    for row in db.query("SELECT * FROM twins WHERE correction_id = ? ORDER BY id", [now.id]):
        with suppress(BadRow):
            check_twin(row)
            then = correction_of({**OF_OLD_ROWS, **twin_box(row)})
            category_id = ids.get(row["category"], now.category_id)
            by = row["annotator"] or row["source"]
            yield Version(TWIN, then.accepted, category_id, _text(twin_box(row), "changed"), by, **_maker(then))


def _beginning(now: Correction, first: Row, *, when: str) -> Version:
    """The box as it was drawn, imported or suggested; `first` is the first row that is known."""
    category_id = first["category_id"] if isinstance(first.get("category_id"), int) else now.category_id
    if now.origin is None:
        return Version(DRAWN, now.drawn, category_id, when)
    return Version(SUGGESTED if now.origin.head else IMPORTED, now.origin.box, category_id, when)


def _maker(correction: Correction) -> dict[str, Any]:
    """The encoder and refiner of a box that is as the refiner left it."""
    if correction.refined is None or correction.accepted != correction.refined:
        return {}
    return {"encoder": correction.encoder, "refiner": correction.refiner}


_STEPS_WITH = """
SELECT * FROM undo_steps WHERE undone IN (0, 5) AND instr(row_changes, ?)
UNION ALL
SELECT steps.id, steps.kind, steps.undone, parts.row_changes, steps.run, steps.opening, steps.parameters
FROM undo_parts AS parts JOIN undo_steps AS steps ON steps.id = parts.step
WHERE steps.undone IN (0, 5) AND instr(parts.row_changes, ?)
ORDER BY id
"""  # untranslated: SQL

_STEP_THAT_ADDED = """
SELECT steps.* FROM undo_parts AS parts JOIN undo_steps AS steps ON steps.id = parts.step
WHERE steps.undone IN (0, 5) AND ? BETWEEN parts.first_box AND parts.last_box LIMIT 1
"""  # untranslated: SQL


def _logged(db: Database, row: Row) -> Iterator[tuple[str, Row]]:
    """The kind of each step that has changed a box, and the row after it; steps that are undone are left out.

    If the first of them did not make the box, the row before it comes first, as EARLIER, or as the kind of the step
    that has added it without a copy of the row.
    """
    changes = list(_changes_of(db, row["id"]))
    added = next(db.query(_STEP_THAT_ADDED, [row["id"]]), None)
    before = changes[0][1] if changes else row
    if isinstance(before, dict):
        if added is not None:
            yield readable_step(added).kind.value, before
        elif changes:
            yield EARLIER, before
    for kind, _, after in changes:
        if isinstance(after, dict) and after["id"] == row["id"]:
            yield kind, after


def _changes_of(db: Database, id: int) -> Iterator[tuple[str, object, object]]:
    """The kind of each step that has changed a box, and its row before and after.

    Steps are searched as text, because one that imported 100,000 boxes takes seconds to parse.
    """
    start = f'["corrections", {id}, '  # as json.dumps writes a RowChange; in a stored text its quotes are escaped
    decoder = json.JSONDecoder()
    for step in db.query(_STEPS_WITH, [start, start]):
        with suppress(ValueError, TypeError, KeyError, IndexError, RecursionError):
            text = step["row_changes"]
            _, _, before, after = decoder.raw_decode(text, text.index(start))[0]
            yield readable_step(step).kind.value, before, after


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""
