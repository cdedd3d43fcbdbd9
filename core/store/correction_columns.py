"""The columns of a correction, in one table: writing, reading, withdrawing and repairing rows all go by it.

Migrations do not: they are history and never change. Annotation files do not either: their entries have the formats'
own shapes. `tests/core/store/test_fields_of_a_correction.py` fails for a field that any of these places lacks.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Container, Iterable
from dataclasses import MISSING, dataclass, fields, replace
from enum import Enum, auto
from functools import lru_cache
from typing import Any

from core.geometry import Box
from core.records import Candidate, Choice, Correction, DrawnBy, EdgeConfidence, EdgeMargin, Origin
from core.store.row_checks import (
    BadRow,
    Row,
    box_in,
    box_of,
    flag_in,
    id_in,
    json_in,
    json_of,
    number_in,
    numbers_of,
    outline_in,
    text_in,
    whole_number_in,
)
from core.translation import tr

_NEVER: Any = object()
_ENTRY = ', "entry": '


class Group(Enum):
    """When a column changes."""

    PLACE = auto()
    """Set when the row is made."""
    BOX = auto()
    """With each drawing, refinement or acceptance."""
    REFINEMENT = auto()
    """The same, and lost when a proposal is withdrawn."""
    STATUS = auto()
    """By itself."""


@dataclass(frozen=True)
class Column:
    """One column; it has the name of its field in Correction.

    read: gives the field's value from a row, and raises BadRow if it is invalid
    write: gives the stored value from the field's
    unread: stored by a repair in place of a value that cannot be read; without it the repair has a rule of its own
    before: the value in rows of versions that did not have the column
    """

    name: str
    group: Group
    read: Callable[[Row, str], Any]
    write: Callable[[Any], Any] = lambda value: value
    unread: Any = _NEVER
    before: Any = _NEVER

    @property
    def can_be_lost(self) -> bool:
        return self.unread is not _NEVER


@lru_cache(maxsize=64)  # the boxes of a correction are often the same
def box_text(box: Box) -> str:
    """A box as the JSON array [x1, y1, x2, y2]; floats are restored exactly."""
    x1, y1, x2, y2 = box
    if type(x1) is type(y1) is type(x2) is type(y2) is float and math.isfinite(x1 + y1 + x2 + y2):
        return plain_text(x1, y1, x2, y2)
    return _numbers_text(box)


def plain_text(x1: float, y1: float, x2: float, y2: float) -> str:
    """Four finite floats as JSON: what json writes, in a third of the time."""
    return f"[{x1!r}, {y1!r}, {x2!r}, {y2!r}]"


def origin_of(text: object) -> Origin:
    """The origin of a box from its JSON text. Raises BadRow if it is invalid."""
    values = json_of(text, "origin")
    named = [values.get(key, "") for key in ("file", "head")] if isinstance(values, dict) else []
    if not isinstance(values, dict) or not any(named) or any(type(name) is not str for name in named):
        raise BadRow(tr("{column} names no file", column="origin"))
    file, head = (str(name).encode("utf-8", "replace").decode() for name in named)  # the names are only shown
    (probability,) = numbers_of([values.get("probability", 0.0)], "origin", count=1)
    return Origin(
        file,
        Box(*numbers_of(values.get("box"), "origin", count=4)),
        head,
        probability,
        is_crowd=values.get("crowd") is True,
        **_kept_in(values, str(text)),
    )


def _kept_in(values: dict[str, Any], text: str) -> dict[str, str]:
    """What is kept of a box as it was in its file; a form that this version does not know is left out.

    `text` is the JSON of `values`, whose end is the entry.
    """
    format, entry = values.get("format"), values.get("entry")
    if not isinstance(format, str) or not isinstance(entry, dict):
        return {}
    _, sign, rest = text.partition(_ENTRY)
    if not sign or next(reversed(values)) != "entry":  # of another program
        return {"format": format, "entry": json.dumps(entry, separators=(",", ":"))}
    return {"format": format, "entry": rest.rstrip()[:-1]}


def _four_in(row: Row, name: str) -> tuple[float, float, float, float]:
    left, top, right, bottom = numbers_of(json_in(row, name), name, count=4)
    return left, top, right, bottom


def edge_bits(edges: Iterable[int]) -> int:
    """Edges (0 left, 1 top, 2 right, 3 bottom) as the bits of a number."""
    return sum(1 << edge for edge in edges)


def _edges_in(row: Row, name: str) -> tuple[int, ...]:
    """Edges as the bits of a number."""
    bits = whole_number_in(row, name, least=0, most=15)
    return tuple(edge for edge in range(4) if bits >> edge & 1)


def _drawn_by_in(row: Row, name: str) -> DrawnBy:
    """A way of drawing that only a later version knows is read as an unknown one."""
    text = text_in(row, name)
    return DrawnBy(text) if text in {*DrawnBy} else DrawnBy.UNKNOWN


def _choice_in(row: Row, name: str) -> Choice:
    return choice_of(json_in(row, name), name)


def choice_of(values: object, name: str) -> Choice:
    """A choice of its JSON object. Raises BadRow if a value is invalid."""
    listed = values.get("candidates") if isinstance(values, dict) else None
    if not isinstance(values, dict) or not isinstance(listed, list) or len(listed) < 2:
        raise BadRow(tr("{column} names fewer than two candidates", column=name))
    chosen = values.get("chosen")
    if type(chosen) is not int or not 0 <= chosen < len(listed):
        raise BadRow(tr("{column} chooses none of its candidates", column=name))
    return Choice(tuple(_candidate_of(entry, name) for entry in listed), chosen)


def _candidate_of(entry: object, name: str) -> Candidate:
    if not isinstance(entry, dict):
        raise BadRow(tr("{column} has a candidate that is no JSON object", column=name))
    score = entry.get("score")
    [probability] = numbers_of([entry.get("probability")], name, count=1)
    return Candidate(
        box_of(entry.get("box"), name),
        probability,
        edge_confidence=_four_of(entry.get("edge_confidence"), name),
        score=None if score is None else numbers_of([score], name, count=1)[0],
        margin=_four_of(entry.get("margin"), name),
    )


def _four_of(values: object, name: str) -> tuple[float, float, float, float] | None:
    if values is None:
        return None
    left, top, right, bottom = numbers_of(values, name, count=4)
    return left, top, right, bottom


def choice_object(choice: Choice) -> dict[str, Any]:
    """The JSON object of a choice; values that a candidate does not have are left out."""
    return {"chosen": choice.chosen, "candidates": [_candidate_object(each) for each in choice.candidates]}


def _candidate_object(candidate: Candidate) -> dict[str, Any]:
    told = {"edge_confidence": candidate.edge_confidence, "score": candidate.score, "margin": candidate.margin}
    return {
        "box": [float(edge) for edge in candidate.box],
        "probability": float(candidate.probability),
        **{name: value for name, value in told.items() if value is not None},
    }


def _choice_text(choice: Choice) -> str:
    return json.dumps(choice_object(choice))


def _numbers_text(numbers: Box | EdgeConfidence | EdgeMargin) -> str:
    return json.dumps([float(number) for number in numbers])


def _origin_text(origin: Origin) -> str:
    """JSON. Only the text of a suggestion that was made in this project starts with its head; see `SUGGESTED`."""
    parts = [f'"file": {_quoted(origin.file)}'] if origin.file or not origin.head else []
    if origin.head:
        parts.append(f'"head": {_quoted(origin.head)}')
    if origin.head and not origin.probability:
        parts.append('"probability": 0.0')
    start = f"{{{', '.join(parts)}"
    return came_text(
        start, origin.probability, origin.is_crowd, box_text(origin.box), format=origin.format, entry=origin.entry
    )


def came_text(start: str, probability: float, is_crowd: bool, box: str, *, format: str = "", entry: str = "") -> str:
    """The JSON of an origin from its start, as `start_of_origin` makes it, and the JSON of its box and entry."""
    sure = f', "probability": {float(probability)!r}' if probability else ""
    crowd = ', "crowd": true' if is_crowd else ""
    kept = f', "format": {_quoted(format)}{_ENTRY}{entry}' if entry else ""
    return f'{start}{sure}{crowd}, "box": {box}{kept}}}'


def start_of_origin(file: str) -> str:
    """The start of the JSON of an origin that is a file."""
    return f'{{"file": {_quoted(file)}'


@lru_cache(maxsize=256)
def _quoted(text: str) -> str:
    return json.dumps(text)


def _or_null(read: Callable[[Row, str], Any]) -> Callable[[Row, str], Any]:
    return lambda row, name: None if row[name] is None else read(row, name)


def _or_none(write: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else write(value)


COLUMNS = (
    Column("image_id", Group.PLACE, id_in),
    Column("category_id", Group.PLACE, lambda row, name: id_in(row, name, least=0)),
    Column("drawn", Group.BOX, box_in, box_text),
    Column("refined", Group.REFINEMENT, _or_null(box_in), _or_none(box_text)),
    Column("accepted", Group.BOX, box_in, box_text),
    Column("edge_confidence", Group.REFINEMENT, _or_null(_four_in), _or_none(_numbers_text), unread=None),
    Column("score", Group.REFINEMENT, _or_null(number_in), _or_none(float), unread=None),
    Column("encoder", Group.REFINEMENT, text_in, unread=""),
    Column("refiner", Group.REFINEMENT, text_in, unread=""),
    Column("seconds", Group.BOX, number_in, float, unread=0.0),
    Column(
        "outline",
        Group.REFINEMENT,
        outline_in,
        lambda outline: json.dumps(outline) if outline else None,
        unread=None,
        before=None,
    ),
    Column(
        "margin",
        Group.REFINEMENT,
        _or_null(_four_in),
        _or_none(_numbers_text),
        unread=None,
        before=None,
    ),
    Column(
        "origin",
        Group.STATUS,
        _or_null(lambda row, name: origin_of(row[name])),
        _or_none(_origin_text),
        unread=None,
        before=None,
    ),
    Column("confirmed", Group.STATUS, flag_in, int, unread=0, before=1),
    Column("choice", Group.REFINEMENT, _or_null(_choice_in), _or_none(_choice_text), unread=None, before=None),
    Column("doubtful", Group.STATUS, _edges_in, edge_bits, unread=0, before=0),
    Column("drawn_by", Group.PLACE, _drawn_by_in, str, unread="", before=""),
)
"""All fields of Correction but its id."""

OF_OLD_ROWS = {column.name: column.before for column in COLUMNS if column.before is not _NEVER}
"""What rows of earlier versions lack, as it is to be read."""

_DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Correction)}
_STORED_DEFAULTS = {
    column.name: column.write(_DEFAULTS[column.name]) for column in COLUMNS if _DEFAULTS[column.name] is not MISSING
}
OF_DRAWN_ROWS = {
    column.name: column.write(_DEFAULTS[column.name]) for column in COLUMNS if column.group is Group.STATUS
}
"""What rows of drawn boxes lack, as it is to be read: a status starts when the box is accepted."""


def columns_of(correction: Correction, *groups: Group) -> dict[str, Any]:
    """The stored values of a correction, of these groups."""
    stored = {}
    for column in _columns_in(groups):
        value = getattr(correction, column.name)
        # Most boxes have few values, and an import has a million boxes.
        is_default = value is _DEFAULTS[column.name]
        stored[column.name] = _STORED_DEFAULTS[column.name] if is_default else column.write(value)
    return stored


@lru_cache(maxsize=16)
def _columns_in(groups: tuple[Group, ...]) -> tuple[Column, ...]:
    return tuple(column for column in COLUMNS if column.group in groups)


def read_columns(row: Row, names: Container[str] | None = None) -> dict[str, Any]:
    """The fields of a correction from its row, or those with these names. Raises BadRow if a value is invalid."""
    return {column.name: column.read(row, column.name) for column in COLUMNS if names is None or column.name in names}


def without_refinement(correction: Correction) -> Correction:
    """The same as if the model had not been used."""
    gone = {column.name: _DEFAULTS[column.name] for column in COLUMNS if column.group is Group.REFINEMENT}
    return replace(correction, **gone)
