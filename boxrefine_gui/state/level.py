"""Level: the importance of a notice."""

from __future__ import annotations

from enum import Enum, auto


class Level(Enum):
    """How a notice is shown."""

    INFO = auto()
    """It disappears by itself."""
    WARNING = auto()
    """Something differs from what the user expects; it stays until the user closes it."""
    ERROR = auto()
    """The requested action has failed; it stays until the user closes it."""

    @property
    def stays(self) -> bool:
        """Whether the notice stays until the user closes it."""
        return self is not Level.INFO
