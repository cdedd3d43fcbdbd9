"""Boxes to review: insert imports and proposals, accept them and withdraw them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlite_utils import Database

from core.records import DOUBTFUL_BELOW, Correction, ImportedBox
from core.reviews import Verdict
from core.store.correction_columns import box_text, without_refinement
from core.store.known_boxes import KnownBoxes
from core.store.row_checks import Row
from core.store.rows import (
    correction_of,
    correction_row,
    doubt_columns,
    doubt_of_proposal,
    is_whole,
    now,
    refinement_columns,
)
from core.store.undo_log import Operation

NEVER_REFINED = (
    "refined IS NULL AND accepted = drawn AND (origin IS NULL OR "  # untranslated: SQL
    "(confirmed = 0 AND origin NOT LIKE '%, \"crowd\": true, %'))"  # untranslated: SQL
)
"""Boxes that neither the refiner nor the user has changed since they were drawn or imported, without crowds."""

OF_A_HEAD = "instr(substr(origin, 1, instr(origin, '\"box\"')), '\"head\"') > 0"  # untranslated: SQL
"""Boxes of a head: their origin names it before the box."""

_EDGES = "CASE WHEN json_valid(edge_confidence) THEN edge_confidence END"  # untranslated: SQL
_LOWEST = f"(SELECT min(value) FROM json_each({_EDGES}))"  # untranslated: SQL
_REVIEWED = f"WHEN accepted = refined THEN max({_LOWEST}, {DOUBTFUL_BELOW})"  # untranslated: SQL
DOUBT = f"CASE WHEN confirmed = 0 OR doubtful != 0 THEN {_LOWEST} {_REVIEWED} END"  # untranslated: SQL
"""The lowest edge confidence of a box, NULL if it has none or the user has moved the box by hand.

It is not below DOUBTFUL_BELOW if the user has confirmed the box.
"""

PROPOSED = (
    "confirmed = 0 AND refined IS NOT NULL AND (origin IS NULL OR origin NOT LIKE '{\"head\":%')"  # untranslated: SQL
)
"""Refinements to check. Suggestions are none: the user has not seen most of them."""

ACCEPTED_ANSWER = (
    "refiner = ? AND category_id = ? AND encoder = ? AND confirmed = 1 AND refined != drawn"  # untranslated: SQL
)
"""Accepted boxes of a category that a refiner has moved; `refined` is NULL without one, and then nothing is true."""


def insert_new(
    operation: Operation,
    db: Database,
    boxes: Sequence[ImportedBox],
    *,
    categories: Sequence[str] = (),
    even_known: bool = False,
) -> list[int]:
    """Store those boxes that the project does not have yet, or `even_known` ones; return their ids.

    Missing `categories` are added in their order, then those of the boxes.
    """
    names = category_ids(operation, db, [*categories, *(entry.category for entry in boxes)])
    known = KnownBoxes(db)
    ids = []
    for entry in boxes:
        new = replace(entry.correction, category_id=names[entry.category])
        if even_known or known.take(new):
            ids.append(operation.insert("corrections", correction_row(new)))
    return ids


def category_ids(operation: Operation, db: Database, wanted: Iterable[str]) -> dict[str, int]:
    """Name -> id of all categories; those of the `wanted` ones that are missing are added in their order."""
    names = {row["name"]: row["id"] for row in db.query("SELECT id, name FROM categories")}
    for name in wanted:
        if name not in names:
            names[name] = operation.insert("categories", {"name": name})
    return names


def write_proposals(operation: Operation, db: Database, answers: Iterable[Correction]) -> None:
    """Store refinements as proposals for their boxes, which stay; skip boxes that have changed since the request.

    Each of `answers` is a stored correction with its refinement.
    """
    for answer in answers:
        row = next(db.query(f"SELECT * FROM corrections WHERE id = ? AND {NEVER_REFINED}", [answer.id]), None)
        if row is not None and is_whole("corrections", row) and row["drawn"] == box_text(answer.drawn):
            columns = refinement_columns(replace(answer, accepted=answer.drawn, seconds=row["seconds"]))
            operation.update("corrections", row, **columns, confirmed=0, doubtful=0, changed=now())


def write_later_answer(operation: Operation, db: Database, seen: Correction, answer: Correction) -> None:
    """Store a refinement that arrived after its box was accepted as a proposal, unless the box has changed since."""
    row = next(db.query("SELECT * FROM corrections WHERE id = ? AND confirmed = 1", [seen.id]), None)
    if row is not None and correction_of(row) == seen:
        columns = refinement_columns(replace(answer, accepted=seen.accepted, seconds=row["seconds"]))
        operation.update("corrections", row, **columns, confirmed=0, doubtful=0, changed=now())


def write_answers(operation: Operation, db: Database, answers: Iterable[tuple[Correction, Correction]]) -> None:
    """Store refinements of stored boxes, unless they have changed since: accepted for reviewed ones, else proposals."""
    for seen, answer in answers:
        row = next(db.query("SELECT * FROM corrections WHERE id = ?", [seen.id]), None)
        if row is None or not is_whole("corrections", row) or correction_of(row) != seen:
            continue
        new = replace(answer, seconds=row["seconds"], accepted=answer.refined or seen.accepted)
        if not seen.confirmed:
            new = replace(new, accepted=seen.accepted)
        doubt = doubt_columns(new.with_doubt()) if seen.confirmed else {"doubtful": 0}
        operation.update("corrections", row, **refinement_columns(new), **doubt, changed=now())


def is_sure(row: Row, *, least_score: float, least_edge: float) -> bool:
    """Whether a proposal has at least this score and these edge confidences; a missing value counts as 0."""
    proposed = correction_of(row)
    edges = proposed.edge_confidence or (0.0,)
    return (proposed.score or 0.0) >= least_score and min(edges) >= least_edge


def confirm_rows(operation: Operation, rows: Iterable[Row], *, take: bool) -> None:
    """Mark boxes as confirmed, with their proposals (`take`) or as they are.

    A box that takes its proposal may get doubtful edges. Confirming a confirmed box ends their doubt,
    and takes its mark to fix away.
    """
    for row in rows:
        if row["confirmed"]:
            if row["doubtful"]:
                operation.update("corrections", row, doubtful=0, changed=now())
            operation.end_verdict(row["id"], Verdict.FIX)
            continue
        takes = take and row["refined"] is not None
        accepted = row["refined"] if takes else row["accepted"]
        doubt = doubt_of_proposal(row) if takes else 0
        operation.update("corrections", row, accepted=accepted, confirmed=1, doubtful=doubt, changed=now())


def withdraw_rows(operation: Operation, rows: Iterable[Row]) -> None:
    """Remove proposals: imported boxes stay unconfirmed, drawn boxes return to their accepted state.

    Refinements that were imported with a box are no proposals and stay. A box that was accepted before a later proposal
    came returns to the refinement that it was accepted with.
    """
    for row in rows:
        came_refined = row["accepted"] == row["refined"] != row["drawn"]
        if came_refined or not row["refiner"]:
            continue
        proposed = correction_of(row)
        if proposed.origin is None and proposed.accepted != proposed.drawn:
            before = replace(
                proposed, refined=proposed.accepted, edge_confidence=None, score=None, outline=(), choice=None
            )
        else:
            before = without_refinement(proposed)
        confirmed = int(row["origin"] is None)
        operation.update("corrections", row, **refinement_columns(before), confirmed=confirmed, changed=now())
