"""The verb that imports annotations: read on the export lane, stored on the store lane, told in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from boxrefine_gui.operations.box_verbs import JobWatcher, Parts, apply_widely
from boxrefine_gui.operations.job import LongJob, Outcome
from boxrefine_gui.state.doing import Scan, ScanKind
from boxrefine_gui.state.level import Level
from boxrefine_gui.state.project_view import StoreView, read_touched
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


def import_boxes(parts: Parts, path: Path, *, watch: Callable[[], JobWatcher]) -> None:
    """Bring the boxes of an annotation file into the open project, as boxes to check; one undo step."""
    session = parts.session
    project = session.project_path
    if project is None or session.scan is not None:
        session.tell(NO_PROJECT if project is None else STILL_READING)
        return
    images = tuple(image for image in session.images if image.id > 0)
    folder = session.folder if session.folder is not None else project.parent

    def start() -> Job[FoundBoxes]:
        from core.formats.importing import find_boxes

        return find_boxes(path, images, folder=folder)

    _Import(parts, path).run(start, watch=watch)


class _Import:
    """One import under way: the file is read on the export lane, then stored on the store lane."""

    def __init__(self, parts: Parts, path: Path) -> None:
        self._parts, self._path = parts, path
        self._scan = Scan(ScanKind.IMPORTING, path.name)

    def run(self, start: Callable[[], Job[FoundBoxes]], *, watch: Callable[[], JobWatcher]) -> None:
        """Read, store, tell. Once it is being stored, it can be cancelled no more: undo is the way back."""
        cancelled = Outcome(f"The import of {self._path.name} was cancelled; the project is as it was.")
        job = LongJob(
            self._parts.session,
            title=f"Reading {self._path.name}",
            log_as=f"import from {self._path}",
            watch=watch,
            cancelled=cancelled,
            on_end=self._ended,
        )
        job.run(self._parts.exports, start, on_done=partial(self._found, job))
        self._parts.session.set_scan(self._scan)

    def _found(self, job: LongJob, found: FoundBoxes) -> None:
        """The file has been read; now it is stored, unless another project was opened meanwhile."""
        if not job.is_wanted:
            job.give_up()
            return

        def store(project: ProjectStore) -> _Imported:
            new, changes = project.import_boxes(found.boxes, file=self._path.name)
            return _Imported(new, len(changes.image_ids), read_touched(project, changes))

        self._parts.store.run(store, on_done=partial(self._stored, job, found), on_error=job.fail)

    def _stored(self, job: LongJob, found: FoundBoxes, imported: _Imported) -> None:
        apply_widely(self._parts, imported.view)
        next_key = self._parts.session.keys.get("next_to_check", "")
        sentence = words_on(self._path, found, new=imported.new, images=imported.images, next_key=next_key)
        left_out = len(found.missing) + len(found.problems)
        counts = {"boxes": imported.new, "images": imported.images, "left_out": left_out}
        job.end(Outcome(sentence, Level.WARNING if left_out else Level.INFO, counts))

    def _ended(self) -> None:
        if self._parts.session.scan is self._scan:
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
