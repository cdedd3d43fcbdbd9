"""The verb that imports annotations: read on the export lane, stored on the store lane, told in one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from boxrefine_gui.lanes.lane import Ticket
from boxrefine_gui.operations.box_verbs import JobWatcher, Parts, apply_widely
from boxrefine_gui.state.doing import Scan, ScanKind
from boxrefine_gui.state.project_view import StoreView, read_touched
from core.errors import BadInputError
from core.log import JobLog
from core.progress import Job

if TYPE_CHECKING:
    from core.formats.importers.found import FoundBoxes
    from core.store.project_store import ProjectStore

SUFFIXES = (".json", ".xml", ".yaml", ".yml", ".txt")
"""What files of annotations end with."""

NO_PROJECT = "There is nothing to import into yet: open the folder of the pictures first."
STILL_READING = "The folder is still being read: import when the status bar no longer says so."


@dataclass(frozen=True)
class _Imported:
    """What came of an import."""

    new: int
    images: int
    view: StoreView


def import_boxes(parts: Parts, path: Path, *, watch: JobWatcher) -> None:
    """Bring the boxes of an annotation file into the open project, as boxes to check; one undo step."""
    session = parts.session
    project = session.project_path
    if project is None or session.scan is not None:
        watch.ended()
        session.tell(NO_PROJECT if project is None else STILL_READING)
        return
    images = tuple(image for image in session.images if image.id > 0)
    folder = session.folder if session.folder is not None else project.parent

    def start() -> Job[FoundBoxes]:
        from core.formats.importing import find_boxes

        return find_boxes(path, images, folder=folder)

    job = _Import(parts, path, project, watch)
    job.ticket = parts.exports.run_steps(
        start, on_done=job.found, on_error=job.failed, on_progress=watch.progressed, on_cancel=job.cancelled
    )
    watch.started(f"Reading {path.name}", job)
    session.set_scan(job.scan)


class _Import:
    """One import under way."""

    def __init__(self, parts: Parts, path: Path, project: Path, watch: JobWatcher) -> None:
        self._parts, self._path, self._project, self._watch = parts, path, project, watch
        self.scan = Scan(ScanKind.IMPORTING, path.name)
        self._log = JobLog(f"import from {path}")
        self.ticket: Ticket | None = None
        self._is_wanted = True

    def cancel(self) -> None:
        """Give it up; once it is being stored, undo is the way back."""
        self._is_wanted = False
        if self.ticket is not None:
            self.ticket.cancel()

    def found(self, found: FoundBoxes) -> None:
        """The file has been read; now it is stored, unless another project was opened meanwhile."""
        if not self._is_wanted or self._parts.session.project_path != self._project:
            self.cancelled()
            return

        def job(project: ProjectStore) -> _Imported:
            new, changes = project.import_boxes(found.boxes, file=self._path.name)
            return _Imported(new, len(changes.image_ids), read_touched(project, changes))

        self._parts.store.run(job, on_done=partial(self._stored, found), on_error=self.failed)

    def _stored(self, found: FoundBoxes, imported: _Imported) -> None:
        self._end()
        left_out = len(found.missing) + len(found.problems)
        self._log.done(boxes=imported.new, images=imported.images, left_out=left_out)
        session = self._parts.session
        apply_widely(self._parts, imported.view)
        sentence = words_on(
            self._path, found, new=imported.new, images=imported.images, next_key=session.keys.get("next_to_check", "")
        )
        if found.missing or found.problems:
            session.report(BadInputError(sentence))  # it stays until it is closed
        else:
            session.tell(sentence)

    def failed(self, error: Exception) -> None:
        """The file cannot be read, or nothing can be stored."""
        self._end()
        self._log.failed(error)
        self._parts.session.report(error)

    def cancelled(self) -> None:
        """Nothing has been stored yet."""
        self._end()
        self._log.cancelled()
        self._parts.session.tell(f"The import of {self._path.name} was cancelled; the project is as it was.")

    def _end(self) -> None:
        self._watch.ended()
        if self._parts.session.scan is self.scan:
            self._parts.session.set_scan(None)


def words_on(path: Path, found: FoundBoxes, *, new: int, images: int, next_key: str) -> str:
    """One sentence on what came in and what did not."""
    held = len(found.boxes) - new
    came = f"{_count(new, 'box')} on {_count(images, 'image')} imported from {path.name}"
    parts = [came if new else f"No box of {path.name} was imported"]
    if held:
        parts.append(f"{held} of its boxes {'was' if held == 1 else 'were'} here already")
    if len(found.missing) == 1:
        parts.append(f"its picture {found.missing[0]} is not in this folder")
    elif found.missing:
        parts.append(f"{len(found.missing)} of its pictures are not in this folder, the first is {found.missing[0]}")
    if found.problems:
        first = found.problems[0].rstrip(".").replace(str(path), path.name)
        parts.append(first if len(found.problems) == 1 else f"{len(found.problems)} faults, the first: {first}")
    if new and next_key and len(parts) == 1:
        parts.append(f"{next_key} goes to the first one to check")
    return "; ".join(parts) + "."


def _count(number: int, noun: str) -> str:
    plural = {"box": "boxes", "image": "images"}[noun]
    return f"{number} {noun if number == 1 else plural}"
