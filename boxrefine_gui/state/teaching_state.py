"""TeachingState: progress and result of the trainer, as the panel shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.progress import duration


@dataclass(frozen=True)
class TeachingState:
    """One run of the trainer.

    `by_itself`: it was started when the user paused, not on request. `losses` has an entry for each finished step of
    `steps`. `notes` are sentences of the trainer for the user during the run. `sentence` is the result of the last run.
    """

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
        """The remaining time in words; empty while it is unknown."""
        return duration(self.figures["seconds_left"]) if "seconds_left" in self.figures else ""

    @property
    def percent(self) -> int | None:
        """Percentage of finished steps; None before the first one."""
        return 100 * len(self.losses) // self.steps if self.losses and self.steps else None
