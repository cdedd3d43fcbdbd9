"""Export: ask before files are replaced, then write them on the export lane."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from boxrefine_gui.operations.box_verbs import JobWatcher, Parts
from boxrefine_gui.operations.clauses import sentence_of
from boxrefine_gui.operations.job import LongJob, Outcome
from core.progress import Job
from core.records import Dataset
from core.translation import tr, tr_plural

if TYPE_CHECKING:
    from core.formats import ExportSummary

NOT_EXPORTED = tr("Nothing was exported; the files that are there stay as they are.")


@dataclass(frozen=True)
class ExportChoice:
    """What to write where.

    `outlines` includes those of masks, `unchecked` unreviewed boxes, `untouched` images that have no boxes and are not
    done.
    """

    format: str
    out: Path
    outlines: bool = False
    unchecked: bool = False
    untouched: bool = False


AskToReplace = Callable[[ExportChoice, list[PurePosixPath], Callable[[], None]], None]
"""Asks whether the files of these names in the chosen folder may be replaced, and calls the function only if so."""


def export(parts: Parts, choice: ExportChoice, *, watch: Callable[[], JobWatcher], ask: AskToReplace) -> None:
    """Write a snapshot of the project's boxes, while the user goes on accepting; first `ask` to replace files."""

    def plan(dataset: Dataset) -> None:
        parts.files.run(partial(_plan, dataset, choice), on_done=ask_or_write)

    def ask_or_write(found: _Plan) -> None:
        write = partial(_write, parts, choice, found, watch)
        if found.existing:
            ask(choice, found.existing, write)
        else:
            write()

    parts.store.run(lambda project: project.dataset(), on_done=plan)


@dataclass(frozen=True)
class _Plan:
    """The boxes to write, the existing files that would be replaced, and how many unreviewed boxes are left out."""

    dataset: Dataset
    existing: list[PurePosixPath]
    left_out: int


def _plan(dataset: Dataset, choice: ExportChoice) -> _Plan:
    """Files lane: select the boxes and find existing files."""
    from core.formats import files_there

    boxes = dataset if choice.unchecked else dataset.accepted()
    wanted = boxes if choice.untouched else boxes.labelled()
    left_out = len(dataset.corrections) - len(wanted.corrections)
    return _Plan(wanted, files_there(wanted, format=choice.format, out=choice.out), left_out)


def _write(parts: Parts, choice: ExportChoice, plan: _Plan, watch: Callable[[], JobWatcher]) -> None:
    dataset = plan.dataset

    def start() -> Job[ExportSummary]:
        from core.formats import export as write

        return write(dataset, format=choice.format, out=choice.out, outlines=choice.outlines)

    def done(summary: ExportSummary) -> Outcome:
        counts = {"boxes": summary.boxes, "images": summary.images, "left_out": plan.left_out}
        return Outcome(words_on(summary, left_out=plan.left_out), counts=counts)

    job = LongJob(
        parts.session,
        title=tr("Writing to {folder}", folder=choice.out),
        log_as=f"export as {choice.format} to {choice.out}",  # untranslated: a name in the log
        watch=watch,
        cancelled=Outcome(tr("The export was cancelled; nothing was written.")),
    )
    job.run(parts.exports, start, on_done=done)


def words_on(summary: ExportSummary, *, left_out: int) -> str:
    """Describe an export in one sentence; `left_out` is the number of unreviewed boxes that it lacks."""
    boxes = tr_plural("{count} box", "{count} boxes", summary.boxes)
    images = tr_plural("{count} image", "{count} images", summary.boxed)
    rest = tr_plural(
        "{count} box that nobody has accepted yet is left out",
        "{count} boxes that nobody has accepted yet are left out",
        left_out,
    )
    if summary.boxed == summary.images:
        written = tr("{boxes} on {images} written to {path}", boxes=boxes, images=images, path=summary.path)
    else:
        written = tr_plural(
            "{boxes} on {images}, and {count} image without boxes, written to {path}",
            "{boxes} on {images}, and {count} images without boxes, written to {path}",
            summary.images - summary.boxed,
            boxes=boxes,
            images=images,
            path=summary.path,
        )
    return sentence_of([written, rest if left_out else ""])
