"""What a user finds of a stored box when reviewing it, and which boxes a review shows, in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from core.geometry import Box

LONGEST_COMMENT = 1000
"""Characters of a comment; a longer one is refused, so that a list of comments stays quick."""


class Verdict(StrEnum):
    """What the user found of a box; the values are stored. A box that is wrong is deleted instead."""

    NONE = ""
    GOOD = "good"
    FIX = "fix"


@dataclass(frozen=True)
class Review:
    """The verdict on a box and a comment, one line or empty. `by` is the annotator, `changed` when, ISO 8601."""

    verdict: Verdict = Verdict.NONE
    comment: str = ""
    by: str = ""
    changed: str = ""


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """What a review needs to know of a stored box; boxes are in image pixels.

    `box` is what the user would accept: the accepted box, or the proposal for one that is to check. `before` is what it
    was made from: the refined box if the user has changed that one, else the drawn or imported one. `doubtful` are
    edges, as in Correction, and `doubt` is the lowest edge confidence, None without one. `change` is how far `box` is
    from the refiner's answer (without one, from the drawn box): 1 - IoU. `changed` is in seconds since 1970. `writer`
    is the opening that wrote the box last.
    """

    id: int
    image_id: int
    category_id: int
    box: Box
    before: Box
    confirmed: bool
    doubtful: tuple[int, ...]
    by_hand: bool
    doubt: float | None
    change: float
    changed: float
    writer: int
    verdict: Verdict
    comment: str


class Which(StrEnum):
    """Which boxes a review shows."""

    ALL = "all"
    TO_CHECK = "to_check"
    ACCEPTED = "accepted"
    IN_DOUBT = "in_doubt"
    BY_HAND = "by_hand"
    TO_FIX = "to_fix"
    GOOD = "good"
    OPEN = "open"
    COMMENTED = "commented"


class By(StrEnum):
    """In which order a review shows them."""

    IMAGE = "image"
    DOUBT = "doubt"
    CHANGE = "change"
    NEWEST = "newest"
    OLDEST = "oldest"


@dataclass(frozen=True)
class ReviewQuery:
    """The boxes of a review and their order; `category_id` and `annotator` None: of all."""

    which: Which = Which.ALL
    category_id: int | None = None
    annotator: str | None = None
    by: By = By.IMAGE


def fits(item: ReviewItem, query: ReviewQuery, annotators: Mapping[int, str]) -> bool:
    """Whether a review shows a box; `annotators` has the name of each opening."""
    if query.category_id is not None and item.category_id != query.category_id:
        return False
    if query.annotator is not None and annotators.get(item.writer, "") != query.annotator:
        return False
    return _is(item, query.which)


def _is(item: ReviewItem, which: Which) -> bool:
    if which is Which.TO_CHECK:
        return not item.confirmed
    if which is Which.ACCEPTED:
        return item.confirmed
    if which is Which.IN_DOUBT:
        return bool(item.doubtful)
    if which is Which.BY_HAND:
        return item.by_hand
    if which is Which.TO_FIX:
        return item.verdict is Verdict.FIX
    if which is Which.GOOD:
        return item.verdict is Verdict.GOOD
    if which is Which.OPEN:
        return item.verdict is Verdict.NONE
    return which is Which.ALL or bool(item.comment)


@dataclass(frozen=True)
class Arrangement:
    """The ids of the boxes of a review in its order, the same as a set, and how many have each verdict."""

    ids: Sequence[int] = ()
    known: frozenset[int] = frozenset()
    counts: Mapping[Verdict, int] = field(default_factory=dict)


def arranged(
    items: Iterable[ReviewItem], query: ReviewQuery, *, annotators: Mapping[int, str], places: Mapping[int, int]
) -> Arrangement:
    """Choose the boxes that a query names, and order them; `places` are the places of the images, by id."""
    found = [item for item in items if fits(item, query, annotators)]
    keys: dict[By, Callable[[ReviewItem], float]] = {
        By.DOUBT: lambda item: 2.0 if item.doubt is None else item.doubt,  # a box without a doubt comes last
        By.CHANGE: lambda item: -item.change,
        By.NEWEST: lambda item: -item.changed,
        By.OLDEST: lambda item: item.changed,
        By.IMAGE: lambda item: 0.0,
    }
    ids = np.array([item.id for item in found], np.int64)
    images = np.array([places.get(item.image_id, len(places)) for item in found], np.int64)
    first = np.array([keys[query.by](item) for item in found], np.float64)
    order = np.lexsort((ids, images, first))  # not sort(), which would hold the GIL
    counts = {verdict: sum(item.verdict is verdict for item in found) for verdict in Verdict}
    return Arrangement(ids[order].tolist(), frozenset(ids.tolist()), counts)


def distance(box: Box, other: Box) -> float:
    """1 - IoU of two boxes, 0 for equal ones."""
    if box == other:
        return 0.0
    width = min(box.x2, other.x2) - max(box.x1, other.x1)
    height = min(box.y2, other.y2) - max(box.y1, other.y1)
    shared = max(width, 0.0) * max(height, 0.0)
    return 1.0 - shared / (box.width * box.height + other.width * other.height - shared)


@dataclass(frozen=True)
class Version:
    """A box at a moment of its history.

    `kind` is the kind of the operation that led to it, as stored, or one of DRAWN, IMPORTED, SUGGESTED, REFINED,
    EARLIER, TWIN and NOW. `when` is ISO 8601, `by` the annotator; both are empty where they are not known. `encoder`
    and `refiner` are identities, given where the refiner made the box.
    """

    kind: str
    box: Box
    category_id: int
    when: str = ""
    by: str = ""
    encoder: str = ""
    refiner: str = ""
    score: float | None = None


DRAWN, IMPORTED, SUGGESTED, REFINED = "drawn", "imported", "suggested", "refined"
EARLIER, TWIN, NOW = "earlier", "twin", "now"
"""The kinds of a Version besides those of operations."""
