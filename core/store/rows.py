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
from core.records import Category, Correction, EdgeConfidence, ImageRecord, Origin
from core.store.row_checks import (
    BadRow,
    Row,
    box_in,
    box_of,
    flag_in,
    id_in,
    is_unicode,
    json_in,
    json_of,
    number_in,
    numbers_of,
    outline_in,
    text_in,
    whole_number_in,
)


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


def correction_of(row: Row) -> Correction:
    """The correction in a row. Raises BadRow where a value is none that was ever stored."""
    for name in row.keys() & {"created", "changed"}:
        text_in(row, name)
    return Correction(
        id=id_in(row, least=0),
        image_id=id_in(row, "image_id"),
        category_id=id_in(row, "category_id", least=0),
        drawn=box_in(row, "drawn"),
        refined=None if row["refined"] is None else box_in(row, "refined"),
        accepted=box_in(row, "accepted"),
        edge_confidence=confidence_in(row, "edge_confidence"),
        score=None if row["score"] is None else number_in(row, "score"),
        encoder=text_in(row, "encoder"),
        refiner=text_in(row, "refiner"),
        seconds=number_in(row, "seconds"),
        outline=outline_in(row, "outline"),
        origin=None if row["origin"] is None else origin_in(row, "origin"),
        confirmed=flag_in(row, "confirmed"),
    )


def image_of(row: Row, *, folder: Path) -> ImageRecord:
    """The image in a row, seen from the project's folder. Raises BadRow as `correction_of`."""
    width, height = whole_number_in(row, "width"), whole_number_in(row, "height")
    return ImageRecord(id_in(row), picture_path(row["path"], folder=folder), width, height)


def category_of(row: Row) -> Category:
    """The category in a row. Raises BadRow as `correction_of`."""
    if row["place"] is not None:
        id_in(row, "place")
    name = text_in(row, "name")
    if not name.strip():
        raise BadRow("name is empty")
    return Category(id_in(row), name)


def check_row(table: str, row: Row) -> None:
    """Raise BadRow where a row of an undo step, perhaps of an older version, is no row of its table."""
    if table == "corrections":
        correction_of({"outline": None, "origin": None, "confirmed": 1, **row})
    elif table == "categories":
        category_of({"place": None, **row})


def is_whole(table: str, row: Row) -> bool:
    """Whether a row can be read."""
    try:
        check_row(table, row)
    except BadRow:
        return False
    return True


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
    """What a stored box is known by: itself, and, if it was imported, what it once came as and what was drawn.

    Raises BadRow as `correction_of`.
    """
    names = {"accepted": accepted} if origin is None else {"accepted": accepted, "drawn": drawn}
    boxes = [box_of(json_of(text, name), name) for name, text in names.items()]
    return frozenset(boxes if origin is None else [*boxes, _origin_of(origin).box])


def stored_path(path: Path, *, folder: Path) -> str | bytes:
    """The path of a picture as the project keeps it: relative where it is below `folder`, so that both can move.

    A name that is no valid Unicode (possible on Linux) is kept as the bytes that it has on the disk.
    """
    if "\0" in str(path):
        raise BadInputError(f"The path {str(path)!r} has a character that no path can have: rename the picture.")
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


def picture_path(stored: object, *, folder: Path) -> Path:
    """Where a picture is now, seen from the project's folder, without `..`. Raises BadRow where that is no path."""
    if type(stored) not in (str, bytes) or not stored:
        raise BadRow("path is no text")
    assert isinstance(stored, str | bytes)
    if isinstance(stored, str) and not is_unicode(stored):  # such names are kept as bytes
        raise BadRow("path is no valid UTF-8")
    try:
        text = os.fsdecode(stored)
    except UnicodeDecodeError as error:  # bytes of Linux in a project that was carried to Windows
        raise BadRow("path is no name on this system") from error
    if "\0" in text:
        raise BadRow("path has a character that no path can have")
    whole = folder / text
    # A name below the folder must not lead out of it by `..` when an export writes a file of the same name.
    return Path(os.path.normpath(whole)) if ".." in text else whole


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links, which are to stay


def _numbers_text(numbers: Box | EdgeConfidence) -> str:
    return json.dumps([float(number) for number in numbers])


def _origin_text(origin: Origin) -> str:
    return json.dumps({"file": origin.file, "box": [float(edge) for edge in origin.box]})


def _origin_of(text: object) -> Origin:
    values = json_of(text, "origin")
    if not isinstance(values, dict) or type(values.get("file")) is not str:
        raise BadRow("origin names no file")
    name = values["file"].encode("utf-8", "replace").decode()  # it is shown, and opens nothing
    return Origin(name, Box(*numbers_of(values.get("box"), "origin", count=4)))


def origin_in(row: Row, name: str) -> Origin:
    """Where a box comes from, as JSON. Raises BadRow as `correction_of`."""
    return _origin_of(row[name])


def confidence_in(row: Row, name: str) -> EdgeConfidence | None:
    """Edge confidences as JSON, None where there are none. Raises BadRow as `correction_of`."""
    if row[name] is None:
        return None
    left, top, right, bottom = numbers_of(json_in(row, name), name, count=4)
    return left, top, right, bottom
