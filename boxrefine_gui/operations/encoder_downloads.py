"""ModelsFolder: which encoders' weights are installed; download, add and remove them in the background."""

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
from core.translation import tr


class ModelsFolder(QObject):
    """Runs one job at a time; `here` are the installed encoders, `busy_with` is the encoder of the running job."""

    changed = Signal()
    progressed = Signal(object)  # Progress
    said = Signal(str)  # how the last job ended; empty when the next one begins

    def __init__(self, parts: Parts, lane: QueueLane) -> None:
        super().__init__()
        self._parts = parts
        self._lane = lane
        self._job: LongJob | None = None
        self.here: frozenset[str] = frozenset(SHIPPED)
        self.busy_with = ""

    def look(self) -> None:
        """Check which weights are installed."""
        self._parts.files.run(_find_installed, on_done=self._show)

    def use(self, name: str) -> None:
        """Change to another encoder."""
        opening.choose_models(self._parts, partial(replace, encoder=name, refine_by="auto"))

    def download(self, name: str) -> None:
        """Download and convert the published weights."""

        def start() -> Job[object]:
            from core.encoders.weights.model_folder import bring

            return bring(name)

        self._run(name, start, log_as=f"download of the weights of {name}")  # untranslated: a name in the log

    def add(self, name: str, path: Path) -> None:
        """Install weights from a file of the user."""

        def start() -> Job[str]:
            from core.encoders.weights.model_folder import add_file

            held = yield from add_file(name, path)
            return _installed(name) if held.official else _installed_own(name)

        self._run(name, start, log_as=f"taking in weights of {name} from {path}")  # untranslated: a name in the log

    def remove(self, name: str) -> None:
        """Remove weights."""

        def job() -> int:
            from core.encoders.weights.model_folder import remove

            return remove(name)

        def done(freed: int) -> None:
            self.said.emit(
                tr(
                    "The weights of {encoder} are removed; {megabytes} MB are free again.",
                    encoder=title_of(name),
                    megabytes=f"{freed / 1e6:.0f}",
                )
            )
            self.look()

        self._lane.run(job, on_done=done)

    def cancel(self) -> None:
        """Stop the download; the next one resumes it."""
        if self._job is not None:
            self._job.cancel()

    def _run(self, name: str, start: Callable[[], Job[object]], *, log_as: str) -> None:
        """Run a job; if it returns a text, report that text at its end."""
        if self.busy_with:
            return
        self.busy_with = name
        self.said.emit("")
        cancelled = Outcome(
            tr("The download for {encoder} was cancelled; the next one goes on from there.", encoder=title_of(name))
        )
        self._job = LongJob(
            self._parts.session,
            title=title_of(name),
            log_as=log_as,
            watch=lambda: _Follower(self),
            cancelled=cancelled,
            on_end=self._clean_up,
            tell=lambda outcome: self.said.emit(outcome.sentence),
        )
        self._job.run(
            self._lane, start, on_done=lambda result: Outcome(result if isinstance(result, str) else _installed(name))
        )

    def _clean_up(self) -> None:
        self.busy_with, self._job = "", None
        self.changed.emit()
        self.look()

    def _show(self, here: frozenset[str]) -> None:
        self.here = here
        self.changed.emit()


class _Follower:
    """Forwards a job's progress to the dialog of the encoders, which has the button to cancel it."""

    def __init__(self, folder: ModelsFolder) -> None:
        self._folder = folder

    def started(self, title: str, ticket: Cancellable) -> None:
        """Let the dialog read `busy_with`."""
        self._folder.changed.emit()

    def progressed(self, progress: Progress) -> None:
        """Forward it."""
        self._folder.progressed.emit(progress)

    def ended(self) -> None:
        """Do nothing: the folder itself emits `changed` once it is no longer busy."""


def _installed(name: str) -> str:
    return tr("The weights of {encoder} are here: choose Use this encoder, or the menu Model.", encoder=title_of(name))


def _installed_own(name: str) -> str:
    return tr(
        "The weights of {encoder} are here; they are not the published ones, so they are taken for your own: choose "
        "Use this encoder, or the menu Model.",
        encoder=title_of(name),
    )


def _find_installed() -> frozenset[str]:
    """Files lane: return the names of the encoders that can be used."""
    return frozenset(SHIPPED) | {traits.name for traits in TRAITS if find_weights(traits.name) is not None}
