"""Witness: remembers which picture a block was at when its worker died, so that a picture that kills is found.

A decoder that crashes ends its process, and no exception is left to report. The first attempt at a block runs at full
speed. If its worker dies, the next one names each picture before it reads it, and gives up those that it has died at.
"""

from __future__ import annotations

from collections import Counter
from typing import Protocol

MOST_DEATHS = 2
"""A worker may also die for another reason, such as a machine that goes away; so a picture has a second try."""


class Witness(Protocol):
    """What a worker reports to; for any process."""

    def start(self, block: int) -> frozenset[int] | None:
        """Begin a block, by its first number. None at the first attempt, then the pictures to give up."""

    def begin(self, block: int, number: int) -> None:
        """Name the picture that is read next; returns when that is noted."""


class Deaths:
    """The notes behind a witness."""

    def __init__(self) -> None:
        self._attempts: Counter[int] = Counter()
        self._deaths: Counter[int] = Counter()
        self._at: dict[int, int] = {}

    def start(self, block: int) -> frozenset[int] | None:
        """See `Witness.start`."""
        self._attempts[block] += 1
        if self._attempts[block] == 1:
            return None
        if block in self._at:
            self._deaths[self._at.pop(block)] += 1
        return frozenset(number for number, deaths in self._deaths.items() if deaths >= MOST_DEATHS)

    def begin(self, block: int, number: int) -> None:
        """See `Witness.begin`."""
        self._at[block] = number

    def again(self) -> int:
        """How many blocks were begun more than once."""
        return sum(count > 1 for count in self._attempts.values())
