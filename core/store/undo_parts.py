"""Parts of long steps: their row changes as a text, and the boxes that an import has added, as a range of ids.

The boxes of a range are rows of `corrections` already, so storing them in the log, too, would double the time of an
import. They become a text when the part is undone, because then the table no longer has them.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlite_utils import Database

from core.records import StepKind
from core.store.correction_read import is_plain
from core.store.row_checks import BadRow, Row, whole_number_in
from core.store.rows import is_whole
from core.store.undo_play import Others, Played, play, play_changes, read_changes
from core.translation import tr

_LARGEST = 2**63 - 1
EVER = "~"
"""Later than any time of a row."""


def span_of(part: Row) -> int:
    """The number of boxes of a part's range; 0 without one."""
    return 0 if part["first_box"] is None else int(part["last_box"]) - int(part["first_box"]) + 1


def check_part(row: Row) -> None:
    """Raise BadRow or BadStep if a part is damaged."""
    read_changes(row)
    whole_number_in(row, "undone", least=0, most=1)
    if (row["first_box"] is None) != (row["last_box"] is None):
        raise BadRow(
            tr("{column} is no whole number from {least} to {most}", column="last_box", least=1, most=_LARGEST)
        )
    if row["first_box"] is not None:
        whole_number_in(row, "first_box", most=_LARGEST)
        whole_number_in(row, "last_box", least=row["first_box"], most=_LARGEST)


def text_of(db: Database, part: Row) -> str:
    """All row changes of a part as a text; boxes that are damaged or gone are left out."""
    names, rows = _rows_of(db, part)
    return _joined(part["row_changes"], _texts([dict(zip(names, row, strict=True)) for row in rows]))


def undo_part(db: Database, part: Row, *, others: Others, mine: int, is_careful: bool, until: str) -> Played:
    """Undo a part inside a transaction, as `play` does; boxes that are changed after the time `until` stay.

    Raises BadStep if its text is damaged; then nothing is written.
    """
    if not span_of(part):
        played = play(db, part, undo=True, others=others, mine=mine, is_careful=is_careful)
        _keep(db, part["id"], played.text if played.left else part["row_changes"], undone=1)
        return played
    check_part(part)
    names, rows = _rows_of(db, part)
    image, category, changed = (names.index(name) for name in ("image_id", "category_id", "changed"))
    rows = [row for row in rows if not isinstance(row[changed], str) or row[changed] <= until]
    if is_careful or others.have_written(db, mine=mine):
        return _undo_carefully(
            db, part, [dict(zip(names, row, strict=True)) for row in rows], others, mine, is_careful=is_careful
        )
    try:
        with db.atomic():
            condition = "id BETWEEN ? AND ? AND NOT (typeof(changed) = 'text' AND changed > ?)"  # untranslated: SQL
            db.execute(f"DELETE FROM corrections WHERE {condition}", [part["first_box"], part["last_box"], until])
    except sqlite3.IntegrityError:  # such as a review of another window
        return _undo_carefully(
            db, part, [dict(zip(names, row, strict=True)) for row in rows], others, mine, is_careful=False
        )
    texts = _texts([dict(zip(names, row, strict=True)) for row in rows])
    played = play(db, part, undo=True, others=others, mine=mine, is_careful=False)
    played.count += len(rows)
    counts = Counter(row[category] for row in rows if isinstance(row[category], int))
    played.touched.note_boxes((row[image] for row in rows), counts, undo=True)
    _keep(db, part["id"], _joined(part["row_changes"], texts), undone=1)
    return played


def redo_part(db: Database, part: Row, *, others: Others, mine: int, is_careful: bool) -> Played:
    """Redo a part inside a transaction, as `play` does. Boxes that are there again without a gap become a range."""
    changes = read_changes(part, undo=False)
    boxes = [change.id for change in changes if change.table == "corrections" and change.before is None]
    rest = [change for change in changes if change.table != "corrections"]
    is_range = len(boxes) + len(rest) == len(changes) and _are_in_a_row(boxes) and _is_import(db, part)
    played = play_changes(db, changes, undo=False, others=others, mine=mine, is_careful=is_careful)
    if is_range and not played.left:
        _keep(db, part["id"], json.dumps(rest), undone=0, first=boxes[0], last=boxes[-1])
    else:
        _keep(db, part["id"], played.text if played.left else part["row_changes"], undone=0)
    return played


def _is_import(db: Database, part: Row) -> bool:
    """Whether the step of a part is an import; boxes of a merge have other writers, and a range cannot keep them."""
    kind = db.execute("SELECT kind FROM undo_steps WHERE id = ?", [part["step"]]).fetchone()
    return kind is not None and kind[0] == StepKind.IMPORT.value


def _are_in_a_row(ids: Sequence[int]) -> bool:
    return bool(ids) and list(ids) == list(range(ids[0], ids[0] + len(ids)))


def drop_part(db: Database, part: Row, *, others: Others, mine: int) -> None:
    """Undo a part of a step that will never be redone, inside a transaction."""
    if not part["undone"]:
        undo_part(db, part, others=others, mine=mine, is_careful=False, until=EVER)
    db.execute("DELETE FROM undo_parts WHERE id = ?", [part["id"]])


def _undo_carefully(
    db: Database, part: Row, rows: Sequence[Row], others: Others, mine: int, *, is_careful: bool
) -> Played:
    """Undo a part by the texts of its boxes, but for those that another window has changed or deleted since."""
    kept = [
        row
        for row in rows
        if not others.made(row["writer"], mine=mine) and not (is_careful and row["changed"] != row["created"])
    ]
    held = {**part, "row_changes": _joined(part["row_changes"], _texts(kept))}
    played = play(db, held, undo=True, others=others, mine=mine, is_careful=True)
    played.left += span_of(part) - len(kept)
    _keep(db, part["id"], played.text, undone=1)
    return played


def _rows_of(db: Database, part: Row) -> tuple[list[str], list[tuple[Any, ...]]]:
    if not span_of(part):
        return [], []
    query = "SELECT * FROM corrections WHERE id BETWEEN ? AND ? ORDER BY id"
    cursor = db.execute(query, [part["first_box"], part["last_box"]])
    return [column[0] for column in cursor.description], cursor.fetchall()


def _texts(rows: Sequence[Row]) -> str:
    """The changes that added rows, without brackets; damaged rows, which must not get into a step, are left out."""
    whole = [row for row in rows if is_plain(row) or is_whole("corrections", row)]
    return json.dumps([["corrections", row["id"], None, row] for row in whole])[1:-1]


def _joined(text: str, added: str) -> str:
    inside = text.strip()[1:-1].strip()
    return f"[{', '.join(part for part in (inside, added) if part)}]"


def _keep(db: Database, id: int, text: str, *, undone: int, first: int | None = None, last: int | None = None) -> None:
    statement = "UPDATE undo_parts SET row_changes = ?, first_box = ?, last_box = ?, undone = ? WHERE id = ?"
    db.execute(statement, [text, first, last, undone, id])
