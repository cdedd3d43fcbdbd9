"""Words for what a project stores as kinds and numbers: titles of undo steps, sentences of verdicts.

A project file holds no English, so that a sentence can change, or be said in another language, without its projects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from core.records import Step, StepKind, VerdictKind
from core.text import escaped

_LARGEST = 1e15
"""A damaged project may hold any number; digits without end help nobody."""


def step_title(step: Step) -> str:
    """The name of an operation, as the undo menu has it."""
    return _TITLES[step.kind](step)


def verdict_sentence(kind: VerdictKind, figures: Mapping[str, object], *, remark: str = "") -> str:
    """What came of teaching, from the figures of the gate, all mean IoUs; `remark` is that of an earlier version."""
    return _SENTENCES[kind]({name: _number(value) for name, value in figures.items()}, remark)


def _boxes(verb: str, count: int) -> str:
    return f"{verb} box" if count == 1 else f"{verb} {count} boxes"


def _delete_category(step: Step) -> str:
    boxes = "box" if step.count == 1 else "boxes"
    also = f" and {step.count} {boxes}" if step.count else ""
    return f"Delete category {escaped(step.name)}{also}"


_TITLES: Mapping[StepKind, Callable[[Step], str]] = {
    StepKind.ACCEPT: lambda step: _boxes("Accept", step.count),
    StepKind.KEEP: lambda step: _boxes("Keep", step.count),
    StepKind.MOVE: lambda step: _boxes("Move", step.count),
    StepKind.REFINE: lambda step: _boxes("Refine", step.count),
    StepKind.RELABEL: lambda step: _boxes("Relabel", step.count),
    StepKind.DELETE: lambda step: _boxes("Delete", step.count),
    StepKind.IMPORT: lambda step: f"{_boxes('Import', step.count)} from {escaped(step.name)}",
    StepKind.PROPOSE: lambda step: "Propose a refinement" if step.count == 1 else f"Propose {step.count} refinements",
    StepKind.WITHDRAW: lambda step: "Discard all proposals",
    StepKind.ADD_IMAGES: lambda step: "Add images",
    StepKind.ADD_CATEGORIES: lambda step: "Add categories",
    StepKind.ADD_CATEGORY: lambda step: f"Add category {escaped(step.name)}",
    StepKind.RENAME_CATEGORY: lambda step: f"Rename category to {escaped(step.name)}",
    StepKind.MOVE_CATEGORY: lambda step: f"Move category {escaped(step.name)}",
    StepKind.MERGE_CATEGORY: lambda step: f"Merge category {escaped(step.name)} into {escaped(step.into)}",
    StepKind.DELETE_CATEGORY: _delete_category,
    StepKind.TEXT: lambda step: escaped(step.name) or "a step",
}


def _better(figures: Mapping[str, float], _: str) -> str:
    gain, low = _gain(figures), figures.get("low", 0.0)
    return f"Better: mean IoU rises {_moved(figures)} ({gain:+z.3f}, at least {low:+z.3f})."


def _forgets(figures: Mapping[str, float], _: str) -> str:
    lost = f"from {figures.get('old_before', 0.0):.3f} to {figures.get('old_after', 0.0):.3f}"
    return f"Not better: it forgets, its mean IoU on the sample project falls {lost}; the refiner in use stays."


def _chance(figures: Mapping[str, float], _: str) -> str:
    between = f"between {figures.get('low', 0.0):+z.3f} and {figures.get('high', 0.0):+z.3f}"
    return (
        f"Not better: mean IoU goes {_moved(figures)} ({_gain(figures):+z.3f}, {between}), which may be chance; the "
        "refiner in use stays."
    )


_SENTENCES: Mapping[VerdictKind, Callable[[Mapping[str, float], str], str]] = {
    VerdictKind.BETTER: _better,
    VerdictKind.FORGETS: _forgets,
    VerdictKind.CHANCE: _chance,
    VerdictKind.TEXT: lambda _, remark: remark,
}


def _gain(figures: Mapping[str, float]) -> float:
    return figures.get("iou_after", 0.0) - figures.get("iou_before", 0.0)


def _moved(figures: Mapping[str, float]) -> str:
    before, after = figures.get("iou_before", 0.0), figures.get("iou_after", 0.0)
    count = round(figures.get("held_boxes", 0.0))
    return f"from {before:.3f} to {after:.3f} on {count} {'box' if count == 1 else 'boxes'} held out"


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and abs(value) < _LARGEST else 0.0
