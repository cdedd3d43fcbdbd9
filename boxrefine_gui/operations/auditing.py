"""Operations of the audit: look through the open project on the export lane, and repair what it finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from boxrefine_gui.operations.box_verbs import apply_widely
from boxrefine_gui.operations.job import LongJob, Outcome
from boxrefine_gui.operations.parts import JobWatcher, Parts
from boxrefine_gui.state.project_view import StoreView, read_touched
from core.geometry import Box
from core.progress import Job
from core.records import Dataset
from core.translation import tr, tr_plural

if TYPE_CHECKING:
    from core.audit.auditing import Audit
    from core.audit.finding import AuditFinding
    from core.store.project_store import ProjectStore


def audit_project(
    parts: Parts, *, watch: Callable[[], JobWatcher], on_done: Callable[[Audit], None], on_end: Callable[[], None]
) -> LongJob:
    """Look through the labels of the open project, and call `on_done` with what was found, then `on_end`.

    The refiner is asked about pictures whose features are in the cache: the export lane encodes nothing.
    """
    job = LongJob(
        parts.session,
        title=tr("Audit"),
        log_as="audit",  # untranslated: a name in the log
        watch=watch,
        cancelled=Outcome(tr("The audit was cancelled.")),
        on_end=on_end,
    )

    def look(dataset: Dataset) -> None:
        models = parts.session.models

        def start() -> Job[Audit]:
            from core.audit.auditing import audit

            if models is None:
                return audit(dataset)
            return audit(dataset, features_of=models.source.at_hand, refiner=models.refiner)

        def done(found: Audit) -> Outcome:
            if job.is_wanted:
                on_done(found)
            return Outcome(_words_on(found), counts={"findings": len(found.findings), "asked": found.answered})

        if job.is_wanted:
            job.run(parts.exports, start, on_done=done)
        else:
            job.give_up()

    parts.store.run_steps(lambda project: project.dataset_steps(), on_done=look, on_error=job.fail)
    return job


def _words_on(found: Audit) -> str:
    words = tr_plural("The audit has {count} finding.", "The audit has {count} findings.", len(found.findings))
    words = words if found.findings else tr("The audit found nothing.")
    if not found.answered:
        words += " " + tr("The refiner was not asked, so loose and shifted boxes are not among the findings.")
    return words


def repair(
    parts: Parts,
    findings: Sequence[AuditFinding],
    boxes: Mapping[int, Box],
    *,
    on_done: Callable[[Mapping[int, Box]], None],
) -> None:
    """Repair what the findings are about as one undo step; `boxes` (id -> box) are those that the audit saw.

    Boxes that have changed since stay. `on_done` gets the boxes that were moved, as they are now.
    """
    moved: dict[int, tuple[Box, Box]] = {}
    deleted: dict[int, Box] = {}
    for finding in findings:
        moved |= {id: (boxes[id], box) for id, box in finding.moves.items() if id in boxes and id not in moved}
        deleted |= {id: boxes[id] for id in finding.deletes if id in boxes}
    relabelled = {id: change for finding in findings for id, change in finding.relabels.items() if id not in deleted}
    total = len(moved.keys() | deleted.keys() | relabelled.keys())
    if not total:
        return

    def store(project: ProjectStore) -> tuple[int, StoreView]:
        repaired, changes = project.repair(moved, deleted, relabelled)
        return repaired, read_touched(project, changes)

    def done(result: tuple[int, StoreView]) -> None:
        repaired, view = result
        apply_widely(parts, view)
        parts.session.tell(_words_on_repair(repaired, total - repaired, parts.session.keys.get("undo", "")))
        on_done({id: after for id, (_, after) in moved.items()})

    parts.store.run(store, on_done=done, on_error=partial(_report, parts))


def _report(parts: Parts, error: Exception) -> None:
    parts.session.report(error)


def _words_on_repair(repaired: int, left: int, undo: str) -> str:
    words = tr_plural("Repaired {count} box.", "Repaired {count} boxes.", repaired)
    if left:
        words += " " + tr_plural(
            "{count} box has changed since the audit and stays.",
            "{count} boxes have changed since the audit and stay.",
            left,
        )
    return tr("{sentence} {key} takes it back.", sentence=words, key=undo) if undo and repaired else words
