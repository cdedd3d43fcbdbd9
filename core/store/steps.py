"""What an undo step says of itself, as columns of its row and back: a kind, and its parameters as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from core.records import Step, StepKind
from core.store.row_checks import BadRow, Row, is_unicode, mapping_in, text_in, whole_number_in

_MOST = 2**63 - 1


def step_columns(step: Step) -> dict[str, Any]:
    """The columns `kind` and `parameters`; parameters that say nothing are left out."""
    parameters = {name: value for name, value in asdict(step).items() if name != "kind" and value}
    return {"kind": step.kind.value, "parameters": json.dumps(parameters)}


def step_of(row: Row) -> Step:
    """The step in a row. Raises BadRow where a value is none that was ever stored."""
    if "kind" not in row:  # of a version that stored titles
        return Step(StepKind.TEXT, name=text_in(row, "title"))
    kind = text_in(row, "kind")
    if kind not in {*StepKind}:
        raise BadRow("kind is none of the known ones")
    held = {"count": 0, "name": "", "into": "", **mapping_in(row, "parameters")}
    texts = {name: held[name] for name in ("name", "into")}
    if not all(isinstance(text, str) for text in texts.values()):
        raise BadRow("parameters have a name that is no text")
    if not is_unicode(row["parameters"]):
        raise BadRow("parameters is no valid UTF-8")
    return Step(StepKind(kind), whole_number_in(held, "count", least=0, most=_MOST), **texts)


def readable_step(row: Row) -> Step:
    """The step in a row, a step without a name where it is damaged: it may still be played."""
    try:
        return step_of(row)
    except BadRow:
        return Step(StepKind.TEXT)
