"""The verb that exports: what would be replaced is asked about first, then the files are written on the export lane."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from boxrefine_gui.operations.box_verbs import JobWatcher, Parts
from boxrefine_gui.operations.job import LongJob, Outcome
from core.progress import Job
from core.records import Dataset

if TYPE_CHECKING:
    from core.formats import ExportSummary

NOT_EXPORTED = "Nothing was exported; the files that are there stay as they are."


@dataclass(frozen=True)
class ExportChoice:
    """What to write where; `outlines`: those of masks too, `unchecked`: boxes too that nobody has said yes to."""

    format: str
    out: Path
    outlines: bool = False
    unchecked: bool = False


AskToReplace = Callable[[ExportChoice, list[PurePosixPath], Callable[[], None]], None]
"""Asks whether the files of these names, below the folder of the choice, may be replaced, and calls only if so."""


def export(parts: Parts, choice: ExportChoice, *, watch: Callable[[], JobWatcher], ask: AskToReplace) -> None:
    """Write the boxes of the project, while accepting goes on; first ask where files would be replaced."""

    def read(dataset: Dataset) -> None:
        parts.files.run(partial(_look, dataset, choice), on_done=looked)

    def looked(found: _Looked) -> None:
        write = partial(_write, parts, choice, found, watch)
        if found.there:
            ask(choice, found.there, write)
        else:
            write()

    parts.store.run(lambda project: project.dataset(), on_done=read)


@dataclass(frozen=True)
class _Looked:
    """What is to be written, which of its files are there already, and how many boxes still to check are left out."""

    dataset: Dataset
    there: list[PurePosixPath]
    left_out: int


def _look(dataset: Dataset, choice: ExportChoice) -> _Looked:
    """Files lane."""
    from core.formats import files_there

    wanted = dataset if choice.unchecked else dataset.accepted()
    left_out = len(dataset.corrections) - len(wanted.corrections)
    return _Looked(wanted, files_there(wanted, format=choice.format, out=choice.out), left_out)


def _write(parts: Parts, choice: ExportChoice, found: _Looked, watch: Callable[[], JobWatcher]) -> None:
    dataset = found.dataset

    def start() -> Job[ExportSummary]:
        from core.formats import export as write

        return write(dataset, format=choice.format, out=choice.out, outlines=choice.outlines)

    def done(summary: ExportSummary) -> Outcome:
        boxes = "1 box" if summary.boxes == 1 else f"{summary.boxes} boxes"
        images = "1 image" if summary.images == 1 else f"{summary.images} images"
        where = images if summary.boxed == summary.images else f"{summary.boxed} of {images}"
        left = "1 box" if found.left_out == 1 else f"{found.left_out} boxes"
        are = "is" if found.left_out == 1 else "are"
        rest = f"; {left} that nobody has accepted yet {are} left out" if found.left_out else ""
        counts = {"boxes": summary.boxes, "images": summary.images, "left_out": found.left_out}
        return Outcome(f"{boxes} on {where} written to {summary.path}{rest}.", counts=counts)

    cancelled = Outcome("The export was cancelled; nothing was written.")
    job = LongJob(
        parts.session,
        title=f"Writing to {choice.out}",
        log_as=f"export as {choice.format} to {choice.out}",
        watch=watch,
        cancelled=cancelled,
    )
    job.run(parts.exports, start, on_done=done)
