"""Records as rows of the project file, and back."""

from __future__ import annotations

import json
import math
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.errors import BadInputError
from core.geometry import Box
from core.records import Correction, EdgeConfidence, Origin, Outline


def now() -> str:
    """The time for `created` and `changed`: ISO 8601, UTC, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def correction_row(correction: Correction) -> dict[str, Any]:
    """A new correction's row, without an id."""
    moment = now()
    return {
        "image_id": correction.image_id,
        "category_id": correction.category_id,
        **refinement_columns(correction),
        "origin": None if correction.origin is None else _origin_text(correction.origin),
        "confirmed": int(correction.confirmed),
        "created": moment,
        "changed": moment,
    }


def refinement_columns(correction: Correction) -> dict[str, Any]:
    """What one drawing, refining and accepting says: these columns belong together and change together."""
    confidence = correction.edge_confidence
    return {
        "drawn": box_text(correction.drawn),
        "refined": None if correction.refined is None else box_text(correction.refined),
        "accepted": box_text(correction.accepted),
        "edge_confidence": None if confidence is None else _numbers_text(confidence),
        "score": None if correction.score is None else float(correction.score),
        "encoder": correction.encoder,
        "refiner": correction.refiner,
        "seconds": float(correction.seconds),
        "outline": json.dumps(correction.outline) if correction.outline else None,
    }


def correction_of(row: dict[str, Any]) -> Correction:
    """The correction in a row."""
    return Correction(
        id=row["id"],
        image_id=row["image_id"],
        category_id=row["category_id"],
        drawn=_box(row["drawn"]),
        refined=None if row["refined"] is None else _box(row["refined"]),
        accepted=_box(row["accepted"]),
        edge_confidence=None if row["edge_confidence"] is None else _confidence(row["edge_confidence"]),
        score=row["score"],
        encoder=row["encoder"],
        refiner=row["refiner"],
        seconds=row["seconds"],
        outline=_outline(row["outline"]),
        origin=None if row["origin"] is None else _origin(row["origin"]),
        confirmed=bool(row["confirmed"]),
    )


def check_boxes(correction: Correction) -> None:
    """Raise BadInputError where a box of a correction is not finite or has no area."""
    for box in filter(None, (correction.drawn, correction.refined, correction.accepted)):
        check_box(box)


def check_box(box: Box) -> None:
    """Raise BadInputError where a box is not finite or has no area."""
    if not all(math.isfinite(edge) for edge in box):
        raise BadInputError(f"The box {tuple(box)} has an edge that is not a number: draw it again.")
    if box.width <= 0 or box.height <= 0:
        raise BadInputError(f"The box {tuple(box)} has no area: draw it again.")


def box_text(box: Box) -> str:
    """A box as the JSON array [x1, y1, x2, y2]; every float comes back as it was."""
    return _numbers_text(box)


def boxes_of(drawn: str, accepted: str, origin: str | None) -> frozenset[Box]:
    """What a stored box is known by: itself, and, if it was imported, what it once came as and what was drawn."""
    return frozenset([_box(accepted)] if origin is None else [_box(accepted), _origin(origin).box, _box(drawn)])


def stored_path(path: Path, *, folder: Path) -> str | bytes:
    """The path of a picture as the project keeps it: relative where it is below `folder`, so that both can move.

    A name that is no valid Unicode (possible on Linux) is kept as the bytes that it has on the disk.
    """
    whole, base = _absolute(path), _absolute(folder)
    if not whole.is_relative_to(base):
        # The same folder may have been reached by way of a link; the picture itself may be a link and stays one.
        real = Path(os.path.realpath(whole.parent)) / whole.name
        real_base = Path(os.path.realpath(base))
        whole, base = (real, real_base) if real.is_relative_to(real_base) else (whole, base)
    kept = whole.relative_to(base) if whole.is_relative_to(base) else whole
    text = kept.as_posix()
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return os.fsencode(text)
    return text


def picture_path(stored: str | bytes, *, folder: Path) -> Path:
    """Where a picture is now, seen from the project's folder."""
    return folder / os.fsdecode(stored)


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links, which are to stay


def _numbers_text(numbers: Box | EdgeConfidence) -> str:
    return json.dumps([float(number) for number in numbers])


def _box(text: str) -> Box:
    return Box(*json.loads(text))


def _origin_text(origin: Origin) -> str:
    return json.dumps({"file": origin.file, "box": [float(edge) for edge in origin.box]})


def _origin(text: str) -> Origin:
    values = json.loads(text)
    return Origin(values["file"], Box(*values["box"]))


def _outline(text: str | None) -> Outline:
    return tuple(tuple(polygon) for polygon in json.loads(text)) if text else ()


def _confidence(text: str) -> EdgeConfidence:
    left, top, right, bottom = json.loads(text)
    return left, top, right, bottom
