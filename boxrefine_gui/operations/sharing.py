"""Divide the open project into shares for several people: copied on the store lane, divided on the export lane."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from boxrefine_gui.operations.clauses import list_of, sentence_of
from boxrefine_gui.operations.job import LongJob, Outcome
from boxrefine_gui.operations.parts import JobWatcher, Parts
from core.files import PROJECT_FILE_NAME
from core.formats.choices import NONE
from core.progress import Job
from core.translation import tr, tr_plural

if TYPE_CHECKING:
    from core.merging.shares import Share
    from core.store.project_store import ProjectStore


@dataclass(frozen=True)
class ShareChoice:
    """Whom the project is divided among, and where the folders of the shares go.

    `people` are names; `overlap` is the fraction of each share that a second person labels, too; `pictures` is one of
    `core.formats.choices.PICTURES`.
    """

    people: Sequence[str]
    out: Path
    overlap: float = 0.0
    pictures: str = NONE


def make_shares(parts: Parts, choice: ShareChoice, *, watch: Callable[[], JobWatcher]) -> None:
    """Make the shares, while the user goes on labelling; what is accepted meanwhile is in none of them."""
    project = parts.session.project_path
    if project is None:
        return
    folder = tempfile.TemporaryDirectory(prefix=".boxrefine-", ignore_cleanup_errors=True)
    copy = Path(folder.name, PROJECT_FILE_NAME)
    job = LongJob(
        parts.session,
        title=tr("Dividing the project"),
        log_as=f"shares in {choice.out}",  # untranslated: a name in the log
        watch=watch,
        cancelled=Outcome(tr("The division was cancelled; shares that were complete are in {path}.", path=choice.out)),
        on_end=folder.cleanup,
    )

    def start() -> Job[list[Share]]:
        from core.merging.shares import share_copy

        return share_copy(copy, project, choice.people, choice.out, overlap=choice.overlap, pictures=choice.pictures)

    def divide(_: None) -> None:
        if job.is_wanted:
            job.run(parts.exports, start, on_done=partial(_report, choice))
        else:
            job.give_up()

    def save(store: ProjectStore) -> None:
        store.copy_to(copy)

    parts.store.run(save, on_done=divide, on_error=job.fail)


def _report(choice: ShareChoice, made: Sequence[Share]) -> Outcome:
    shares = [tr("{name} has {images}", name=each.name, images=_images(each.pictures)) for each in made]
    twice = sum(each.twice for each in made) // 2
    also = tr_plural("{count} of them twice", "{count} of them twice", twice) if twice else ""
    told = tr("The shares are in {path}: {list}", path=choice.out, list=list_of(shares))
    return Outcome(sentence_of([told, also]), counts={"shares": len(made)})


def _images(count: int) -> str:
    return tr_plural("{count} image", "{count} images", count)
