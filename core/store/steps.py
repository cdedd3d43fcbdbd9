"""Convert the kind and parameters of an undo step to columns of its row and back; parameters are JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from core.records import Step, StepKind
from core.store.row_checks import BadRow, Row, is_unicode, mapping_in, text_in, whole_number_in
from core.translation import tr

_MOST = 2**63 - 1


def step_columns(step: Step) -> dict[str, Any]:
    """The columns `kind` and `parameters`, without empty parameters."""
    parameters = {name: value for name, value in asdict(step).items() if name != "kind" and value}
    return {"kind": step.kind.value, "parameters": json.dumps(parameters)}


def step_of(row: Row) -> Step:
    """Convert a row to a step. Raises BadRow if a value is invalid."""
    if "kind" not in row:  # from a version that stored titles
        return Step(StepKind.TEXT, name=text_in(row, "title"))
    kind = text_in(row, "kind")
    if kind not in {*StepKind}:
        raise BadRow(tr("{column} is none of the known ones", column="kind"))
    held = {"count": 0, "name": "", "into": "", **mapping_in(row, "parameters")}
    texts = {name: held[name] for name in ("name", "into")}
    if not all(isinstance(text, str) for text in texts.values()):
        raise BadRow(tr("{column} have a name that is no text", column="parameters"))
    if not is_unicode(row["parameters"]):
        raise BadRow(tr("{column} is no valid UTF-8", column="parameters"))
    return Step(StepKind(kind), whole_number_in(held, "count", least=0, most=_MOST), **texts)


def readable_step(row: Row) -> Step:
    """Convert a row to a step, or to one without a name if it is damaged, because it may still be played."""
    try:
        return step_of(row)
    except BadRow:
        return Step(StepKind.TEXT)
