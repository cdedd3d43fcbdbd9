"""Read all boxes of a project into columns; a box that is as it came in a file needs no objects for that."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Set

from sqlite_utils import Database

from core.correction_table import Came, CorrectionTable
from core.geometry import Box
from core.records import Correction
from core.store.correction_columns import COLUMNS
from core.store.row_checks import BadRow, Row, box_in, is_unicode

_DEFAULTS = {
    "refined": None,
    "edge_confidence": None,
    "score": None,
    "encoder": "",
    "refiner": "",
    "seconds": 0.0,
    "outline": None,
    "margin": None,
    "choice": None,
    "doubtful": 0,
}
"""The columns that an import leaves as they are."""

_VARYING = ("id", "image_id", "category_id", "drawn", "accepted", "confirmed", "origin", "created", "changed")
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_ORIGIN = re.compile(
    rf'\{{"file": ({_QUOTED})(?:, "probability": ([0-9.e-]+))?(, "crowd": true)?, "box": (\[[^\]]*\])'
    rf'(?:, "format": ({_QUOTED}), "entry": (\{{.*\}}))?\}}',
    re.DOTALL,
)
_DECODER = json.JSONDecoder()

assert {column.name for column in COLUMNS} == _DEFAULTS.keys() | set(_VARYING) - {"id", "created", "changed"}


def read_corrections(
    db: Database,
    *,
    images: Set[int],
    categories: Set[int],
    decode: Callable[[Row], Correction | None],
) -> CorrectionTable:
    """All boxes, by their ids; `decode` reads those that are more than imported, and returns None for damaged ones."""
    names = (*_VARYING, *_DEFAULTS)
    defaults, count = tuple(_DEFAULTS.values()), len(_VARYING)
    table = CorrectionTable()
    kinds: dict[tuple[str, str, bool, bool], int] = {}
    for row in db.execute(f"SELECT {', '.join(names)} FROM corrections ORDER BY id"):
        is_plain = row[count:] == defaults and row[3] == row[4] and row[1] in images and row[2] in categories
        if is_plain and _add(table, row[:count], kinds):
            continue
        correction = decode(next(db.query("SELECT * FROM corrections WHERE id = ?", [row[0]])))
        if correction is not None:
            table.append(correction)
    return table


def _add(table: CorrectionTable, row: tuple[object, ...], kinds: dict[tuple[str, str, bool, bool], int]) -> bool:
    """Add a row that is as it came in a file; return whether it is one and whole."""
    id, image_id, category_id, drawn, _, confirmed, origin, created, changed = row
    if not (isinstance(origin, str) and isinstance(created, str) and isinstance(changed, str)):
        return False
    found = _ORIGIN.fullmatch(origin)
    if found is None or found[4] != drawn or confirmed not in (0, 1) or not (created.isascii() and changed.isascii()):
        return False
    file, probability, crowd, _, format, entry = found.groups()
    key = file, format or "", crowd is not None, bool(confirmed)
    try:
        box = box_in({"drawn": drawn}, "drawn")
        if entry:
            _, end = _DECODER.raw_decode(entry)
            if end != len(entry) or not is_unicode(entry):
                return False
        if key not in kinds:
            kinds[key] = table.kind(Came(json.loads(file), json.loads(format) if format else "", *key[2:]))
            if not is_unicode(json.loads(file)):
                return False
        score = float(probability) if probability else 0.0
    except (BadRow, ValueError, RecursionError):
        return False
    assert isinstance(id, int) and isinstance(image_id, int) and isinstance(category_id, int)
    table.add(image_id, category_id, Box(*box), kinds[key], score=score, text=entry or "", id=id)
    return True
