"""Sentences for what a project stores as kinds and numbers: titles of undo steps and verdicts on taught refiners.

A project file stores no sentences, so that their wording and language can change without changing projects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from core.records import Step, StepKind, VerdictKind
from core.text import escaped
from core.translation import tr, tr_plural

_LARGEST = 1e15
"""A damaged project may hold any number; one of this size or more is shown as 0."""


def step_title(step: Step) -> str:
    """The title of an operation, as the undo menu shows it."""
    return _TITLES[step.kind](step)


def verdict_sentence(kind: VerdictKind, figures: Mapping[str, object], *, remark: str = "") -> str:
    """The outcome of teaching, from the gate's figures (mean IoUs, counts).

    `remark` is the sentence that an earlier version stored; it is returned for the kind TEXT.
    """
    return _SENTENCES[kind]({name: _number(value) for name, value in figures.items()}, remark)


def _import_title(step: Step) -> str:
    return tr_plural("Import box from {file}", "Import {count} boxes from {file}", step.count, file=escaped(step.name))


def _delete_category_title(step: Step) -> str:
    name = escaped(step.name)
    if not step.count:
        return tr("Delete category {name}", name=name)
    return tr_plural(
        "Delete category {name} and {count} box", "Delete category {name} and {count} boxes", step.count, name=name
    )


_TITLES: Mapping[StepKind, Callable[[Step], str]] = {
    StepKind.ACCEPT: lambda step: tr_plural("Accept box", "Accept {count} boxes", step.count),
    StepKind.KEEP: lambda step: tr_plural("Keep box", "Keep {count} boxes", step.count),
    StepKind.MOVE: lambda step: tr_plural("Move box", "Move {count} boxes", step.count),
    StepKind.REFINE: lambda step: tr_plural("Refine box", "Refine {count} boxes", step.count),
    StepKind.RELABEL: lambda step: tr_plural("Relabel box", "Relabel {count} boxes", step.count),
    StepKind.DELETE: lambda step: tr_plural("Delete box", "Delete {count} boxes", step.count),
    StepKind.IMPORT: _import_title,
    StepKind.PASTE: lambda step: tr_plural("Paste box", "Paste {count} boxes", step.count),
    StepKind.SUGGEST: lambda step: tr_plural("Suggest a box", "Suggest {count} boxes", step.count),
    StepKind.REJECT: lambda step: tr_plural("Reject a suggestion", "Reject {count} suggestions", step.count),
    StepKind.PROPOSE: lambda step: tr_plural("Propose a refinement", "Propose {count} refinements", step.count),
    StepKind.WITHDRAW: lambda step: tr("Discard all proposals"),
    StepKind.ADD_IMAGES: lambda step: tr("Add images"),
    StepKind.ADD_CATEGORIES: lambda step: tr("Add categories"),
    StepKind.ADD_CATEGORY: lambda step: tr("Add category {name}", name=escaped(step.name)),
    StepKind.RENAME_CATEGORY: lambda step: tr("Rename category to {name}", name=escaped(step.name)),
    StepKind.MOVE_CATEGORY: lambda step: tr("Move category {name}", name=escaped(step.name)),
    StepKind.CATEGORY_COLOR: lambda step: tr("Change colour of category {name}", name=escaped(step.name)),
    StepKind.CATEGORY_KEY: lambda step: tr("Change key of category {name}", name=escaped(step.name)),
    StepKind.MERGE_CATEGORY: lambda step: tr(
        "Merge category {name} into {other}", name=escaped(step.name), other=escaped(step.into)
    ),
    StepKind.DELETE_CATEGORY: _delete_category_title,
    StepKind.DONE: lambda step: tr_plural("Mark image as done", "Mark {count} images as done", step.count),
    StepKind.NOT_DONE: lambda step: tr_plural("Mark image as not done", "Mark {count} images as not done", step.count),
    StepKind.FLAG: lambda step: tr("Flag image: {note}", note=escaped(step.name)) if step.name else tr("Flag image"),
    StepKind.UNFLAG: lambda step: tr("Remove flag"),
    StepKind.FIND_GOOD: lambda step: tr_plural("Find box good", "Find {count} boxes good", step.count),
    StepKind.FIND_TO_FIX: lambda step: tr_plural("Mark box to fix", "Mark {count} boxes to fix", step.count),
    StepKind.COMMENT: lambda step: (
        tr("Comment: {note}", note=escaped(step.name)) if step.name else tr("Remove comment")
    ),
    StepKind.GO_BACK: lambda step: tr("Go back to an earlier box"),
    StepKind.REPAIR: lambda step: tr_plural("Repair box", "Repair {count} boxes", step.count),
    StepKind.MERGE: lambda step: tr("Merge project {name}", name=escaped(step.name)),
    StepKind.TEXT: lambda step: escaped(step.name) or tr("a step"),
}


def _better(figures: Mapping[str, float], _: str) -> str:
    before, after, gain = _change_of_iou(figures)
    return tr_plural(
        "Better: mean IoU rises from {before} to {after} on {count} box held out ({gain}, at least {low}).",
        "Better: mean IoU rises from {before} to {after} on {count} boxes held out ({gain}, at least {low}).",
        _held_boxes(figures),
        before=before,
        after=after,
        gain=gain,
        low=_signed(figures.get("low", 0.0)),
    )


def _forgets(figures: Mapping[str, float], _: str) -> str:
    return tr(
        "Not better: it forgets, its mean IoU on the sample project falls from {before} to {after}; the refiner in use "
        "stays.",
        before=f"{figures.get('old_before', 0.0):.3f}",
        after=f"{figures.get('old_after', 0.0):.3f}",
    )


def _chance(figures: Mapping[str, float], _: str) -> str:
    before, after, gain = _change_of_iou(figures)
    return tr_plural(
        "Not better: mean IoU goes from {before} to {after} on {count} box held out ({gain}, between {low} and "
        "{high}), which may be chance; the refiner in use stays.",
        "Not better: mean IoU goes from {before} to {after} on {count} boxes held out ({gain}, between {low} and "
        "{high}), which may be chance; the refiner in use stays.",
        _held_boxes(figures),
        before=before,
        after=after,
        gain=gain,
        low=_signed(figures.get("low", 0.0)),
        high=_signed(figures.get("high", 0.0)),
    )


_SENTENCES: Mapping[VerdictKind, Callable[[Mapping[str, float], str], str]] = {
    VerdictKind.BETTER: _better,
    VerdictKind.FORGETS: _forgets,
    VerdictKind.CHANCE: _chance,
    VerdictKind.TEXT: lambda _, remark: remark,
}


def _change_of_iou(figures: Mapping[str, float]) -> tuple[str, str, str]:
    """Mean IoU before and after teaching, and the difference, as text."""
    before, after = figures.get("iou_before", 0.0), figures.get("iou_after", 0.0)
    return f"{before:.3f}", f"{after:.3f}", _signed(after - before)


def _held_boxes(figures: Mapping[str, float]) -> int:
    return round(figures.get("held_boxes", 0.0))


def _signed(value: float) -> str:
    return f"{value:+z.3f}"


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and abs(value) < _LARGEST else 0.0
