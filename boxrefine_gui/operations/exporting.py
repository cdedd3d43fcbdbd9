"""Export: ask before files are replaced, then write them on the export lane."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from boxrefine_gui.operations.box_verbs import JobWatcher, Parts
from boxrefine_gui.operations.clauses import sentence_of
from boxrefine_gui.operations.job import LongJob, Outcome
from core.formats.choices import NONE, Splits
from core.progress import Job
from core.records import Dataset
from core.translation import tr, tr_plural

if TYPE_CHECKING:
    from core.formats import ExportSummary
    from core.settings import Settings

NOT_EXPORTED = tr("Nothing was exported; the files that are there stay as they are.")


@dataclass(frozen=True)
class ExportChoice:
    """What to write where.

    `outlines` includes those of masks, `unchecked` unreviewed boxes, `untouched` images that have no boxes and are not
    done; `done` leaves out images that are not done. `category` is the name of the only one to write, empty for all.
    `renamed` is as `--map` of the command line has it. `splits` is a division such as 0.8/0.1/0.1, empty to keep the
    splits that folders are, and `pictures` one of `core.formats.choices.PICTURES`.
    """

    format: str
    out: Path
    outlines: bool = False
    unchecked: bool = False
    untouched: bool = False
    done: bool = False
    category: str = ""
    renamed: str = ""
    splits: str = ""
    pictures: str = NONE


def last_choice(settings: Settings, out: Path) -> ExportChoice:
    """The choice of the last export, with the folder `out`."""
    return ExportChoice(
        settings.export_format,
        out,
        done=settings.export_done,
        splits=settings.export_splits,
        pictures=settings.export_pictures,
    )


def remembered(choice: ExportChoice, settings: Settings) -> Settings:
    """The settings with what `last_choice` reads."""
    return replace(
        settings,
        export_format=choice.format,
        export_done=choice.done,
        export_splits=choice.splits,
        export_pictures=choice.pictures,
    )


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

    parts.store.run_steps(lambda project: project.dataset_steps(), on_done=plan)


@dataclass(frozen=True)
class _Plan:
    """The boxes to write, the existing files that would be replaced, and how many unreviewed boxes are left out."""

    dataset: Dataset
    splits: Splits
    existing: list[PurePosixPath]
    left_out: int


def _plan(dataset: Dataset, choice: ExportChoice) -> _Plan:
    """Files lane: select the boxes and find existing files."""
    from core.formats import files_there
    from core.formats.selection import Selection, parse_map, select
    from core.formats.splitting import divide, parse_fractions, splits_of_folders

    wanted = Selection(
        unchecked=choice.unchecked,
        untouched=choice.untouched,
        done=choice.done,
        categories=(choice.category,) if choice.category else (),
    )
    selected = select(dataset, parse_map([choice.renamed] if choice.renamed else [], wanted))
    fractions = parse_fractions(choice.splits) if choice.splits else None
    splits = divide(selected.dataset, fractions) if fractions else splits_of_folders(selected.dataset)
    there = files_there(selected.dataset, format=choice.format, out=choice.out, splits=splits, pictures=choice.pictures)
    return _Plan(selected.dataset, splits, there, selected.unchecked)


def _write(parts: Parts, choice: ExportChoice, plan: _Plan, watch: Callable[[], JobWatcher]) -> None:
    dataset = plan.dataset

    def start() -> Job[ExportSummary]:
        from core.formats import export as write

        return write(
            dataset,
            format=choice.format,
            out=choice.out,
            outlines=choice.outlines,
            splits=plan.splits,
            pictures=choice.pictures,
        )

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
        "{count} suggestion that nobody has accepted yet is left out",
        "{count} suggestions that nobody has accepted yet are left out",
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
    told = sentence_of([written, rest if left_out else ""])
    return " ".join([told, *summary.notes])
