"""Level: how much a sentence matters that the window tells."""

from __future__ import annotations

from enum import Enum, auto


class Level(Enum):
    """How a sentence is shown."""

    INFO = auto()
    """It needs no answer and goes by itself."""
    WARNING = auto()
    """Something is not as the user will expect it; it stays until it is closed."""
    ERROR = auto()
    """What was asked for has not been done; it stays until it is closed."""

    @property
    def stays(self) -> bool:
        """Whether the user must have seen it."""
        return self is not Level.INFO
