"""Convert records to rows of the project file and back."""

from __future__ import annotations

import math
import os
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.categories import category_key, is_color
from core.errors import BadInputError
from core.geometry import Box
from core.marks import Mark
from core.pace import AcceptedWork
from core.records import AcceptedAnswer, Category, Correction, ImageRecord, doubtful_edges
from core.reviews import Review, ReviewItem, Verdict, distance
from core.store.correction_columns import OF_OLD_ROWS, Group, columns_of, edge_bits, origin_of, read_columns
from core.store.row_checks import (
    BadRow,
    Row,
    box_in,
    box_of,
    flag_in,
    id_in,
    is_unicode,
    json_of,
    text_in,
    whole_number_in,
)
from core.translation import tr

ANSWER_COLUMNS = ", ".join(field.name for field in fields(AcceptedAnswer))


def now() -> str:
    """The current time for `created` and `changed`: ISO 8601, UTC, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def seconds_of(moment: object) -> float:
    """A stored time in seconds since 1970; 0 if it cannot be read."""
    try:
        return datetime.fromisoformat(str(moment)).timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0


def correction_row(correction: Correction) -> dict[str, Any]:
    """The row of a new correction, without an id."""
    moment = now()
    return {**columns_of(correction, *Group), "created": moment, "changed": moment}


def refinement_columns(correction: Correction) -> dict[str, Any]:
    """The columns of one drawing, refinement and acceptance, which always change together."""
    return columns_of(correction, Group.BOX, Group.REFINEMENT)


def doubt_columns(correction: Correction) -> dict[str, Any]:
    """The column of the doubtful edges alone; the other columns of their group change at other times."""
    return {"doubtful": edge_bits(correction.doubtful)}


def doubt_of_proposal(row: Row) -> int:
    """The stored doubtful edges that a box has if the user accepts its proposal. Raises BadRow."""
    if row["edge_confidence"] is None:
        return 0
    proposed = read_columns(row, ("refined", "edge_confidence"))
    edges = doubtful_edges(proposed["refined"], proposed["refined"], proposed["edge_confidence"])
    return edge_bits(edges)


def correction_of(row: Row) -> Correction:
    """Convert a row to a correction. Raises BadRow if a value is invalid."""
    for name in row.keys() & {"created", "changed"}:
        text_in(row, name)
    return Correction(id=id_in(row, least=0), **read_columns(row))


def accepted_answer_of(row: Row) -> AcceptedAnswer:
    """Convert a row with ANSWER_COLUMNS. Raises BadRow if a value is invalid."""
    return AcceptedAnswer(id=id_in(row), **read_columns(row, row.keys() - {"id"}))


def work_of(row: Row) -> AcceptedWork:
    """Convert a row to what the pace of labelling needs. Raises BadRow if a value is invalid."""
    values = read_columns(row, ("category_id", "refined", "accepted", "seconds", "origin"))
    refined, accepted, origin = values["refined"], values["accepted"], values["origin"]
    moved = None if refined is None else sum(a != b for a, b in zip(refined, accepted, strict=True))
    return AcceptedWork(
        values["category_id"],
        seconds_of(row["created"] if origin is None else row["changed"]),
        values["seconds"],
        moved,
        drawn=origin is None,
        suggested=origin is not None and bool(origin.head),
    )


def review_item_of(row: Row) -> ReviewItem:
    """Convert a row of a box, with `verdict` and `comment` of its review, or NULL. Raises BadRow."""
    names = ("image_id", "category_id", "drawn", "refined", "accepted", "edge_confidence", "confirmed", "doubtful")
    values = read_columns(row, names)
    drawn, refined, accepted = values["drawn"], values["refined"], values["accepted"]
    box, confidence = accepted, values["edge_confidence"]
    before = drawn if refined is None or refined == accepted else refined
    if not values["confirmed"] and refined is not None:
        box, before = refined, accepted
    judged = (row["verdict"], row["comment"])
    verdict, comment = judged if all(isinstance(text, str) for text in judged) else ("", "")
    answer = drawn if refined is None else refined
    return ReviewItem(
        id=id_in(row),
        image_id=values["image_id"],
        category_id=values["category_id"],
        box=box,
        before=before,
        confirmed=values["confirmed"],
        doubtful=values["doubtful"],
        by_hand=values["confirmed"] and accepted != answer,
        doubt=None if confidence is None else min(confidence),
        change=distance(accepted, answer),
        changed=seconds_of(row["changed"]),
        writer=whole_number_in(row, "writer", least=0, most=2**63 - 1),
        verdict=Verdict(verdict) if verdict in {*Verdict} else Verdict.NONE,
        comment=comment if is_unicode(comment) else "",
    )


def image_of(row: Row, *, folder: Path) -> ImageRecord:
    """Convert a row to an image; `folder` is the project's. Raises BadRow if a value is invalid."""
    width, height = whole_number_in(row, "width"), whole_number_in(row, "height")
    return ImageRecord(id_in(row), picture_path(row["path"], folder=folder), width, height)


def category_of(row: Row) -> Category:
    """Convert a row to a category. Raises BadRow if a value is invalid."""
    if row["place"] is not None:
        id_in(row, "place")
    name = text_in(row, "name")
    if not name.strip():
        raise BadRow(tr("{column} is empty", column="name"))
    color, key = row.get("color"), row.get("key")  # rows of old steps have neither
    if color is not None and not is_look("color", color):
        raise BadRow(tr("{column} is no colour like {example}", column="color", example="#E69F00"))
    if key is not None and not is_look("key", key):
        raise BadRow(tr("{column} is no letter or digit", column="key"))
    return Category(id_in(row), name, color or "", key or "")


def is_look(column: str, value: object) -> bool:
    """Whether a value is a `color` or a `key` that a category can have."""
    if not isinstance(value, str):
        return False
    return is_color(value) if column == "color" else bool(value) and category_key(value) == value


def mark_of(row: Row) -> Mark:
    """Convert a row to a mark. Raises BadRow if a value is invalid."""
    id_in(row)
    return Mark(flag_in(row, "done"), None if row["flag"] is None else text_in(row, "flag"))


def review_of(row: Row) -> Review:
    """Convert a row to a review, without the annotator. Raises BadRow if a value is invalid."""
    id_in(row)
    id_in(row, "image_id")
    whole_number_in(row, "writer", least=0, most=2**63 - 1)
    verdict = text_in(row, "verdict")
    if verdict not in {*Verdict}:
        raise BadRow(tr("{column} is none of the known ones", column="verdict"))
    return Review(Verdict(verdict), text_in(row, "comment"), changed=text_in(row, "changed"))


def check_row(table: str, row: Row) -> None:
    """Raise BadRow if a row of an undo step, perhaps of an older version, is invalid in its table."""
    if table == "corrections":
        correction_of({**OF_OLD_ROWS, **row})
    elif table == "categories":
        category_of({"place": None, **row})
    elif table == "marks":
        mark_of(row)
    elif table == "rejected_boxes":
        check_rejected(row)
    elif table == "reviews":
        review_of(row)
    elif table == "twins":
        check_twin(row)


def check_rejected(row: Row) -> None:
    """Raise BadRow if a row of `rejected_boxes` is invalid."""
    id_in(row)
    id_in(row, "image_id")
    id_in(row, "category_id")
    box_in(row, "box")
    text_in(row, "head")
    text_in(row, "created")


def twin_box(row: Row) -> Row:
    """The row of the box that a merge has removed. Raises BadRow if it is invalid."""
    held = json_of(row["box"], "box")
    if not isinstance(held, dict):
        raise BadRow(tr("{column} is no JSON object", column="box"))
    try:
        correction_of({**OF_OLD_ROWS, **held})
    except KeyError as error:
        raise BadRow(tr("{column} is no box of a project", column="box")) from error
    return held


def check_twin(row: Row) -> None:
    """Raise BadRow if a row of `twins` is invalid."""
    id_in(row)
    id_in(row, "correction_id")
    id_in(row, "image_id")
    for name in ("category", "annotator", "source"):
        text_in(row, name)
    twin_box(row)


def is_whole(table: str, row: Row) -> bool:
    """Whether a row has no invalid value."""
    try:
        check_row(table, row)
    except BadRow:
        return False
    return True


def check_boxes(correction: Correction) -> None:
    """Raise BadInputError if a box of a correction is not finite or has no area."""
    check_box(correction.accepted)
    if correction.drawn is not correction.accepted:
        check_box(correction.drawn)
    if correction.refined is not None:
        check_box(correction.refined)


def check_box(box: Box) -> None:
    """Raise BadInputError if a box is not finite or has no area."""
    if not all(math.isfinite(edge) for edge in box):
        raise BadInputError(tr("The box {box} has an edge that is not a number: draw it again.", box=tuple(box)))
    if box.width <= 0 or box.height <= 0:
        raise BadInputError(tr("The box {box} has no area: draw it again.", box=tuple(box)))


def boxes_of(drawn: str, accepted: str, origin: str | None) -> frozenset[Box]:
    """All boxes that identify a stored box: the accepted one, and, if it was imported, its origin and the drawn one.

    Raises BadRow if a value is invalid.
    """
    names = {"accepted": accepted} if origin is None else {"accepted": accepted, "drawn": drawn}
    boxes = [box_of(json_of(text, name), name) for name, text in names.items()]
    return frozenset(boxes if origin is None else [*boxes, origin_of(origin).box])


def stored_path(path: Path, *, folder: Path) -> str | bytes:
    """The path of a picture as the project stores it: relative if it is below `folder`, so that both can be moved.

    A name that is no valid Unicode, which Linux allows, is stored as its bytes. Raises BadInputError for a null
    character.
    """
    if "\0" in str(path):
        raise BadInputError(
            tr("The path {path} has a character that no path can have: rename the picture.", path=repr(str(path)))
        )
    whole, base = _absolute(path), _absolute(folder)
    if not whole.is_relative_to(base):
        # The folder may have been reached through a link. A link of the picture itself is not resolved.
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
    """The path of a picture, without `..`; `folder` is the project's. Raises BadRow if `stored` is no path."""
    if type(stored) not in (str, bytes) or not stored:
        raise BadRow(tr("{column} is no text", column="path"))
    assert isinstance(stored, str | bytes)
    if isinstance(stored, str) and not is_unicode(stored):  # such names are stored as bytes
        raise BadRow(tr("{column} is no valid UTF-8", column="path"))
    try:
        text = os.fsdecode(stored)
    except UnicodeDecodeError as error:  # a name from Linux in a project that was copied to Windows
        raise BadRow(tr("{column} is no name on this system", column="path")) from error
    if "\0" in text:
        raise BadRow(tr("{column} has a character that no path can have", column="path"))
    whole = folder / text
    # Without `..`, an export cannot write a file of this name outside its folder.
    return Path(os.path.normpath(whole)) if ".." in text else whole


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links
