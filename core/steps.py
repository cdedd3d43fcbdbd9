"""Steps: the operations on a project that can be undone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class StepKind(StrEnum):
    """The kind of an operation; the values are stored in undo steps. `core.wording` has the titles."""

    ACCEPT = "accept"
    KEEP = "keep"
    MOVE = "move"
    REFINE = "refine"
    RELABEL = "relabel"
    DELETE = "delete"
    IMPORT = "import"
    PASTE = "paste"
    SUGGEST = "suggest"
    REJECT = "reject"
    PROPOSE = "propose"
    WITHDRAW = "withdraw"
    ADD_IMAGES = "add_images"
    ADD_CATEGORIES = "add_categories"
    ADD_CATEGORY = "add_category"
    RENAME_CATEGORY = "rename_category"
    MOVE_CATEGORY = "move_category"
    CATEGORY_COLOR = "category_color"
    CATEGORY_KEY = "category_key"
    MERGE_CATEGORY = "merge_category"
    DELETE_CATEGORY = "delete_category"
    DONE = "done"
    NOT_DONE = "not_done"
    FLAG = "flag"
    UNFLAG = "unflag"
    FIND_GOOD = "find_good"
    FIND_TO_FIX = "find_to_fix"
    COMMENT = "comment"
    GO_BACK = "go_back"
    REPAIR = "repair"
    MERGE = "merge"
    TEXT = "text"
    """A step of an earlier version, which stored titles; the title is the step's `name`."""


@dataclass(frozen=True)
class Step:
    """One operation, as the undo menu shows it.

    `count` is a number of boxes, proposals or marked images, `name` that of a category, an imported file or a merged
    project, or the note of a flag, `into` the name of the category that takes over the boxes.
    """

    kind: StepKind
    count: int = 0
    name: str = ""
    into: str = ""
