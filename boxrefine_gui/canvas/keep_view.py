"""Whether the next picture keeps the zoom and the place of the one before."""

from __future__ import annotations

import re

from core.records import ImageRecord

_LAST_NUMBER = re.compile(r"\d+(?=\D*$)")


def keeps_view(before: ImageRecord | None, after: ImageRecord | None, how: str) -> bool:
    """Whether `after` is shown like `before`, by the setting `keep_view`; both must have the same size in pixels."""
    if before is None or after is None or how == "never":
        return False
    if (before.width, before.height) != (after.width, after.height):
        return False
    return how == "always" or are_frames(before, after)


def are_frames(first: ImageRecord, second: ImageRecord) -> bool:
    """Whether two pictures of one folder have names that differ in their last number alone."""
    names = [_LAST_NUMBER.subn("#", record.path.stem) for record in (first, second)]
    return (
        first.path.parent == second.path.parent
        and names[0] == names[1]
        and names[0][1] == 1
        and first.path.suffix == second.path.suffix
    )
