"""Read all boxes of a project into columns; a box that is as it came in a file needs no objects for that."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Set
from functools import lru_cache
from typing import Any

from sqlite_utils import Database

from core.correction_table import Came, CorrectionTable
from core.geometry import Box
from core.records import Correction
from core.store.correction_columns import Group, columns_of
from core.store.row_checks import BadRow, Row, box_in, is_unicode

STEP = 1000
"""Rows between two steps of a read of the whole project."""

_VARYING = ("id", "image_id", "category_id", "drawn", "accepted", "confirmed", "origin", "created", "changed")
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_ORIGIN = re.compile(
    rf'\{{"file": ({_QUOTED})(?:, "probability": ([0-9.e-]+))?(, "crowd": true)?, "box": (\[[^\]]*\])'
    rf'(?:, "format": ({_QUOTED}), "entry": (\{{.*\}}))?\}}',
    re.DOTALL,
)
_DECODER = json.JSONDecoder()

_PLAIN = Correction(0, 0, Box(0.0, 0.0, 1.0, 1.0), Box(0.0, 0.0, 1.0, 1.0))
_DEFAULTS = {name: value for name, value in columns_of(_PLAIN, *Group).items() if name not in _VARYING}
"""The columns that an import leaves as they are."""


def read_corrections(
    db: Database,
    *,
    images: Set[int],
    categories: Set[int],
    decode: Callable[[Row], Correction | None],
) -> Generator[None, None, CorrectionTable]:
    """All boxes, by their ids, as a generator that yields between a few of them.

    `decode` reads those that are more than imported, and returns None for damaged ones.
    """
    names = (*_VARYING, *_DEFAULTS)
    defaults, count = tuple(_DEFAULTS.values()), len(_VARYING)
    table = CorrectionTable()
    kinds: dict[tuple[str, str, bool, bool], int] = {}
    for done, row in enumerate(db.execute(f"SELECT {', '.join(names)} FROM corrections ORDER BY id")):
        if done % STEP == 0:
            yield
        is_plain = row[count:] == defaults and row[3] == row[4] and row[1] in images and row[2] in categories
        if is_plain and _add(table, row[:count], kinds):
            continue
        correction = decode(next(db.query("SELECT * FROM corrections WHERE id = ?", [row[0]])))
        if correction is not None:
            table.append(correction)
    return table


def is_plain(row: Row) -> bool:
    """Whether a row is that of a box as it came in a file, and undamaged; for others the answer is False."""
    is_same = all(row[name] == value for name, value in _DEFAULTS.items()) and row["drawn"] == row["accepted"]
    ids = row["id"], row["image_id"], row["category_id"], row["writer"]
    return is_same and all(type(id) is int for id in ids) and _parse(tuple(row[name] for name in _VARYING)) is not None


def _add(table: CorrectionTable, row: tuple[Any, ...], kinds: dict[tuple[str, str, bool, bool], int]) -> bool:
    """Add a row that is as it came in a file; return whether it is one and whole."""
    parsed = _parse(row)
    if parsed is None:
        return False
    (file, probability, crowd, _, format, entry), box = parsed
    key = file, format or "", crowd is not None, bool(row[5])
    if key not in kinds:
        kinds[key] = table.kind(Came(json.loads(file), json.loads(format) if format else "", *key[2:]))
    score = float(probability) if probability else 0.0
    table.add(row[1], row[2], box, kinds[key], score=score, text=entry or "", id=row[0])
    return True


def _parse(row: tuple[Any, ...]) -> tuple[tuple[Any, ...], Box] | None:
    """The parts of the origin of a row, as _ORIGIN has them, and its box; None if it is damaged, or more than came."""
    _, _, _, drawn, _, confirmed, origin, created, changed = row
    if not (isinstance(origin, str) and isinstance(created, str) and isinstance(changed, str)):
        return None
    found = _ORIGIN.fullmatch(origin)
    if found is None or found[4] != drawn or confirmed not in (0, 1) or not (created.isascii() and changed.isascii()):
        return None
    file, probability, _, _, format, entry = found.groups()
    try:
        box = box_in({"drawn": drawn}, "drawn")
        if entry and (_DECODER.raw_decode(entry)[1] != len(entry) or not is_unicode(entry)):
            return None
        if not (_is_text(file) and (format is None or _is_text(format))):
            return None
        float(probability or 0)
    except (BadRow, ValueError, RecursionError):
        return None
    return found.groups(), Box(*box)


@lru_cache(maxsize=256)
def _is_text(quoted: str) -> bool:
    """Whether a string in JSON can be written as UTF-8. Raises ValueError if it is none."""
    return is_unicode(json.loads(quoted))
