"""One picture that two projects have: the rows of both, and what a merge is to do with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from core.marks import Mark
from core.store.merge_history import Removed
from core.store.row_checks import Row


@dataclass
class Side:
    """What one project has on a picture, with the ids of the project that the other one is merged into.

    `reviews` are rows by the id of their box. `removed` are boxes that its undo steps have deleted, and suggestions
    that its annotator has rejected.
    """

    boxes: list[Row] = field(default_factory=list)
    reviews: dict[int, Row] = field(default_factory=dict)
    mark: Mark = field(default_factory=Mark)
    removed: list[Removed] = field(default_factory=list)


@dataclass
class SharedPicture:
    """A picture of both projects; `image_id` is its new id, `old_ids` are those in the other project."""

    image_id: int
    old_ids: tuple[int, ...]
    ours: Side
    theirs: Side


@dataclass(frozen=True)
class Drop:
    """A box that goes: `kept` is the id of the one that takes its place, 0 without one.

    `is_twin`: the history of the kept one shows this one, too.
    """

    row: Row
    kept: int = 0
    is_twin: bool = False


@dataclass(frozen=True)
class Decision:
    """What a merge does with a shared picture.

    `fix` has the comments on boxes that are to be reviewed, by id. `mark` is the mark of the picture afterwards.
    """

    image_id: int
    drops: Sequence[Drop] = ()
    fix: Sequence[tuple[Row, str]] = ()
    mark: Mark = field(default_factory=Mark)
