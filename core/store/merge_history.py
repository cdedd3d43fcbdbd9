"""The undo steps of a project that is merged into another one: with new ids, in one order with those that are there.

Both projects' steps change other boxes, so each step can still be undone and redone after those of the other project.
Two kinds of changes are left out, because their undo could not be right: changes of a category, or of the mark of an
image, that the other project has too. To undo one would change what the other annotator has done.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import merge

from sqlite_utils import Database

from core.geometry import Box
from core.store.merge_ids import MergeIds
from core.store.pending_steps import ONLY_READ
from core.store.row_checks import BadRow, box_of, json_of
from core.store.undo_parts import span_of
from core.store.undo_play import RowChange, parse_changes

_MOMENT = re.compile(r'"changed": "([^"]{10,40})"')
_BIG = 1 << 40
"""Above all ids of steps, so that they can be given again."""


@dataclass(frozen=True)
class Removed:
    """A box that a step of the undo log has deleted, with its category by id."""

    image_id: int
    category_id: int
    box: Box


def removed_boxes(db: Database) -> Iterator[Removed]:
    """The boxes that steps have deleted, and that are still gone."""
    for (text,) in _texts(db):
        if '"corrections"' not in text:
            continue
        for change in parse_changes(text):
            before = change.before
            if change.table != "corrections" or before is None or change.after is not None:
                continue
            if db.execute("SELECT 1 FROM corrections WHERE id = ?", [change.id]).fetchone() is None:
                try:
                    box = box_of(json_of(before["accepted"], "accepted"), "accepted")
                except BadRow:
                    continue
                yield Removed(before["image_id"], before["category_id"], box)


def category_names_in_steps(db: Database) -> dict[int, str]:
    """The last names of the categories that undo steps have changed, by their ids."""
    found: dict[int, str] = {}
    for (text,) in _texts(db):
        if '["categories", ' in text:
            for change in parse_changes(text):
                row = change.after or change.before
                if change.table == "categories" and row is not None:
                    found[change.id] = str(row["name"])
    return found


_PARTS_OF_DONE = "step IN (SELECT id FROM undo_steps WHERE undone = 0)"  # untranslated: SQL


def _texts(db: Database) -> Iterator[tuple[str]]:
    for where in ("undo_steps", "undo_parts"):
        steps = "undone = 0" if where == "undo_steps" else _PARTS_OF_DONE
        yield from db.execute(f"SELECT row_changes FROM {where} WHERE {steps} ORDER BY id")


def bring_history(source: Database, target: Database, ids: MergeIds, *, to_read: bool) -> None:
    """Store the steps of `source` in `target`, in the order of time, inside a transaction.

    `to_read`: they are shown in the history of boxes, and never played. Else foreign keys must be off.
    """
    read = f"undone IN (0, {ONLY_READ})" if to_read else f"undone = {ONLY_READ}"
    shown = [id for (id,) in source.execute(f"SELECT id FROM undo_steps WHERE {read} ORDER BY id").fetchall()]
    # Below all others, so that the undo log drops them first when it is full.
    lowest = min([1, *(id for (id,) in target.execute("SELECT id FROM undo_steps").fetchall())])
    for new, id in enumerate(shown, start=lowest - len(shown)):
        _bring(source, target, id, new, ids, to_read=True)
    if not to_read:
        _interleave(source, target, ids)


def _interleave(source: Database, target: Database, ids: MergeIds) -> None:
    """Give the steps of both new ids, in the order of time."""
    mine, theirs = _moments(target), _moments(source)
    gone = f"SELECT id FROM undo_steps WHERE undone NOT IN (0, {ONLY_READ})"
    target.execute(f"DELETE FROM undo_parts WHERE step IN ({gone})")  # foreign keys are off
    target.execute(f"DELETE FROM undo_steps WHERE undone NOT IN (0, {ONLY_READ})")
    played = "SELECT id FROM undo_steps WHERE undone = 0"
    target.execute(f"UPDATE undo_parts SET step = step + ? WHERE step IN ({played})", [_BIG])
    target.execute("UPDATE undo_steps SET id = id + ? WHERE undone = 0", [_BIG])
    ordered = merge(((moment, 0, id) for moment, id in mine), ((moment, 1, id) for moment, id in theirs))
    last = 0
    for last, (_, side, id) in enumerate(ordered, start=1):
        if side:
            _bring(source, target, id, last, ids, to_read=False)
        else:
            target.execute("UPDATE undo_steps SET id = ? WHERE id = ?", [last, id + _BIG])
            target.execute("UPDATE undo_parts SET step = ? WHERE step = ?", [last, id + _BIG])
    target.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'undo_steps'", [last])


_LAST_CREATED = """
SELECT max(box.created) FROM undo_parts AS part
JOIN corrections AS box ON box.id BETWEEN part.first_box AND part.last_box
WHERE part.id = (SELECT max(id) FROM undo_parts WHERE step = ?)
"""  # untranslated: SQL


def _moments(db: Database) -> list[tuple[str, int]]:
    """The time and id of each step that can be undone; one without a time has that of the step before it."""
    found, latest = [], ""
    for (id,) in db.execute("SELECT id FROM undo_steps WHERE undone = 0 ORDER BY id").fetchall():
        texts = db.execute(
            "SELECT row_changes FROM undo_steps WHERE id = ? UNION ALL SELECT row_changes FROM undo_parts "
            "WHERE id = (SELECT max(id) FROM undo_parts WHERE step = ?)",
            [id, id],
        )
        for (text,) in texts:
            latest = max([latest, *_MOMENT.findall(text)])
        for (created,) in db.execute(_LAST_CREATED, [id]):
            latest = max(latest, created or "")
        found.append((latest, id))
    return found


def _bring(source: Database, target: Database, id: int, new: int, ids: MergeIds, *, to_read: bool) -> None:
    """Store one step under the id `new`, unless nothing of it is left."""
    step = next(source.query("SELECT * FROM undo_steps WHERE id = ?", [id]))
    keeps = _only_boxes if to_read else _own(ids)
    text, count = _moved(step["row_changes"], ids, keeps)
    undone = ONLY_READ if to_read else 0
    opening = ids.openings.get(step["opening"], 0)
    row = {**step, "id": new, "row_changes": text, "undone": undone, "opening": opening, "run": ""}
    places = ", ".join("?" * len(row))
    target.execute(f"INSERT INTO undo_steps ({', '.join(row)}) VALUES ({places})", list(row.values()))
    for (part,) in source.execute("SELECT id FROM undo_parts WHERE step = ? ORDER BY id", [id]).fetchall():
        held = next(source.query("SELECT row_changes, first_box, last_box FROM undo_parts WHERE id = ?", [part]))
        moved, more = _moved(held["row_changes"], ids, keeps)
        more += span_of(held)
        if more:  # all ids of boxes move by the same offset, so a range stays one
            offset = ids.offsets["corrections"]
            edges = [None if held[name] is None else held[name] + offset for name in ("first_box", "last_box")]
            statement = "INSERT INTO undo_parts (step, row_changes, first_box, last_box) VALUES (?, ?, ?, ?)"
            target.execute(statement, [new, moved, *edges])
        count += more
    if not count:
        target.execute("DELETE FROM undo_steps WHERE id = ?", [new])


def _only_boxes(change: RowChange) -> bool:
    return change.table == "corrections"


def _own(ids: MergeIds) -> Callable[[RowChange], bool]:
    """Whether a change concerns only what the project has brought."""

    def is_own(change: RowChange) -> bool:
        if change.table == "categories":
            return ids.categories.get(change.id) in ids.new_categories
        return change.table != "marks" or ids.images.get(change.id) in ids.new_images

    return is_own


def _moved(text: str, ids: MergeIds, keeps: Callable[[RowChange], bool]) -> tuple[str, int]:
    """The changes that are kept with their new ids, as JSON, and how many there are."""
    kept = []
    for change in parse_changes(text):
        if not keeps(change):
            continue
        rows = [None if row is None else ids.moved(change.table, row) for row in (change.before, change.after)]
        id = next(row["id"] for row in rows if row is not None)
        kept.append(json.dumps(RowChange(change.table, id, *rows)))
    return f"[{', '.join(kept)}]", len(kept)
