"""How fast the newest live answer comes while a session goes on, beside learning and without it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject

from boxrefine_gui.state.session import Session


@dataclass(frozen=True)
class Answered:
    """Seconds from the last event of a drag to the refinement of just that box; `beside`: a head was being learned."""

    seconds: float
    beside: bool


class Answers(QObject):
    """Times the refinements of drawn boxes in a session, of pictures whose features are ready."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.found: list[Answered] = []
        self._session = session
        self._since: float | None = None
        self._beside = False
        session.refinement_changed.connect(self._came)
        session.image_changed.connect(self._left)

    def begin(self) -> None:
        """Start the watch: the last event of a drag was handled just now."""
        session = self._session
        draft = session.draft
        waits = draft is not None and not draft.plain and not draft.is_current and session.features is not None
        self._since = time.perf_counter() if waits else None
        self._beside = session.suggesting.is_learning

    def _came(self) -> None:
        draft = self._session.draft
        if self._since is not None and draft is not None and draft.is_current and draft.refinement is not None:
            self.found.append(Answered(time.perf_counter() - self._since, self._beside))
            self._since = None

    def _left(self) -> None:
        self._since = None


def answer_figures(found: Sequence[Answered]) -> dict[str, float]:
    """Numbers of answers, and medians and 95th percentiles in milliseconds; 0 where there is none."""
    figures: dict[str, float] = {}
    for name, beside in (("answers", False), ("answers beside learning", True)):
        own = [1000 * each.seconds for each in found if each.beside is beside]
        middle, slow = np.percentile(own, [50, 95]).tolist() if own else (0.0, 0.0)
        figures |= {name: len(own), f"{name}, ms": middle, f"{name}, slow ms": slow}
    return figures
