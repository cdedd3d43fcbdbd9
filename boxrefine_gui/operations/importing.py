"""Import of annotations: read on the export lane, stored on the store lane, reported in one sentence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from boxrefine_gui.operations.box_verbs import JobWatcher, Parts, apply_widely
from boxrefine_gui.operations.clauses import clause_of, sentence_of
from boxrefine_gui.operations.job import LongJob, Outcome
from boxrefine_gui.state.doing import Scan, ScanKind
from boxrefine_gui.state.level import Level
from boxrefine_gui.state.project_view import StoreView, touched_steps
from core.progress import Job
from core.records import Changes
from core.translation import tr, tr_plural

if TYPE_CHECKING:
    from core.formats.importers.found import FoundBoxes
    from core.store.project_store import ProjectStore

SUFFIXES = (".json", ".xml", ".yaml", ".yml", ".txt", ".csv", ".tsv", ".zip")
"""Suffixes of annotation files."""

NO_PROJECT = tr("There is nothing to import into yet: open the folder of the pictures first.")
STILL_READING = tr("The folder is still being read: import when the status bar no longer says so.")


@dataclass(frozen=True)
class _Imported:
    """Result of an import: number of new boxes, new categories, and what has changed."""

    new: int
    categories: tuple[str, ...]
    changes: Changes


def import_boxes(parts: Parts, path: Path, *, watch: Callable[[], JobWatcher]) -> None:
    """Import an annotation file or folder into the open project, as unreviewed boxes; one undo step."""
    session = parts.session
    project = session.project_path
    if project is None or session.scan is not None:
        session.tell(NO_PROJECT if project is None else STILL_READING)
        return
    images = tuple(image for image in session.images if image.id > 0)
    folder = session.folder if session.folder is not None else project.parent

    chosen = session.settings.voc_origin
    origin = int(chosen) if chosen.isdecimal() else None

    def start() -> Job[FoundBoxes]:
        from core.formats.importing import find_boxes

        return find_boxes(path, images, folder=folder, voc_origin=origin)

    _Import(parts, path).run(start, watch=watch)


class _Import:
    """A running import: the export lane reads the file, then the store lane stores its boxes."""

    def __init__(self, parts: Parts, path: Path) -> None:
        self._parts, self._path = parts, path
        self._scan = Scan(ScanKind.IMPORTING, path.name)

    def run(self, start: Callable[[], Job[FoundBoxes]], *, watch: Callable[[], JobWatcher]) -> None:
        """Read the file, store its boxes, report. While they are being stored it cannot be cancelled, only undone."""
        name = self._path.name
        job = LongJob(
            self._parts.session,
            title=tr("Reading {file}", file=name),
            log_as=f"import from {self._path}",  # untranslated: a name in the log
            watch=watch,
            cancelled=Outcome(tr("The import of {file} was cancelled; the project is as it was.", file=name)),
            on_end=self._clean_up,
        )
        job.run(self._parts.exports, start, on_done=partial(self._store, job))
        self._parts.session.set_scan(self._scan)

    def _store(self, job: LongJob, found: FoundBoxes) -> None:
        """Store the boxes of the file, unless another project was opened meanwhile."""
        if not job.is_wanted:
            job.give_up()
            return

        def store(project: ProjectStore) -> Job[_Imported]:
            before = {entry.name for entry in project.categories()}
            new, changes = yield from project.import_steps(
                found.boxes, file=self._path.name, categories=found.categories, sources=found.sources
            )
            added = tuple(entry.name for entry in project.categories() if entry.name not in before)
            return _Imported(new, added if before else (), changes)

        self._parts.store.run_steps(
            store, on_done=partial(self._read_back, job, found), on_error=job.fail, on_progress=job.progressed
        )

    def _read_back(self, job: LongJob, found: FoundBoxes, imported: _Imported) -> None:
        self._parts.store.run_steps(
            partial(touched_steps, changes=imported.changes),
            on_done=partial(self._report, job, found, imported),
            on_error=job.fail,
        )

    def _report(self, job: LongJob, found: FoundBoxes, imported: _Imported, view: StoreView) -> None:
        apply_widely(self._parts, view)
        next_key = self._parts.session.keys.get("next_to_check", "")
        sentence = words_on(
            self._path,
            found,
            new=imported.new,
            images=len(imported.changes.image_ids),
            categories=imported.categories,
            next_key=next_key,
        )
        left_out = len(found.missing) + found.defects.total
        counts = {"boxes": imported.new, "images": len(imported.changes.image_ids), "left_out": left_out}
        job.end(Outcome(sentence, Level.WARNING if left_out else Level.INFO, counts))

    def _clean_up(self) -> None:
        if self._parts.session.scan is self._scan:
            self._parts.session.set_scan(None)


def words_on(path: Path, found: FoundBoxes, *, new: int, images: int, categories: Sequence[str], next_key: str) -> str:
    """Describe in one sentence what was imported, with which new categories, and what was left out."""
    held = len(found.boxes) - new
    clauses = [_imported(path.name, new, images) if new else tr("No box of {file} was imported", file=path.name)]
    if held:
        clauses.append(
            tr_plural("{count} of its boxes was here already", "{count} of its boxes were here already", held)
        )
    if found.missing:
        clauses.append(
            tr_plural(
                "its picture {picture} is not in this folder",
                "{count} of its pictures are not in this folder, the first is {picture}",
                len(found.missing),
                picture=found.missing[0],
            )
        )
    if found.problems:
        count, first = found.defects.total, clause_of(found.problems[0]).replace(str(path), path.name)
        all_of_them = tr_plural("{count} error: {first}", "{count} errors, the first: {first}", count, first=first)
        clauses.append(first if count == 1 else all_of_them)
    if new and next_key and len(clauses) == 1:
        clauses.append(tr("{key} goes to the first one to check", key=next_key))
    if categories:
        clauses.append(
            tr_plural(
                "the category {first} is new here",
                "{count} categories are new here, the first is {first}",
                len(categories),
                first=categories[0],
            )
        )
    clauses += [clause_of(note) for note in found.notes[:1]]
    return sentence_of(clauses)


def _imported(file: str, boxes: int, images: int) -> str:
    return tr(
        "{boxes} on {images} imported from {file}",
        boxes=tr_plural("{count} box", "{count} boxes", boxes),
        images=tr_plural("{count} image", "{count} images", images),
        file=file,
    )
