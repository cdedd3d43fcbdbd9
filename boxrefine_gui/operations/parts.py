"""Parts: the session, the lanes and the services that operations use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from boxrefine_gui.inference.choices import Choices
from boxrefine_gui.inference.live_refine import LiveRefine
from boxrefine_gui.lanes.lane import QueueLane
from boxrefine_gui.lanes.store_lane import StoreLane
from boxrefine_gui.state.loaded_models import Models
from boxrefine_gui.state.session import Session
from core.progress import Progress
from core.settings import Settings


@dataclass(frozen=True)
class Parts:
    """The session, the lanes and the services that operations use; app.py builds it once."""

    session: Session
    store: StoreLane
    files: QueueLane
    encode: QueueLane
    exports: QueueLane
    live: LiveRefine
    choices: Choices
    load_models: Callable[[Settings], Models]
    settings_file: Path


class Cancellable(Protocol):
    """A long job that can be cancelled."""

    def cancel(self) -> None: ...


class JobWatcher(Protocol):
    """View of a long job, which offers to cancel it."""

    def started(self, title: str, ticket: Cancellable) -> None: ...

    def progressed(self, progress: Progress) -> None: ...

    def ended(self) -> None: ...
