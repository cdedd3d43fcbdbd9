"""ModelsFolder: which encoders' weights are here, and bringing, adding and removing them in the background."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from boxrefine_gui.lanes.lane import QueueLane
from boxrefine_gui.operations import opening
from boxrefine_gui.operations.box_verbs import Cancellable, Parts
from boxrefine_gui.operations.job import LongJob, Outcome
from core.encoders.traits import SHIPPED, TRAITS, title_of
from core.encoders.weights.published import find_weights
from core.progress import Job, Progress

_HOW_TO_USE = "choose Use this encoder, or the menu Model"


class ModelsFolder(QObject):
    """One job at a time; `here` are the encoders that can be used now, `busy_with` what the job is about."""

    changed = Signal()
    progressed = Signal(object)  # Progress
    said = Signal(str)  # how the last job ended; empty when another begins

    def __init__(self, parts: Parts, lane: QueueLane) -> None:
        super().__init__()
        self._parts = parts
        self._lane = lane
        self._job: LongJob | None = None
        self.here: frozenset[str] = frozenset(SHIPPED)
        self.busy_with = ""

    def look(self) -> None:
        """See anew which weights are here."""
        self._parts.files.run(_found, on_done=self._looked)

    def use(self, name: str) -> None:
        """Change to another encoder."""
        opening.choose_models(self._parts, partial(replace, encoder=name, refine_by="auto"))

    def download(self, name: str) -> None:
        """Download and convert the published weights."""

        def start() -> Job[object]:
            from core.encoders.weights.model_folder import bring

            return bring(name)

        self._run(
            name,
            start,
            f"The weights of {title_of(name)} are here: {_HOW_TO_USE}.",
            log_as=f"download of the weights of {name}",
        )

    def add(self, name: str, path: Path) -> None:
        """Take in a file that the user has."""

        words = f"The weights of {title_of(name)} are here"

        def start() -> Job[str]:
            from core.encoders.weights.model_folder import add_file

            held = yield from add_file(name, path)
            whose = "" if held.official else "; they are not the published ones, so they are taken for your own"
            return f"{words}{whose}: {_HOW_TO_USE}."

        self._run(name, start, f"{words}: {_HOW_TO_USE}.", log_as=f"taking in weights of {name} from {path}")

    def remove(self, name: str) -> None:
        """Remove weights."""

        def job() -> int:
            from core.encoders.weights.model_folder import remove

            return remove(name)

        def done(freed: int) -> None:
            self.said.emit(f"The weights of {title_of(name)} are removed; {freed / 1e6:.0f} MB are free again.")
            self.look()

        self._lane.run(job, on_done=done)

    def cancel(self) -> None:
        """Stop the download; what came is kept, and the next one goes on from there."""
        if self._job is not None:
            self._job.cancel()

    def _run(self, name: str, start: Callable[[], Job[object]], sentence: str, *, log_as: str) -> None:
        if self.busy_with:
            return
        self.busy_with = name
        self.said.emit("")
        cancelled = Outcome(f"The download for {title_of(name)} was cancelled; the next one goes on from there.")
        self._job = LongJob(
            self._parts.session,
            title=title_of(name),
            log_as=log_as,
            watch=lambda: _Follower(self),
            cancelled=cancelled,
            on_end=self._ended,
            tell=lambda outcome: self.said.emit(outcome.sentence),
        )
        # The job may know better how it ended.
        self._job.run(
            self._lane, start, on_done=lambda result: Outcome(result if isinstance(result, str) else sentence)
        )

    def _ended(self) -> None:
        self.busy_with, self._job = "", None
        self.changed.emit()
        self.look()

    def _looked(self, here: frozenset[str]) -> None:
        self.here = here
        self.changed.emit()


class _Follower:
    """Shows the job in the dialog of the encoders, which has the button to cancel it."""

    def __init__(self, folder: ModelsFolder) -> None:
        self._folder = folder

    def started(self, title: str, ticket: Cancellable) -> None:
        """The dialog shows what the folder is busy with."""
        self._folder.changed.emit()

    def progressed(self, progress: Progress) -> None:
        """How far it is."""
        self._folder.progressed.emit(progress)

    def ended(self) -> None:
        """The folder itself says so, once it is no longer busy."""


def _found() -> frozenset[str]:
    """Files lane."""
    return frozenset(SHIPPED) | {traits.name for traits in TRAITS if find_weights(traits.name) is not None}
