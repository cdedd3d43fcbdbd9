"""What tasks take and give as plain JSON values: boxes [x1, y1, x2, y2] in image pixels, refinements, suggestions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.geometry import Box
from core.records import Candidate, EdgeConfidence, Refinement
from core.suggest.suggester import Known, Suggestion

Json = Any
"""What `json` writes and reads."""


def about_boxes(boxes: Sequence[Box], categories: Sequence[str | None]) -> Json:
    """What `RefineTask` takes: N drawn boxes, and the names of their categories, None for unknown ones."""
    return {"boxes": [_plain(box) for box in boxes], "categories": list(categories)}


def boxes_of(about: Json) -> tuple[list[Box], list[str | None]]:
    """What `about_boxes` has written; `categories` may be missing. Raises ValueError and KeyError for another form."""
    boxes = [Box.of(row) for row in about["boxes"]]
    names = about.get("categories") or [None] * len(boxes)
    if len(names) != len(boxes):
        raise ValueError(f"{len(boxes)} boxes, {len(names)} categories")
    return boxes, [None if name is None else str(name) for name in names]


def about_known(known: Known, rejected: Known) -> Json:
    """What `SuggestTask` takes: boxes that a picture has, and those that its user does not want."""
    return {"known": [[*_plain(box), name] for box, name in known], "rejected": [[*_plain(b), n] for b, n in rejected]}


def known_of(about: Json) -> tuple[Known, Known]:
    """What `about_known` has written; both may be missing. Raises ValueError for another form."""
    known, rejected = (
        [(Box.of(row[:4]), str(row[4])) for row in about.get(name, ())] for name in ("known", "rejected")
    )
    return known, rejected


def refinement_json(answer: Refinement) -> Json:
    """A refinement without its mask, whose outline stays."""
    return {
        "box": _plain(answer.box),
        "edge_confidence": [float(edge) for edge in answer.edge_confidence],
        "score": float(answer.score),
        **({"outline": [[float(at) for at in polygon] for polygon in answer.outline]} if answer.outline else {}),
        **({"candidates": [_candidate_json(each) for each in answer.candidates]} if answer.candidates else {}),
        **({} if answer.margin is None else {"margin": [float(edge) for edge in answer.margin]}),
    }


def refinement_of(row: Json) -> Refinement:
    """What `refinement_json` has written. Raises ValueError, TypeError and KeyError for another form."""
    edges = _four(row["edge_confidence"])
    assert edges is not None
    return Refinement(
        Box.of(row["box"]),
        edges,
        float(row["score"]),
        outline=tuple(tuple(float(at) for at in polygon) for polygon in row.get("outline", ())),
        candidates=tuple(_candidate(each) for each in row.get("candidates", ())),
        margin=_four(row.get("margin")),
    )


def suggestion_json(found: Suggestion) -> Json:
    """A suggestion with its refinement."""
    return {
        "found": _plain(found.found),
        "category": found.category,
        "probability": float(found.probability),
        "answer": refinement_json(found.answer),
    }


def suggestion_of(row: Json) -> Suggestion:
    """What `suggestion_json` has written. Raises as `refinement_of` does."""
    answer = refinement_of(row["answer"])
    return Suggestion(Box.of(row["found"]), str(row["category"]), float(row["probability"]), answer)


def _candidate_json(candidate: Candidate) -> Json:
    sure, margin = candidate.edge_confidence, candidate.margin
    return {
        "box": _plain(candidate.box),
        "probability": float(candidate.probability),
        "edge_confidence": None if sure is None else [float(edge) for edge in sure],
        "score": None if candidate.score is None else float(candidate.score),
        "margin": None if margin is None else [float(edge) for edge in margin],
    }


def _candidate(row: Json) -> Candidate:
    score = row["score"]
    return Candidate(
        Box.of(row["box"]),
        float(row["probability"]),
        _four(row["edge_confidence"]),
        None if score is None else float(score),
        _four(row["margin"]),
    )


def _four(edges: Json) -> EdgeConfidence | None:
    if edges is None:
        return None
    left, top, right, bottom = (float(edge) for edge in edges)
    return left, top, right, bottom


def _plain(box: Box) -> list[float]:
    return [float(side) for side in (box.x1, box.y1, box.x2, box.y2)]
