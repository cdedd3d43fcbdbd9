"""What the user has marked on an image, what is left to do there, and the state that follows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class Mark:
    """Whether the user has marked an image as done, and a note if it is flagged.

    `flag` is None without a flag, and empty for a flag without a note.
    """

    done: bool = False
    flag: str | None = None


@dataclass(frozen=True)
class Work:
    """The doubt in the boxes of an image, and when one of them was changed last, in seconds since 1970.

    `doubt` is the lowest edge confidence of the boxes that the user has not changed by hand, None without one.
    """

    doubt: float | None
    changed: float


class PictureState(StrEnum):
    """How far an image is labelled; it follows from its mark and its boxes, see `picture_state`."""

    UNTOUCHED = "untouched"
    IN_WORK = "in_work"
    DONE = "done"
    EMPTY = "empty"
    """Done without boxes: a negative."""


def picture_state(*, done: bool, boxes: int) -> PictureState:
    """The state of an image; `boxes` counts the stored and the drawn ones."""
    if done:
        return PictureState.DONE if boxes else PictureState.EMPTY
    return PictureState.IN_WORK if boxes else PictureState.UNTOUCHED
