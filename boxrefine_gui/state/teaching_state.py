"""TeachingState: how far the trainer is, as the panel shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.progress import duration


@dataclass(frozen=True)
class TeachingState:
    """One run of the trainer; `sentence` is what came of the last one, `losses` has an entry for each of
    `steps` steps so far, `notes` are what the trainer wants read while it goes on. `by_itself`: the hand rested, and
    nobody asked for it."""

    is_running: bool = False
    by_itself: bool = False
    message: str = ""
    done: int = 0
    total: int = 0
    losses: tuple[float, ...] = ()
    steps: int = 0
    figures: Mapping[str, float] = field(default_factory=dict)
    sentence: str = ""
    notes: tuple[str, ...] = ()
    promoted: bool = False

    @property
    def time_left(self) -> str:
        """How long the trainer will still take, as one says it; empty while it does not know."""
        return duration(self.figures["seconds_left"]) if "seconds_left" in self.figures else ""

    @property
    def percent(self) -> int | None:
        """How many of its steps are done, in percent; None before the first one."""
        return 100 * len(self.losses) // self.steps if self.losses and self.steps else None
