"""Merge other projects into the open one: read on the export lane, stored on the store lane, one undo step each."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from boxrefine_gui.operations.box_verbs import apply_widely
from boxrefine_gui.operations.clauses import sentence_of
from boxrefine_gui.operations.importing import STILL_READING
from boxrefine_gui.operations.job import LongJob, Outcome
from boxrefine_gui.operations.parts import Cancellable, JobWatcher, Parts
from boxrefine_gui.state.doing import Scan, ScanKind
from boxrefine_gui.state.level import Level
from boxrefine_gui.state.project_view import StoreView, touched_steps
from core.errors import BadInputError
from core.progress import Job
from core.translation import tr, tr_plural

if TYPE_CHECKING:
    from core.merging.merge import Candidate, Merged
    from core.store.project_store import ProjectStore

T = TypeVar("T")


def merge_projects(parts: Parts, paths: Sequence[Path], *, watch: Callable[[], JobWatcher]) -> None:
    """Merge projects into the open one, one after the other; each is one undo step, and is reported in one sentence."""
    session = parts.session
    if session.project_path is None or not paths:
        return
    if session.scan is not None:
        session.tell(STILL_READING)
        return
    _Merge(parts, paths[0], watch=watch, then=partial(merge_projects, parts, paths[1:], watch=watch)).run()


class _Merge:
    """The merge of one project; `then` begins the next one, unless the user cancels."""

    def __init__(self, parts: Parts, path: Path, *, watch: Callable[[], JobWatcher], then: Callable[[], None]) -> None:
        self._parts, self._path, self._then = parts, path, then
        self._scan = Scan(ScanKind.IMPORTING, path.name)
        self._folder = tempfile.TemporaryDirectory(prefix=".boxrefine-", ignore_cleanup_errors=True)
        self._ticket: Cancellable | None = None
        self._is_stopped = False  # read by the store lane between its steps
        self._job = LongJob(
            parts.session,
            title=tr("Merging {name}", name=path.name),
            log_as=f"merge of {path}",  # untranslated: a name in the log
            watch=watch,
            cancelled=Outcome(tr("The merge of {file} was cancelled; nothing of it is here.", file=path.name)),
            on_end=self._clean_up,
            on_cancel=self._cancel,
        )

    def run(self) -> None:
        """Copy and compare on the export lane, merge on the store lane, report."""
        session = self._parts.session
        images = tuple(image for image in session.images if image.id > 0)
        project, path, folder = session.project_path, self._path, Path(self._folder.name)
        if project is None:
            return
        ours = session.folder if session.folder is not None else project.parent

        def start() -> Job[Candidate]:
            from core.merging.merge import prepare_candidate
            from core.merging.pictures import Project

            if path.resolve() == project.resolve():
                raise BadInputError(tr("{file} is the project that is open: choose another one.", file=path))
            return prepare_candidate(path, folder, here=Project(images, [ours]))

        self._job.begin()
        session.set_scan(self._scan)
        self._ticket = self._parts.exports.run_steps(
            start,
            on_done=partial(self._store, project),
            on_error=self._job.fail,
            on_progress=self._job.progressed,
            on_cancel=self._job.give_up,
        )

    def _store(self, path: Path, candidate: Candidate) -> None:
        if not self._job.is_wanted:
            self._job.give_up()
            return

        def store(project: ProjectStore) -> Job[Merged | None]:
            from core.merging.merge import How, merge_candidate
            from core.store.project_file import project_name

            merging = merge_candidate(project, candidate, ours=project_name(path), how=How())
            return (yield from _while_wanted(merging, lambda: not self._is_stopped))

        self._parts.store.run_steps(
            store, on_done=self._read_back, on_error=self._job.fail, on_progress=self._job.progressed
        )

    def _read_back(self, merged: Merged | None) -> None:
        if merged is None:
            self._job.give_up()
            return
        self._parts.store.run_steps(
            partial(touched_steps, changes=merged.changes),
            on_done=partial(self._report, merged),
            on_error=self._job.fail,
        )

    def _report(self, merged: Merged, view: StoreView) -> None:
        session = self._parts.session
        apply_widely(self._parts, view)
        counts = {"pictures": merged.shared, "new": merged.new, "boxes": merged.boxes, "conflicts": merged.conflicts}
        level = Level.WARNING if merged.conflicts or merged.by_name else Level.INFO
        self._job.end(Outcome(words_on(merged, session.keys.get("next_to_fix", "")), level, counts))

    def _cancel(self) -> None:
        self._is_stopped = True
        if self._ticket is not None:
            self._ticket.cancel()

    def _clean_up(self) -> None:
        self._folder.cleanup()
        if self._parts.session.scan is self._scan:
            self._parts.session.set_scan(None)
        if self._job.is_wanted:
            self._then()


def _while_wanted(job: Job[T], is_wanted: Callable[[], bool]) -> Job[T | None]:
    """A job that is closed before its next step as soon as `is_wanted` is false; then it returns None."""
    with closing(job):
        while is_wanted():
            try:
                progress = next(job)
            except StopIteration as end:
                result: T = end.value
                return result
            yield progress
    return None


def words_on(merged: Merged, next_key: str) -> str:
    """Describe a merge in one sentence: pictures, boxes, agreement, and what is left to do."""
    kappa = merged.agreement.kappa
    clauses = [
        tr(
            "{name} is merged: {boxes}, {shared}, {new}",
            name=merged.name,
            boxes=tr_plural("{count} box", "{count} boxes", merged.boxes),
            shared=tr_plural("{count} image of both", "{count} images of both", merged.shared),
            new=tr_plural("{count} new image", "{count} new images", merged.new),
        ),
        tr("Cohen's kappa is {kappa}", kappa=f"{kappa:.2f}") if kappa is not None else "",
        tr_plural(
            "{count} picture is missing, and was found by its name alone",
            "{count} pictures are missing, and were found by their names alone",
            merged.by_name,
        )
        if merged.by_name
        else "",
        _conflicts(merged.conflicts, next_key),
    ]
    return sentence_of(clauses)


def _conflicts(count: int, next_key: str) -> str:
    if not count:
        return tr("there are no conflicts")
    told = tr_plural("{count} conflict is in the review", "{count} conflicts are in the review", count)
    return tr("{told}, {key} goes to the first one", told=told, key=next_key) if next_key else told
